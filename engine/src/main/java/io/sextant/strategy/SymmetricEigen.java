package io.sextant.strategy;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix in double precision, by Jacobi rotations
 * (Golub and Van Loan, Matrix Computations, 8.5): each rotation makes one element off the diagonal
 * zero, sweeps go on until all of them are rounding. O(n^3) time for each of about ten sweeps.
 *
 * @param values descending
 * @param vectors (n, n): row k is the eigenvector of the k-th value, of length 1
 */
record SymmetricEigen(double[] values, double[][] vectors) {

  private static final int MAX_SWEEPS = 60;

  /** An element smaller than this share of the diagonal's largest changes nothing. */
  private static final double NEGLIGIBLE = 1e-15;

  /**
   * @param symmetric (n, n), left unchanged
   */
  static SymmetricEigen of(double[][] symmetric) {
    int n = symmetric.length;
    double[][] a = new double[n][];
    double[][] vectors = new double[n][n];
    for (int i = 0; i < n; i++) {
      a[i] = symmetric[i].clone();
      vectors[i][i] = 1;
    }
    boolean rotated = true;
    for (int sweep = 0; rotated && sweep < MAX_SWEEPS; sweep++) {
      rotated = sweep(a, vectors);
    }
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -a[i][i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] values = new double[n];
    double[][] sorted = new double[n][];
    for (int k = 0; k < n; k++) {
      values[k] = a[order[k]][order[k]];
      sorted[k] = vectors[order[k]];
    }
    return new SymmetricEigen(values, sorted);
  }

  private static boolean sweep(double[][] a, double[][] vectors) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(a[i][i]));
    }
    boolean rotated = false;
    for (int p = 0; p < a.length; p++) {
      for (int q = p + 1; q < a.length; q++) {
        if (Math.abs(a[p][q]) > NEGLIGIBLE * largest) {
          rotate(a, vectors, p, q);
          rotated = true;
        }
      }
    }
    return rotated;
  }

  /** Makes a[p][q] zero: rows p and q are mixed, then columns p and q. */
  private static void rotate(double[][] a, double[][] vectors, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double tangent = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double cosine = 1 / Math.sqrt(tangent * tangent + 1);
    double sine = tangent * cosine;
    mix(a[p], a[q], cosine, sine);
    for (double[] row : a) {
      double ofP = row[p];
      double ofQ = row[q];
      row[p] = cosine * ofP - sine * ofQ;
      row[q] = sine * ofP + cosine * ofQ;
    }
    a[p][q] = 0;
    a[q][p] = 0;
    mix(vectors[p], vectors[q], cosine, sine);
  }

  private static void mix(double[] p, double[] q, double cosine, double sine) {
    for (int i = 0; i < p.length; i++) {
      double ofP = p[i];
      double ofQ = q[i];
      p[i] = cosine * ofP - sine * ofQ;
      q[i] = sine * ofP + cosine * ofQ;
    }
  }
}
