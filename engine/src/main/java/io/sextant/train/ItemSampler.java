package io.sextant.train;

import io.sextant.tensor.CounterRandom;

/**
 * Draws items with probability proportional to count^power, in O(1) by Walker's alias method (Vose,
 * IEEE TSE 1991).
 *
 * <p>Thread safety: immutable.
 */
final class ItemSampler {

  private final int numItems;
  private final double[] probability;
  private final float[] keep;
  private final int[] alias;
  private final boolean uniform;

  ItemSampler(int[] counts, float power) {
    numItems = counts.length;
    probability = new double[numItems];
    double sum = 0;
    for (int i = 0; i < numItems; i++) {
      // An item that was never seen counts as seen once, so that every item can be drawn.
      probability[i] = Math.pow(Math.max(1, counts[i]), power);
      sum += probability[i];
    }
    for (int i = 0; i < numItems; i++) {
      probability[i] /= sum;
    }
    uniform = power == 0;
    keep = new float[uniform ? 0 : numItems];
    alias = new int[uniform ? 0 : numItems];
    if (!uniform) {
      buildAlias();
    }
  }

  /** The probability of an item. */
  double probability(int item) {
    return probability[item];
  }

  int draw(CounterRandom random) {
    int slot = random.nextInt(numItems);
    return uniform || random.nextFloat() < keep[slot] ? slot : alias[slot];
  }

  private void buildAlias() {
    double[] scaled = new double[numItems];
    int[] stack = new int[numItems];
    int small = 0;
    int large = numItems;
    for (int i = 0; i < numItems; i++) {
      scaled[i] = probability[i] * numItems;
      if (scaled[i] < 1) {
        stack[small++] = i;
      } else {
        stack[--large] = i;
      }
    }
    while (small > 0 && large < numItems) {
      int less = stack[--small];
      int more = stack[large];
      keep[less] = (float) scaled[less];
      alias[less] = more;
      scaled[more] -= 1 - scaled[less];
      if (scaled[more] < 1) {
        large++;
        stack[small++] = more;
      }
    }
    while (small > 0) {
      keep[stack[--small]] = 1;
    }
    while (large < numItems) {
      keep[stack[large++]] = 1;
    }
  }
}
