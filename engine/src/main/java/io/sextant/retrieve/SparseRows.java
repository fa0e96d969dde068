package io.sextant.retrieve;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * One sparse vector over the catalogue for each of B lists: scores that are added to the inner
 * products before the best items are selected, for strategies that score through neighbour lists.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param starts (B + 1) where each row begins in the other arrays, ascending; the last is their
 *     length
 * @param items item indices, strictly ascending in each row
 * @param values what is added to the item's score
 */
public record SparseRows(int[] starts, int[] items, float[] values) {

  public SparseRows {
    if (starts.length == 0
        || starts[0] != 0
        || starts[starts.length - 1] != items.length
        || items.length != values.length) {
      throw new InvalidInputException(
          "sparse rows must begin at 0 and end at their %d items and %d values"
              .formatted(items.length, values.length));
    }
    for (int row = 0; row + 1 < starts.length; row++) {
      for (int at = starts[row] + 1; at < starts[row + 1]; at++) {
        if (items[at] <= items[at - 1]) {
          throw new InvalidInputException(
              "items of a sparse row must be ascending but in row %d item %d follows %d"
                  .formatted(row, items[at], items[at - 1]));
        }
      }
    }
  }

  /** Rows without entries. */
  public static SparseRows empty(int rows) {
    return new SparseRows(new int[rows + 1], new int[0], new float[0]);
  }

  /** How many rows there are, B. */
  public int size() {
    return starts.length - 1;
  }

  /** The value of an item in a row; 0 where there is no entry. */
  public float get(int row, int item) {
    int at = Arrays.binarySearch(items, starts[row], starts[row + 1], item);
    return at < 0 ? 0 : values[at];
  }

  /** Some of the rows. */
  SparseRows rows(int[] some) {
    int[] ends = new int[some.length + 1];
    for (int i = 0; i < some.length; i++) {
      ends[i + 1] = ends[i] + starts[some[i] + 1] - starts[some[i]];
    }
    int[] someItems = new int[ends[some.length]];
    float[] someValues = new float[someItems.length];
    for (int i = 0; i < some.length; i++) {
      System.arraycopy(items, starts[some[i]], someItems, ends[i], ends[i + 1] - ends[i]);
      System.arraycopy(values, starts[some[i]], someValues, ends[i], ends[i + 1] - ends[i]);
    }
    return new SparseRows(ends, someItems, someValues);
  }

  /** The entries of items [first, end), counted from the first on. */
  SparseRows part(int first, int end) {
    int[] ends = new int[starts.length];
    int[] someItems = new int[items.length];
    float[] someValues = new float[items.length];
    int n = 0;
    for (int row = 0; row < size(); row++) {
      int last = starts[row + 1];
      for (int at = firstFrom(row, first); at < last && items[at] < end; at++) {
        someItems[n] = items[at] - first;
        someValues[n++] = values[at];
      }
      ends[row + 1] = n;
    }
    return new SparseRows(ends, Arrays.copyOf(someItems, n), Arrays.copyOf(someValues, n));
  }

  /** The greatest absolute value of a row. */
  float greatest(int row) {
    float greatest = 0;
    for (int at = starts[row]; at < starts[row + 1]; at++) {
      greatest = Math.max(greatest, Math.abs(values[at]));
    }
    return greatest;
  }

  /** The first entry of a row whose item is not below the given one. */
  int firstFrom(int row, int item) {
    int at = Arrays.binarySearch(items, starts[row], starts[row + 1], item);
    return at < 0 ? -at - 1 : at;
  }
}
