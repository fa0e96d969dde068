package io.sextant.train;

import io.sextant.tensor.CounterRandom;
import java.util.function.IntPredicate;

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
    this(counts, power, item -> true);
  }

  /**
   * @param drawable which items may be drawn; all that were seen may
   */
  ItemSampler(int[] counts, float power, IntPredicate drawable) {
    numItems = counts.length;
    probability = new double[numItems];
    double sum = 0;
    boolean all = true;
    for (int i = 0; i < numItems; i++) {
      // An item that was never seen counts as seen once.
      boolean drawn = counts[i] > 0 || drawable.test(i);
      all &= drawn;
      probability[i] = drawn ? Math.pow(Math.max(1, counts[i]), power) : 0;
      sum += probability[i];
    }
    for (int i = 0; i < numItems; i++) {
      probability[i] /= sum;
    }
    uniform = power == 0 && all;
    keep = new float[uniform ? 0 : numItems];
    alias = new int[uniform ? 0 : numItems];
    if (!uniform) {
      buildAlias();
    }
  }

  /** The probability of an item; 0 if it is never drawn. */
  double probability(int item) {
    return probability[item];
  }

  /** Whether every item is as likely: then there is nothing but a slot to draw. */
  boolean isUniform() {
    return uniform;
  }

  /** For each slot the probability of its own item, where it is not uniform. */
  float[] keepShares() {
    return keep;
  }

  /** For each slot the item that is drawn else. */
  int[] aliases() {
    return alias;
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
