package io.sextant.strategy;

import java.util.Arrays;

/**
 * The largest singular values and right singular vectors of a sparse matrix whose ones are scaled
 * by row and by column, by subspace iteration from a random start (Halko, Martinsson and Tropp,
 * SIAM Review 2011, <a href="https://doi.org/10.1137/090771806">doi:10.1137/090771806</a>).
 *
 * <p>Each iteration multiplies the subspace by N and by N', and each time makes it orthonormal
 * again through the eigenvectors of its Gramian, so that directions that the matrix does not have,
 * with singular values under a thousandth of the largest, drop out.
 *
 * @param values descending, all positive; fewer than asked for if the rank is smaller
 * @param vectors (columns, k), orthonormal columns
 */
record RandomizedSvd(double[] values, TallMatrix vectors) {

  /**
   * A direction with less than this share of the largest one's squared length is float rounding.
   */
  private static final double NEGLIGIBLE = 1e-6;

  /**
   * O(iterations (n w + (rows + columns) w^2) + w^3) time with w = k + oversampling and n ones.
   *
   * @param byRow the matrix
   * @param rowScale factor of each row
   * @param columnScale factor of each column
   */
  static RandomizedSvd of(
      BinaryMatrix byRow,
      float[] rowScale,
      float[] columnScale,
      int k,
      int oversampling,
      int iterations,
      long seed) {
    BinaryMatrix byColumn = byRow.transpose();
    int width = Math.min(k + oversampling, Math.min(byRow.numRows(), byRow.numColumns()));
    TallMatrix subspace =
        orthonormal(TallMatrix.gaussian(byRow.numColumns(), width, 1, seed, "svd"));
    for (int iteration = 0; iteration < iterations; iteration++) {
      TallMatrix images = orthonormal(multiply(byRow, rowScale, columnScale, subspace));
      subspace = orthonormal(multiply(byColumn, columnScale, rowScale, images));
    }
    TallMatrix images = multiply(byRow, rowScale, columnScale, subspace);
    SymmetricEigen eigen = SymmetricEigen.of(images.gramian());
    int rank = Math.min(k, rank(eigen));
    double[] values = new double[rank];
    for (int d = 0; d < rank; d++) {
      values[d] = Math.sqrt(eigen.values()[d]);
    }
    double[] ones = new double[rank];
    Arrays.fill(ones, 1);
    return new RandomizedSvd(values, subspace.times(columns(eigen, ones)));
  }

  /** The scaled matrix times a dense one: O(n w). */
  private static TallMatrix multiply(
      BinaryMatrix matrix, float[] rowScale, float[] columnScale, TallMatrix right) {
    TallMatrix product = TallMatrix.zeros(matrix.numRows(), right.width());
    TallMatrix.forEachTask(
        matrix.numRows(),
        (from, to) -> {
          float[] factors = new float[64];
          float[][] rows = new float[64][];
          for (int row = from; row < to; row++) {
            int degree = matrix.degree(row);
            if (degree > factors.length) {
              factors = new float[2 * degree];
              rows = new float[2 * degree][];
            }
            for (int s = 0; s < degree; s++) {
              int column = matrix.columns()[matrix.starts()[row] + s];
              factors[s] = rowScale[row] * columnScale[column];
              rows[s] = right.row(column);
            }
            TallMatrix.addCombination(factors, rows, degree, product.row(row));
          }
        });
    return product;
  }

  /** Orthonormal columns that span the same space. */
  private static TallMatrix orthonormal(TallMatrix matrix) {
    SymmetricEigen eigen = SymmetricEigen.of(matrix.gramian());
    double[] lengths = new double[rank(eigen)];
    for (int d = 0; d < lengths.length; d++) {
      lengths[d] = 1 / Math.sqrt(eigen.values()[d]);
    }
    return matrix.times(columns(eigen, lengths));
  }

  private static int rank(SymmetricEigen eigen) {
    int rank = 0;
    while (rank < eigen.values().length && eigen.values()[rank] > NEGLIGIBLE * eigen.values()[0]) {
      rank++;
    }
    return rank;
  }

  /** The first eigenvectors as columns, each times its factor. */
  private static float[][] columns(SymmetricEigen eigen, double[] factors) {
    float[][] columns = new float[eigen.values().length][factors.length];
    for (int d = 0; d < columns.length; d++) {
      for (int c = 0; c < factors.length; c++) {
        columns[d][c] = (float) (factors[c] * eigen.vectors()[c][d]);
      }
    }
    return columns;
  }
}
