package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;

/**
 * Fills each slot from a stratum of its own, so that slots are independent of each other. The best
 * {@code pool} candidates are dealt to the L slots in turn, forth and back (ranks 0, 2L - 1, 2L ...
 * are slot 0's, ranks L - 1, L, 3L - 1 ... the last slot's), and slot l draws one of its own with
 * the probability
 *
 * <pre>
 * (1 - epsilon) softmax(scores / temperature) + epsilon / m
 * </pre>
 *
 * over the m candidates of its stratum. The last slot compares neighbours, the first one candidates
 * that lie far apart: what is in doubt is explored, what is not costs little.
 *
 * <p>The probability that a candidate is shown is thereby known ({@link #firstPropensities}), and
 * an evaluation that counts items on their own ({@link ExposureEstimator}) has weights of at most m
 * / epsilon, however long the slate is. A slate never has two candidates of one stratum: of a
 * target that would show both, each is still supported.
 *
 * <p>Time O(M log M). Thread safety: immutable.
 *
 * @param slots L, &gt; 0
 * @param pool only so many best candidates may be drawn, at least L
 * @param temperature in units of the scores, &gt; 0
 * @param epsilon the share of draws that ignore scores, 0..1
 */
public record StratifiedSampler(int slots, int pool, double temperature, double epsilon)
    implements SlateExploration {

  public StratifiedSampler {
    if (slots < 1 || pool < slots) {
      throw new InvalidInputException(
          "a slate needs slots > 0 and a pool >= slots but had %d and %d".formatted(slots, pool));
    }
    Softmax.checkRates(temperature, epsilon);
  }

  @Override
  public SlateDraw draw(double[] scores, long seed, long decision) {
    Strata strata = new Strata(scores);
    CounterRandom random = new CounterRandom(seed, "strata", decision);
    int length = Math.min(slots, scores.length);
    int[] items = new int[length];
    double[] propensities = new double[length];
    for (int slot = 0; slot < length; slot++) {
      double[] probabilities = strata.of(slot);
      items[slot] = Softmax.draw(probabilities, random.nextDouble());
      propensities[slot] = probabilities[items[slot]];
    }
    return new SlateDraw(items, propensities);
  }

  @Override
  public double[][] conditionals(double[] scores, int[] slate) {
    SlateDraw.checkLength(slate, slots, scores.length);
    Strata strata = new Strata(scores);
    double[][] conditionals = new double[slate.length][];
    for (int slot = 0; slot < slate.length; slot++) {
      if (slate[slot] < 0 || slate[slot] >= scores.length) {
        throw new InvalidInputException(
            "slot %d: %d is no candidate in 0..%d".formatted(slot, slate[slot], scores.length - 1));
      }
      conditionals[slot] = strata.of(slot).clone();
    }
    return conditionals;
  }

  @Override
  public double[] firstPropensities(double[] scores) {
    Strata strata = new Strata(scores);
    double[] shown = new double[scores.length];
    for (int slot = 0; slot < Math.min(slots, scores.length); slot++) {
      double[] probabilities = strata.of(slot);
      for (int i = 0; i < shown.length; i++) {
        shown[i] += probabilities[i];
      }
    }
    return shown;
  }

  /**
   * How much each candidate is looked at: the probability of its slot times how often that slot is
   * examined.
   *
   * @param scores (M) finite
   * @param examination (L) how often each slot is examined
   * @return (M)
   */
  public double[] exposures(double[] scores, double[] examination) {
    Strata strata = new Strata(scores);
    double[] exposures = new double[scores.length];
    for (int slot = 0; slot < Math.min(slots, scores.length); slot++) {
      double[] probabilities = strata.of(slot);
      for (int i = 0; i < exposures.length; i++) {
        exposures[i] += examination[slot] * probabilities[i];
      }
    }
    return exposures;
  }

  /** The slot of a rank: dealt forth and back. */
  private int slotOf(int rank) {
    int turn = rank / slots;
    int place = rank % slots;
    return turn % 2 == 0 ? place : slots - 1 - place;
  }

  /** Who belongs to which slot. */
  private final class Strata {
    private final double[] scores;
    private final int[] slotOf;
    private final double[] probabilities;

    Strata(double[] scores) {
      Softmax.checkScores(scores);
      this.scores = scores;
      slotOf = new int[scores.length];
      probabilities = new double[scores.length];
      Arrays.fill(slotOf, -1);
      int[] order = Softmax.bestFirst(scores);
      for (int rank = 0; rank < Math.min(pool, order.length); rank++) {
        slotOf[order[rank]] = slotOf(rank);
      }
    }

    /** The probabilities of all candidates for a slot; valid until the next call. */
    double[] of(int slot) {
      boolean[] others = new boolean[scores.length];
      for (int i = 0; i < others.length; i++) {
        others[i] = slotOf[i] != slot;
      }
      Softmax.into(scores, others, temperature, epsilon, probabilities);
      return probabilities;
    }
  }
}
