package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Users and items without any interaction to learn from. Their id embeddings are never trained, so
 * they are zero, not noise: what is known of such an entity are its features. Training leaves them
 * alone, because such an item is no negative; one that not even features describe stays a negative
 * and is pushed away.
 *
 * @param users who have no interaction
 * @param items that have none, but features
 */
record ColdRows(int[] users, int[] items) {

  static ColdRows of(Interactions train, EntityFeatures itemFeatures) {
    int[] counts = train.itemCounts();
    return new ColdRows(
        IntStream.range(0, train.numUsers()).filter(u -> train.degree(u) == 0).toArray(),
        IntStream.range(0, counts.length)
            .filter(item -> counts[item] == 0 && itemFeatures.describes(item))
            .toArray());
  }

  /** Before training: their id embeddings become zero. */
  void clear(TwoTower model) {
    for (NamedParameter parameter : model.namedParameters()) {
      switch (parameter.name()) {
        case "user.id" -> fill(parameter.parameter().getArray(), users, 0);
        case "item.id" -> fill(parameter.parameter().getArray(), items, 0);
        default -> {
          // Biases start at zero, everything else belongs to no single entity.
        }
      }
    }
  }

  /**
   * After training: their items' biases become the mean of those that were learned, because biases
   * of a ranking are about a level of their own.
   */
  void levelBiases(TwoTower model) {
    for (NamedParameter parameter : model.namedParameters()) {
      if (parameter.name().equals("item.bias") && items.length > 0) {
        float[] biases = HostArrays.toFloats(parameter.parameter().getArray());
        double sum = 0;
        for (int item = 0; item < biases.length; item++) {
          sum += Arrays.binarySearch(items, item) < 0 ? biases[item] : 0;
        }
        int learned = Math.max(1, biases.length - items.length);
        fill(parameter.parameter().getArray(), items, (float) (sum / learned));
      }
    }
  }

  private static void fill(NDArray table, int[] rows, float value) {
    if (rows.length == 0) {
      return;
    }
    long width = table.getShape().get(1);
    float[] values = new float[Math.toIntExact(rows.length * width)];
    Arrays.fill(values, value);
    try (Scope step = Scope.open(table.getDevice())) {
      RowOptimizer.write(
          table,
          HostArrays.longs(step.manager(), rows, rows.length),
          HostArrays.floats(step.manager(), values, rows.length, width));
    }
  }
}
