package io.sextant.strategy;

import io.sextant.data.Interactions;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/** Small dense matrices in double precision, computed the plain way. */
final class DenseOracle {

  private DenseOracle() {}

  /** Each user has each item with a probability that falls with the item's index. */
  static Interactions random(long seed, int users, int items) {
    Random random = new Random(seed);
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", users), StrategyContract.ids("i", items));
    for (int user = 0; user < users; user++) {
      for (int item = 0; item < items; item++) {
        if (random.nextDouble() < 0.6 / (1 + 6.0 * item / items)) {
          StrategyContract.add(rows, user, item, 1000L * random.nextInt(100));
        }
      }
    }
    return rows.build();
  }

  /** Zeros and ones. */
  static double[][] matrix(Interactions interactions) {
    double[][] matrix = new double[interactions.numUsers()][interactions.numItems()];
    for (int user = 0; user < matrix.length; user++) {
      for (int item : interactions.seenOf(user)) {
        matrix[user][item] = 1;
      }
    }
    return matrix;
  }

  static double[][] transpose(double[][] a) {
    double[][] t = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        t[j][i] = a[i][j];
      }
    }
    return t;
  }

  static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b[0].length; j++) {
        for (int k = 0; k < b.length; k++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  /** Gauss and Jordan's elimination with row pivoting, on a copy. */
  static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] a = new double[n][2 * n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(matrix[i], 0, a[i], 0, n);
      a[i][n + i] = 1;
    }
    for (int k = 0; k < n; k++) {
      int best = k;
      for (int i = k + 1; i < n; i++) {
        best = Math.abs(a[i][k]) > Math.abs(a[best][k]) ? i : best;
      }
      double[] swap = a[k];
      a[k] = a[best];
      a[best] = swap;
      double pivot = a[k][k];
      for (int j = 0; j < 2 * n; j++) {
        a[k][j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        double factor = a[i][k];
        for (int j = 0; i != k && j < 2 * n; j++) {
          a[i][j] -= factor * a[k][j];
        }
      }
    }
    double[][] inverse = new double[n][n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(a[i], n, inverse[i], 0, n);
    }
    return inverse;
  }

  /** Runs the work so that its parallel streams use so many threads. */
  static <T> T onThreads(int threads, Supplier<T> work) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(work::get).join();
    } finally {
      pool.shutdown();
    }
  }
}
