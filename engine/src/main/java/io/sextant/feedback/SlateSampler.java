package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;

/**
 * Fills a slate from candidates: the first slots greedily, in the order of the scores (the head),
 * the others one after the other by draws without replacement (the tail) with the probability
 *
 * <pre>
 * (1 - epsilon) softmax(scores / temperature) + epsilon / m
 * </pre>
 *
 * over the m candidates that are left among the best so many. Each slot's probability, given the
 * slots above it, is exact: the head's is 1, and a slate's is the product.
 *
 * <p>A head says nothing of other policies' heads: of a target that would put another item there,
 * the log has no support. Candidates with equal scores are taken in their order.
 *
 * <p>Time O(M log M + L M) with M candidates and L slots. Thread safety: immutable.
 *
 * @param slots L, &gt; 0
 * @param head how many slots are filled greedily, 0..L
 * @param pool only so many best candidates may be drawn, at least L
 * @param temperature of the tail, &gt; 0
 * @param epsilon the share of the tail's draws that ignore scores, 0..1
 */
public record SlateSampler(int slots, int head, int pool, double temperature, double epsilon)
    implements SlateExploration {

  public SlateSampler {
    if (slots < 1 || head < 0 || head > slots || pool < slots) {
      throw new InvalidInputException(
          "a slate needs slots > 0, a head in 0..slots and a pool >= slots but had %d, %d and %d"
              .formatted(slots, head, pool));
    }
    Softmax.checkRates(temperature, epsilon);
  }

  @Override
  public SlateDraw draw(double[] scores, long seed, long decision) {
    CounterRandom random = new CounterRandom(seed, "slates", decision);
    Walk walk = new Walk(scores);
    int length = Math.min(slots, scores.length);
    int[] items = new int[length];
    double[] propensities = new double[length];
    for (int slot = 0; slot < length; slot++) {
      double[] probabilities = walk.next(slot);
      // Every slot has its number, so that a head more does not change the tail's.
      items[slot] = Softmax.draw(probabilities, random.nextDouble());
      propensities[slot] = probabilities[items[slot]];
      walk.take(items[slot]);
    }
    return new SlateDraw(items, propensities);
  }

  @Override
  public double[][] conditionals(double[] scores, int[] slate) {
    SlateDraw.checkLength(slate, slots, scores.length);
    Walk walk = new Walk(scores);
    double[][] conditionals = new double[slate.length][];
    for (int slot = 0; slot < slate.length; slot++) {
      int item = slate[slot];
      if (item < 0 || item >= scores.length || walk.taken[item]) {
        throw new InvalidInputException(
            "slot %d: %d is no candidate in 0..%d that is left"
                .formatted(slot, item, scores.length - 1));
      }
      conditionals[slot] = walk.next(slot).clone();
      walk.take(item);
    }
    return conditionals;
  }

  @Override
  public double[] firstPropensities(double[] scores) {
    return new Walk(scores).next(0);
  }

  /** Goes down the slots and knows what is left. */
  private final class Walk {
    private final double[] scores;
    private final boolean[] taken;
    private final boolean[] closed;
    private final double[] probabilities;

    Walk(double[] scores) {
      Softmax.checkScores(scores);
      this.scores = scores;
      taken = new boolean[scores.length];
      closed = new boolean[scores.length];
      probabilities = new double[scores.length];
      int[] order = Softmax.bestFirst(scores);
      for (int rank = pool; rank < order.length; rank++) {
        closed[order[rank]] = true;
      }
    }

    /** The probabilities of all candidates for a slot; valid until the next call. */
    double[] next(int slot) {
      if (slot >= head) {
        Softmax.into(scores, closed, temperature, epsilon, probabilities);
        return probabilities;
      }
      int best = -1;
      for (int i = 0; i < scores.length; i++) {
        probabilities[i] = 0;
        if (!closed[i] && (best < 0 || scores[i] > scores[best])) {
          best = i;
        }
      }
      if (best >= 0) {
        probabilities[best] = 1;
      }
      return probabilities;
    }

    void take(int item) {
      taken[item] = true;
      closed[item] = true;
    }
  }
}
