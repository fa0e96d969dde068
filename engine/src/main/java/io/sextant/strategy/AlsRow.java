package io.sextant.strategy;

import java.util.Arrays;

/**
 * Solves the normal equations of one row by conjugate gradient, in Java: {@code (G + reg I + sum_s
 * w_s y_s y_s') x = sum_s w_s y_s} over the vectors y_s of what the row is observed with and their
 * weights. The matrix is never formed: a step costs O(D^2 + n D).
 *
 * <p>Thread safety: holds scratch memory, one for each thread.
 */
final class AlsRow {

  /** A residual whose square fell to this share of the right side's is rounding. */
  private static final float CONVERGED = 1e-12f;

  private final float[][] gramian;
  private final float[] residual;
  private final float[] direction;
  private final float[] image;
  private float[] products = new float[64];
  private float[] weights = new float[64];
  private float[][] observed = new float[64][];

  /**
   * @param gramian G (D, D), symmetric, times the weight of what is not observed
   */
  AlsRow(float[][] gramian) {
    this.gramian = gramian;
    int width = gramian.length;
    residual = new float[width];
    direction = new float[width];
    image = new float[width];
  }

  /**
   * Improves x in place.
   *
   * @param table vectors y
   * @param list rows of the table, of which [from, to) are those of this row
   * @param listWeights their weights
   * @param regularisation reg
   * @param x also the start
   * @param steps at most so many
   */
  void solve(
      TallMatrix table,
      int[] list,
      float[] listWeights,
      int from,
      int to,
      float regularisation,
      float[] x,
      int steps) {
    int count = to - from;
    if (count > observed.length) {
      observed = new float[2 * count][];
    }
    reserve(count);
    System.arraycopy(listWeights, from, weights, 0, count);
    for (int s = 0; s < count; s++) {
      observed[s] = table.row(list[from + s]);
    }
    improve(observed, count, regularisation, x, steps);
  }

  /** The same with the first {@code count} of the vectors y as they are, all of weight 1. */
  void solve(float[][] vectors, int count, float regularisation, float[] x, int steps) {
    reserve(count);
    Arrays.fill(weights, 0, count, 1);
    improve(vectors, count, regularisation, x, steps);
  }

  private void reserve(int count) {
    if (count > products.length) {
      products = new float[2 * count];
      weights = new float[2 * count];
    }
  }

  private void improve(float[][] vectors, int count, float regularisation, float[] x, int steps) {
    if (count == 0) {
      Arrays.fill(x, 0);
      return;
    }
    System.arraycopy(x, 0, direction, 0, x.length);
    multiply(vectors, count, regularisation);
    Arrays.fill(residual, 0);
    TallMatrix.addCombination(weights, vectors, count, residual);
    float enough = CONVERGED * TallMatrix.dot(residual, residual);
    TallMatrix.add(-1, image, residual);
    System.arraycopy(residual, 0, direction, 0, x.length);
    float square = TallMatrix.dot(residual, residual);
    for (int step = 0; step < steps && square > enough; step++) {
      multiply(vectors, count, regularisation);
      float size = square / TallMatrix.dot(direction, image);
      TallMatrix.add(size, direction, x);
      TallMatrix.add(-size, image, residual);
      float next = TallMatrix.dot(residual, residual);
      float keep = next / square;
      square = next;
      for (int d = 0; d < direction.length; d++) {
        direction[d] = residual[d] + keep * direction[d];
      }
    }
  }

  /** image = (G + reg I + sum_s w_s y_s y_s') direction. */
  private void multiply(float[][] vectors, int count, float regularisation) {
    Arrays.fill(image, 0);
    TallMatrix.add(regularisation, direction, image);
    TallMatrix.addCombination(direction, gramian, gramian.length, image);
    TallMatrix.dots(vectors, count, direction, products);
    for (int s = 0; s < count; s++) {
      products[s] *= weights[s];
    }
    TallMatrix.addCombination(products, vectors, count, image);
  }
}
