package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;

/**
 * Inverts a symmetric positive definite matrix in place, by halves: with blocks {@code [B C'; C
 * D]}, W = C B^-1 and the Schur complement S = D - W C',
 *
 * <pre>
 * inverse = [ B^-1 + W' S^-1 W,  -W' S^-1 ;  -S^-1 W,  S^-1 ]
 * </pre>
 *
 * Everything but the smallest blocks, which are inverted in double precision in Java, is matrix
 * products in float32: no factorisation is asked of the tensor library, which may have none on its
 * device. About n^3 multiplications and additions; half as much memory again as the matrix takes.
 */
final class SpdInverse {

  /** Blocks of so many rows are inverted in Java. */
  private static final int SMALLEST = 192;

  /** Symmetric products are computed by so many rows at a time, up to the diagonal. */
  private static final int STRIP = 2048;

  /** A pivot below this share of its diagonal element is rounding: the matrix is singular. */
  private static final double SINGULAR = 1e-7;

  private final NDArray matrix;
  private final int smallest;
  private final int strip;

  private SpdInverse(NDArray matrix, int smallest, int strip) {
    this.matrix = matrix;
    this.smallest = smallest;
    this.strip = strip;
  }

  /**
   * Replaces the matrix by its inverse.
   *
   * @param matrix (n, n), float32
   * @throws ArithmeticException if it is singular, or nearly so, or not positive definite
   */
  static void invert(Scope scope, NDArray matrix) {
    invert(scope, matrix, SMALLEST, STRIP);
  }

  /** The same with other sizes of blocks and strips. */
  static void invert(Scope scope, NDArray matrix, int smallest, int strip) {
    new SpdInverse(matrix, smallest, strip)
        .invert(scope, 0, Math.toIntExact(matrix.getShape().get(0)));
  }

  /** The diagonal block [from, to), of which the lower triangle is read and all is written. */
  private void invert(Scope scope, int from, int to) {
    if (to - from <= smallest) {
      invertSmall(scope, from, to);
      return;
    }
    int half = from + (to - from) / 2;
    invert(scope, from, half);
    try (Scope step = scope.child()) {
      NDArray w =
          step.adopt(block(step, half, to, from, half).matMul(block(step, from, half, from, half)));
      addSymmetric(step, w, block(step, half, to, from, half), half, to, -1);
      invert(step, half, to);
      NDArray lower = step.adopt(block(step, half, to, half, to).matMul(w));
      addSymmetric(step, step.adopt(w.transpose()), step.adopt(lower.transpose()), from, half, 1);
      mirror(step, from, half);
      lower.negi();
      matrix.set(new NDIndex("{}:{}, {}:{}", half, to, from, half), lower);
      matrix.set(new NDIndex("{}:{}, {}:{}", from, half, half, to), step.adopt(lower.transpose()));
    }
  }

  /**
   * Adds {@code sign * left right'}, which is symmetric, to the lower triangle of the diagonal
   * block [from, to), in strips of rows.
   *
   * @param left (n, m)
   * @param right (n, m)
   */
  private void addSymmetric(Scope scope, NDArray left, NDArray right, int from, int to, int sign) {
    for (int first = from; first < to; first += strip) {
      int last = Math.min(to, first + strip);
      try (Scope step = scope.child()) {
        NDArray rows = left.get(step.manager(), new NDIndex("{}:{}", first - from, last - from));
        NDArray columns = right.get(step.manager(), new NDIndex("{}:{}", 0, last - from));
        NDArray product = step.adopt(rows.matMul(step.adopt(columns.transpose())));
        NDArray old = block(step, first, last, from, last);
        matrix.set(
            new NDIndex("{}:{}, {}:{}", first, last, from, last),
            step.adopt(sign < 0 ? old.sub(product) : old.add(product)));
      }
    }
  }

  /** Copies the lower triangle of a diagonal block to the upper one, in strips. */
  private void mirror(Scope scope, int from, int to) {
    for (int first = from + strip; first < to; first += strip) {
      int last = Math.min(to, first + strip);
      try (Scope step = scope.child()) {
        NDArray lower = step.adopt(block(step, first, last, from, first).transpose());
        matrix.set(new NDIndex("{}:{}, {}:{}", from, first, first, last), lower);
      }
    }
  }

  private NDArray block(Scope scope, int firstRow, int lastRow, int firstColumn, int lastColumn) {
    return matrix.get(
        scope.manager(), new NDIndex("{}:{}, {}:{}", firstRow, lastRow, firstColumn, lastColumn));
  }

  private void invertSmall(Scope scope, int from, int to) {
    int n = to - from;
    try (Scope step = scope.child()) {
      float[] values = HostArrays.toFloats(step.adopt(block(step, from, to, from, to).duplicate()));
      double[][] rows = new double[n][n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
          rows[i][j] = values[i * n + j];
          rows[j][i] = rows[i][j];
        }
      }
      sweep(rows);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          values[i * n + j] = (float) rows[i][j];
        }
      }
      matrix.set(
          new NDIndex("{}:{}, {}:{}", from, to, from, to),
          HostArrays.floats(step.manager(), values, n, n));
    }
  }

  /** Gauss and Jordan's elimination in place; positive definite matrices need no pivoting. */
  static void sweep(double[][] rows) {
    int n = rows.length;
    double[] diagonal = new double[n];
    for (int k = 0; k < n; k++) {
      diagonal[k] = rows[k][k];
    }
    for (int k = 0; k < n; k++) {
      double pivot = rows[k][k];
      if (!(pivot > SINGULAR * diagonal[k])) {
        throw new ArithmeticException("pivot " + pivot + " of " + diagonal[k]);
      }
      double[] row = rows[k];
      row[k] = 1;
      for (int j = 0; j < n; j++) {
        row[j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        if (i != k) {
          double factor = rows[i][k];
          rows[i][k] = 0;
          subtract(factor, row, rows[i]);
        }
      }
    }
  }

  private static void subtract(double factor, double[] row, double[] from) {
    for (int j = 0; j < from.length; j++) {
      from[j] -= factor * row[j];
    }
  }
}
