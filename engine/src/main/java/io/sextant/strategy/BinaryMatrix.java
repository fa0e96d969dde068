package io.sextant.strategy;

import io.sextant.data.Interactions;
import java.util.Arrays;
import java.util.List;

/**
 * A sparse matrix of zeros and ones by rows: which items each user has, or which users each item
 * has.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param numColumns how many columns there are
 * @param starts (rows + 1) where each row begins in {@code columns}
 * @param columns of the ones, ascending and distinct in each row
 */
record BinaryMatrix(int numColumns, int[] starts, int[] columns) {

  /**
   * Users by items. A pair counts once, however often it occurs; rows of weight 0 do not count.
   * O(rows log(rows of the busiest user)) time, 4 bytes a pair.
   */
  static BinaryMatrix of(Interactions interactions) {
    int[] starts = new int[interactions.numUsers() + 1];
    int[] columns = new int[interactions.size()];
    int size = 0;
    for (int user = 0; user < interactions.numUsers(); user++) {
      int from = size;
      for (int row = interactions.start(user); row < interactions.end(user); row++) {
        if (interactions.weightAt(row) > 0) {
          columns[size++] = interactions.itemAt(row);
        }
      }
      size = distinct(columns, from, size);
      starts[user + 1] = size;
    }
    return new BinaryMatrix(interactions.numItems(), starts, Arrays.copyOf(columns, size));
  }

  /** The distinct items of each history. */
  static BinaryMatrix ofHistories(List<UserState> users, int numItems) {
    int[] starts = new int[users.size() + 1];
    int[][] rows = new int[users.size()][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = distinct(users.get(row).history());
      starts[row + 1] = starts[row] + rows[row].length;
    }
    int[] columns = new int[starts[rows.length]];
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(rows[row], 0, columns, starts[row], rows[row].length);
    }
    return new BinaryMatrix(numItems, starts, columns);
  }

  int numRows() {
    return starts.length - 1;
  }

  /** How many ones there are. */
  int size() {
    return columns.length;
  }

  /** How many ones a row has. */
  int degree(int row) {
    return starts[row + 1] - starts[row];
  }

  /** Columns as rows. */
  BinaryMatrix transpose() {
    int[] newStarts = new int[numColumns + 1];
    for (int column : columns) {
      newStarts[column + 1]++;
    }
    for (int column = 0; column < numColumns; column++) {
      newStarts[column + 1] += newStarts[column];
    }
    int[] next = Arrays.copyOf(newStarts, numColumns);
    int[] rows = new int[columns.length];
    for (int row = 0; row < numRows(); row++) {
      for (int at = starts[row]; at < starts[row + 1]; at++) {
        rows[next[columns[at]]++] = row;
      }
    }
    return new BinaryMatrix(numRows(), newStarts, rows);
  }

  /** The same with weights of 1. */
  Links toLinks() {
    float[] ones = new float[columns.length];
    Arrays.fill(ones, 1);
    return new Links(numColumns, starts, columns, ones);
  }

  /** The distinct values of an array, ascending: a new array. */
  static int[] distinct(int[] values) {
    int[] sorted = values.clone();
    return Arrays.copyOf(sorted, distinct(sorted, 0, sorted.length));
  }

  /** Sorts [from, to), moves the distinct values to its front and returns where they end. */
  private static int distinct(int[] values, int from, int to) {
    Arrays.sort(values, from, to);
    int size = from;
    for (int at = from; at < to; at++) {
      if (at == from || values[at] != values[at - 1]) {
        values[size++] = values[at];
      }
    }
    return size;
  }
}
