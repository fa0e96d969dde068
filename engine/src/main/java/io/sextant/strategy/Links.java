package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import java.util.Arrays;

/**
 * Which rows (users, or attributes) are linked to which columns (items), and how strongly: a sparse
 * matrix with positive entries, by rows.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param numColumns how many columns there are, linked or not
 * @param starts (rows + 1) where each row begins in the other arrays, ascending
 * @param columns strictly ascending in each row
 * @param weights positive and finite
 */
record Links(int numColumns, int[] starts, int[] columns, float[] weights) {

  Links {
    int rows = starts.length - 1;
    check(
        rows >= 0
            && starts[0] == 0
            && starts[rows] == columns.length
            && columns.length == weights.length,
        "row starts, columns and weights do not fit together");
    for (int row = 0; row < rows; row++) {
      check(starts[row] <= starts[row + 1], "row starts descend at row " + row);
    }
    for (int row = 0; row < rows; row++) {
      int previous = -1;
      for (int at = starts[row]; at < starts[row + 1]; at++) {
        check(
            columns[at] > previous && columns[at] < numColumns,
            "row " + row + " has column " + columns[at] + " after " + previous);
        previous = columns[at];
      }
    }
    for (float weight : weights) {
      check(weight > 0 && Float.isFinite(weight), "a weight is " + weight);
    }
  }

  /**
   * Users and their items. Of a pair's rows the heaviest counts, so that ten clicks before a
   * purchase change nothing; rows of weight 0 are no link.
   *
   * @param maxItems only so many of a user's latest rows are looked at
   */
  static Links of(Interactions interactions, int maxItems) {
    int numUsers = interactions.numUsers();
    int[] starts = new int[numUsers + 1];
    int[] items = new int[interactions.size()];
    float[] weights = new float[items.length];
    long[] pairs = new long[0];
    int n = 0;
    for (int user = 0; user < numUsers; user++) {
      int end = interactions.end(user);
      int first = Math.max(interactions.start(user), end - maxItems);
      if (pairs.length < end - first) {
        pairs = new long[Math.max(end - first, 2 * pairs.length)];
      }
      int size = 0;
      for (int row = first; row < end; row++) {
        float weight = interactions.weightAt(row);
        if (weight > 0) {
          // The bits of positive floats ascend with their values: the heaviest row comes last.
          pairs[size++] =
              ((long) interactions.itemAt(row) << Integer.SIZE) | Float.floatToIntBits(weight);
        }
      }
      Arrays.sort(pairs, 0, size);
      for (int at = 0; at < size; at++) {
        int item = (int) (pairs[at] >>> Integer.SIZE);
        if (at + 1 == size || item != (int) (pairs[at + 1] >>> Integer.SIZE)) {
          items[n] = item;
          weights[n++] = Float.intBitsToFloat((int) pairs[at]);
        }
      }
      starts[user + 1] = n;
    }
    return new Links(
        interactions.numItems(), starts, Arrays.copyOf(items, n), Arrays.copyOf(weights, n));
  }

  int numRows() {
    return starts.length - 1;
  }

  /** How many entries a row has. */
  int degree(int row) {
    return starts[row + 1] - starts[row];
  }

  /** The sum of a row's weights. */
  double mass(int row) {
    double sum = 0;
    for (int at = starts[row]; at < starts[row + 1]; at++) {
      sum += weights[at];
    }
    return sum;
  }

  /** Where the entry of a row and a column is; negative if they are not linked. */
  int find(int row, int column) {
    return Arrays.binarySearch(columns, starts[row], starts[row + 1], column);
  }

  /** Columns become rows. */
  Links transposed() {
    int[] newStarts = new int[numColumns + 1];
    for (int column : columns) {
      newStarts[column + 1]++;
    }
    for (int column = 0; column < numColumns; column++) {
      newStarts[column + 1] += newStarts[column];
    }
    int[] next = newStarts.clone();
    int[] rows = new int[columns.length];
    float[] values = new float[columns.length];
    for (int row = 0; row < numRows(); row++) {
      for (int at = starts[row]; at < starts[row + 1]; at++) {
        int to = next[columns[at]]++;
        rows[to] = row;
        values[to] = weights[at];
      }
    }
    return new Links(numRows(), newStarts, rows, values);
  }

  /** The degree of each row, the sum of its weights, to a power; 1 for rows without links. */
  float[] degrees(double power) {
    float[] degrees = new float[numRows()];
    for (int row = 0; row < degrees.length; row++) {
      double sum = mass(row);
      degrees[row] = sum == 0 ? 1 : (float) Math.pow(sum, power);
    }
    return degrees;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new InvalidInputException("links are damaged: " + what);
    }
  }
}
