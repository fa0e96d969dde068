package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.tensor.Scope;

/** Cuts matrices into tiles that are views. */
final class Tiles {

  /** Widths are multiples of this, so that rows of a tile begin at cache lines. */
  private static final int ALIGNMENT = 16;

  private Tiles() {}

  static int count(int total, int width) {
    return (total + width - 1) / width;
  }

  /** The width, at most about {@code max}, that cuts the total into tiles of nearly equal size. */
  static int evenWidth(int total, int max) {
    if (total <= max) {
      return total;
    }
    int width = count(total, count(total, max));
    return Math.min(total, count(width, ALIGNMENT) * ALIGNMENT);
  }

  /** Rows [from, to) of a matrix, owned by the scope. */
  static NDArray rows(NDArray matrix, int from, int to, Scope scope) {
    return scope.adopt(matrix.get(new NDIndex().addSliceDim(from, to)));
  }
}
