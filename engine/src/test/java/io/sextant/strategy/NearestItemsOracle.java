package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.data.Dataset;
import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;

/** Compares sparse weights with a dense matrix of what they should be. */
final class NearestItemsOracle {

  /** Sums of some dozen floats, a power and a quotient: well below ten roundings of 6e-8. */
  private static final double RELATIVE = 5e-6;

  private NearestItemsOracle() {}

  /** The kept weights are right, in order, as many as can be, and none left out is larger. */
  static void assertNearest(ItemWeights actual, double[][] expected, int k, String description) {
    assertThat(actual.numItems()).isEqualTo(expected.length);
    for (int source = 0; source < expected.length; source++) {
      String at = description + ", source " + source;
      expected[source][source] = 0;
      double[] left = expected[source].clone();
      int positive = (int) Arrays.stream(left).filter(w -> w > 0).count();
      int start = actual.starts()[source];
      int end = actual.starts()[source + 1];
      assertThat(end - start).as(at).isEqualTo(Math.min(k, positive));
      double smallest = Double.POSITIVE_INFINITY;
      for (int n = start; n < end; n++) {
        int target = actual.items()[n];
        assertThat(n > start ? actual.items()[n - 1] : -1).as(at).isLessThan(target);
        assertThat((double) actual.weights()[n])
            .as(at)
            .isCloseTo(left[target], within(RELATIVE * left[target]));
        smallest = Math.min(smallest, left[target]);
        left[target] = 0;
      }
      double largestLeft = Arrays.stream(left).max().orElse(0);
      assertThat(largestLeft).as(at).isLessThanOrEqualTo(smallest * (1 + RELATIVE));
    }
  }

  static ItemWeights fit(Strategy strategy, Dataset data) {
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
      return ((FittedItemItem) fitted).weights();
    }
  }

  /** The same bits whatever the number of threads. */
  static void assertIndependentOfThreads(Strategy strategy, Dataset data) {
    ItemWeights alone = onThreads(1, strategy, data);
    for (int run = 0; run < 3; run++) {
      ItemWeights together = onThreads(4, strategy, data);
      assertThat(together.starts()).isEqualTo(alone.starts());
      assertThat(together.items()).isEqualTo(alone.items());
      assertThat(together.weights()).isEqualTo(alone.weights());
    }
  }

  private static ItemWeights onThreads(int threads, Strategy strategy, Dataset data) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      // Parallel streams stay in the pool from which they are started.
      return pool.submit(() -> fit(strategy, data)).join();
    } finally {
      pool.shutdown();
    }
  }
}
