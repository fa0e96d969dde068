package io.sextant.strategy;

import io.sextant.InvalidInputException;

/**
 * For each item of a history the items that it speaks for, and how strongly: a sparse (I, I) matrix
 * by rows.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param starts (I + 1) where each source item's row begins in the other arrays, ascending
 * @param items target items, ascending in each row
 * @param weights may be negative
 */
record ItemWeights(int[] starts, int[] items, float[] weights) {

  ItemWeights {
    int numItems = starts.length - 1;
    check(
        numItems >= 0
            && starts[0] == 0
            && starts[numItems] == items.length
            && items.length == weights.length,
        "row starts, items and weights do not fit together");
    for (int row = 0; row < numItems; row++) {
      check(starts[row] <= starts[row + 1], "row starts descend at row " + row);
    }
    for (int item : items) {
      check(item >= 0 && item < numItems, "item " + item + " is outside of the catalogue");
    }
    for (float weight : weights) {
      check(Float.isFinite(weight), "a weight is " + weight);
    }
  }

  int numItems() {
    return starts.length - 1;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new InvalidInputException("the weights between items are damaged: " + what);
    }
  }
}
