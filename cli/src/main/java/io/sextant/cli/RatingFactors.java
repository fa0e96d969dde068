package io.sextant.cli;

import io.sextant.tensor.CounterRandom;

/**
 * Factor analysis of ratings of which most are missing: a rating is the item's mean plus z'v with z
 * ~ N(0, I) of the user and v of the item, plus noise. Fitted by expectation maximisation (Tipping
 * and Bishop, JRSS B 1999) with a normal prior on the items' factors, around the mean of the first
 * one, which is the user's general mood, and around 0 of the others.
 *
 * @param means (I)
 * @param factors (I * K)
 * @param noise variance
 */
record RatingFactors(double[] means, double[][] factors, double noise) {

  private static final int WIDTH = 6;
  private static final int STEPS = 20;
  private static final double PRIOR = 5;
  private static final double FIRST_MOOD = 2;
  private static final double FIRST_NOISE = 15;

  /**
   * Learns from rows of ratings.
   *
   * @param rows for each user I ratings less the means, NaN where missing
   */
  static RatingFactors fit(double[] means, double[][] rows, long seed) {
    int items = means.length;
    CounterRandom random = new CounterRandom(seed, "rating-factors", 0);
    double[][] factors = new double[items][WIDTH];
    for (double[] factor : factors) {
      factor[0] = FIRST_MOOD;
      for (int k = 1; k < WIDTH; k++) {
        factor[k] = 0.5 * random.nextGaussian();
      }
    }
    double noise = FIRST_NOISE;
    for (int step = 0; step < STEPS; step++) {
      double[][][] left = new double[items][WIDTH][WIDTH];
      double[][] right = new double[items][WIDTH];
      double[][] posteriors = new double[rows.length][];
      double[][][] spreads = new double[rows.length][][];
      double mood = 0;
      for (double[] factor : factors) {
        mood += factor[0] / items;
      }
      for (int i = 0; i < items; i++) {
        right[i][0] = PRIOR * mood * noise;
        for (int k = 0; k < WIDTH; k++) {
          left[i][k][k] = PRIOR * noise;
        }
      }
      for (int u = 0; u < rows.length; u++) {
        double[][] spread = inverse(precision(factors, noise, rows[u]));
        double[] z = posterior(factors, noise, rows[u], spread);
        posteriors[u] = z;
        spreads[u] = spread;
        for (int i = 0; i < items; i++) {
          if (!Double.isNaN(rows[u][i])) {
            for (int a = 0; a < WIDTH; a++) {
              right[i][a] += rows[u][i] * z[a];
              for (int b = 0; b < WIDTH; b++) {
                left[i][a][b] += spread[a][b] + z[a] * z[b];
              }
            }
          }
        }
      }
      for (int i = 0; i < items; i++) {
        factors[i] = times(inverse(left[i]), right[i]);
      }
      noise = residual(factors, rows, posteriors, spreads);
    }
    return new RatingFactors(means, factors, noise);
  }

  /**
   * What a user would rate all items.
   *
   * @param row ratings less the means, NaN where missing
   */
  double[] predict(double[] row) {
    double[] z = posterior(factors, noise, row, inverse(precision(factors, noise, row)));
    double[] ratings = means.clone();
    for (int i = 0; i < ratings.length; i++) {
      ratings[i] += dot(factors[i], z);
    }
    return ratings;
  }

  private static double residual(
      double[][] factors, double[][] rows, double[][] posteriors, double[][][] spreads) {
    double sum = 0;
    long count = 0;
    for (int u = 0; u < rows.length; u++) {
      for (int i = 0; i < factors.length; i++) {
        if (!Double.isNaN(rows[u][i])) {
          double off = rows[u][i] - dot(factors[i], posteriors[u]);
          sum += off * off + dot(factors[i], times(spreads[u], factors[i]));
          count++;
        }
      }
    }
    return sum / count;
  }

  private static double[][] precision(double[][] factors, double noise, double[] row) {
    double[][] matrix = new double[WIDTH][WIDTH];
    for (int a = 0; a < WIDTH; a++) {
      matrix[a][a] = 1;
    }
    for (int i = 0; i < row.length; i++) {
      if (!Double.isNaN(row[i])) {
        for (int a = 0; a < WIDTH; a++) {
          for (int b = 0; b < WIDTH; b++) {
            matrix[a][b] += factors[i][a] * factors[i][b] / noise;
          }
        }
      }
    }
    return matrix;
  }

  private static double[] posterior(
      double[][] factors, double noise, double[] row, double[][] spread) {
    double[] pull = new double[WIDTH];
    for (int i = 0; i < row.length; i++) {
      if (!Double.isNaN(row[i])) {
        for (int a = 0; a < WIDTH; a++) {
          pull[a] += factors[i][a] * row[i] / noise;
        }
      }
    }
    return times(spread, pull);
  }

  /** The inverse of a positive definite matrix, by Gauss and Jordan without a pivot. */
  private static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] left = new double[n][];
    double[][] inverse = new double[n][n];
    for (int i = 0; i < n; i++) {
      left[i] = matrix[i].clone();
      inverse[i][i] = 1;
    }
    for (int p = 0; p < n; p++) {
      double pivot = left[p][p];
      for (int j = 0; j < n; j++) {
        left[p][j] /= pivot;
        inverse[p][j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        double factor = left[i][p];
        if (i != p) {
          for (int j = 0; j < n; j++) {
            left[i][j] -= factor * left[p][j];
            inverse[i][j] -= factor * inverse[p][j];
          }
        }
      }
    }
    return inverse;
  }

  private static double[] times(double[][] matrix, double[] vector) {
    double[] product = new double[vector.length];
    for (int i = 0; i < product.length; i++) {
      product[i] = dot(matrix[i], vector);
    }
    return product;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
