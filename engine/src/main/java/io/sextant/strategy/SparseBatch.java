package io.sextant.strategy;

import io.sextant.retrieve.SparseRows;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/**
 * Computes sparse scores of many users, on all cores (the common pool).
 *
 * <p>Thread safety: stateless.
 */
public final class SparseBatch {

  /** Adds the scores of one user of the batch to empty sums. Called by several threads. */
  @FunctionalInterface
  public interface RowFiller {
    /** Adds the scores of user number {@code row}. */
    void fill(int row, ScoreSums into);
  }

  private SparseBatch() {}

  /** One row for each user. */
  public static SparseRows of(SparseScores part, int numItems, List<UserState> users) {
    return of(numItems, users.size(), (row, into) -> part.score(users.get(row), into));
  }

  /** So many rows over so many items. */
  public static SparseRows of(int numItems, int numRows, RowFiller filler) {
    int[][] items = new int[numRows][];
    float[][] values = new float[numRows][];
    Queue<ScoreSums> idle = new ConcurrentLinkedQueue<>();
    IntStream.range(0, numRows)
        .parallel()
        .forEach(
            u -> {
              ScoreSums idleSums = idle.poll();
              ScoreSums sums = idleSums == null ? new ScoreSums(numItems) : idleSums;
              filler.fill(u, sums);
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
