package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/** Where a search takes the vectors of its items from, tile by tile. */
interface ItemRows {

  /** How many items there are, I. */
  int size();

  /** The width of a vector, D. */
  int dimension();

  /** How much memory each row takes that {@link #rows} makes: none where it is a view. */
  long bytesPerRow();

  /** The vectors [from, to) in float32, owned by the scope or a view that it owns. */
  NDArray rows(int from, int to, Scope scope);

  /** The matrix (I, D) whose rows these are, in float32; null where they are made tile by tile. */
  default @Nullable NDArray matrix() {
    return null;
  }

  /** The rows of a matrix. */
  static ItemRows of(NDArray matrix) {
    return new ItemRows() {
      @Override
      public int size() {
        return Math.toIntExact(matrix.getShape().get(0));
      }

      @Override
      public int dimension() {
        return Math.toIntExact(matrix.getShape().get(1));
      }

      @Override
      public long bytesPerRow() {
        return 0;
      }

      @Override
      public NDArray rows(int from, int to, Scope scope) {
        return Tiles.rows(matrix, from, to, scope);
      }

      @Override
      public NDArray matrix() {
        return matrix;
      }
    };
  }
}
