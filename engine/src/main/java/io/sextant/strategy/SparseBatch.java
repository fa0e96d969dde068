package io.sextant.strategy;

import io.sextant.retrieve.SparseRows;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/** Computes the sparse scores of many users, on all cores. */
final class SparseBatch {

  private SparseBatch() {}

  /** One row for each user. */
  static SparseRows of(SparseScores part, int numItems, List<UserState> users) {
    int[][] items = new int[users.size()][];
    float[][] values = new float[users.size()][];
    Queue<ScoreSums> idle = new ConcurrentLinkedQueue<>();
    IntStream.range(0, users.size())
        .parallel()
        .forEach(
            u -> {
              ScoreSums idleSums = idle.poll();
              ScoreSums sums = idleSums == null ? new ScoreSums(numItems) : idleSums;
              part.score(users.get(u), sums);
              items[u] = sums.sortedItems();
              values[u] = new float[items[u].length];
              for (int i = 0; i < values[u].length; i++) {
                values[u][i] = sums.get(items[u][i]);
              }
              sums.clear();
              idle.add(sums);
            });
    return concat(items, values);
  }

  private static SparseRows concat(int[][] items, float[][] values) {
    int[] starts = new int[items.length + 1];
    for (int row = 0; row < items.length; row++) {
      starts[row + 1] = Math.addExact(starts[row], items[row].length);
    }
    int[] allItems = new int[starts[items.length]];
    float[] allValues = new float[allItems.length];
    for (int row = 0; row < items.length; row++) {
      System.arraycopy(items[row], 0, allItems, starts[row], items[row].length);
      System.arraycopy(values[row], 0, allValues, starts[row], items[row].length);
    }
    return new SparseRows(starts, allItems, allValues);
  }
}
