package io.sextant.train;

import io.sextant.tensor.CounterRandom;

/**
 * Draws the negatives of a batch: a function of (seed, step).
 *
 * <p>Thread safety: immutable.
 */
final class Negatives {

  /** A user who has seen nearly everything gets a seen negative after so many draws. */
  private static final int MAX_DRAWS = 64;

  private final SamplingOptions options;
  private final ItemSampler sampler;
  private final SeenItems seen;
  private final int numItems;
  private final long seed;

  Negatives(SamplingOptions options, ItemSampler sampler, SeenItems seen, int numItems, long seed) {
    this.options = options;
    this.sampler = sampler;
    this.seen = seen;
    this.numItems = numItems;
    this.seed = seed;
  }

  /**
   * Adds the negatives of a step to the items.
   *
   * @param users the user of each example (B)
   * @return their local numbers (B, n) where each example has its own, else nothing
   */
  int[] draw(RowCollector items, int[] users, long step) {
    CounterRandom random = new CounterRandom(seed, "negatives", step);
    switch (options.objective()) {
      case FULL_SOFTMAX -> {
        for (int item = 0; item < numItems; item++) {
          if (sampler.probability(item) > 0) {
            items.add(item);
          }
        }
      }
      case SAMPLED_SOFTMAX -> {
        for (int n = 0; n < options.negatives(); n++) {
          items.add(sampler.draw(random));
        }
      }
      case BCE, BPR -> {
        int[] negatives = new int[users.length * options.negatives()];
        drawOwn(random, users, negatives);
        // Apart from the draws, whose branches are hard to predict: so cache misses overlap.
        for (int i = 0; i < negatives.length; i++) {
          negatives[i] = items.add(negatives[i]);
        }
        return negatives;
      }
      case SQUARED_ERROR -> {
        // Values are compared with scores; there is nothing to draw.
      }
    }
    return new int[0];
  }

  private void drawOwn(CounterRandom random, int[] users, int[] negatives) {
    int[] starts = new int[users.length];
    int[] ends = new int[users.length];
    for (int e = 0; e < users.length; e++) {
      starts[e] = seen.start(users[e]);
      ends[e] = seen.end(users[e]);
    }
    int at = 0;
    for (int e = 0; e < users.length; e++) {
      for (int n = 0; n < options.negatives(); n++) {
        negatives[at++] = drawUnseen(random, starts[e], ends[e]);
      }
    }
  }

  private int drawUnseen(CounterRandom random, int start, int end) {
    int item = sampler.draw(random);
    for (int i = 1;
        i < MAX_DRAWS && options.excludeSeen() && seen.contains(start, end, item);
        i++) {
      item = sampler.draw(random);
    }
    return item;
  }
}
