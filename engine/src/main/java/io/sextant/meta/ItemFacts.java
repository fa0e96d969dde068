package io.sextant.meta;

import io.sextant.data.Interactions;
import java.util.Arrays;

/**
 * What the policy knows of items beside the strategies' scores.
 *
 * @param logPopularity (I) log(1 + number of interactions)
 */
record ItemFacts(float[] logPopularity) {

  static ItemFacts of(Interactions train) {
    int[] counts = train.itemCounts();
    float[] logs = new float[counts.length];
    for (int item = 0; item < logs.length; item++) {
      logs[item] = (float) Math.log1p(counts[item]);
    }
    return new ItemFacts(logs);
  }

  /** The same with so many items more, with which nobody has interacted. */
  ItemFacts withSpare(int spare) {
    return spare == 0
        ? this
        : new ItemFacts(Arrays.copyOf(logPopularity, logPopularity.length + spare));
  }
}
