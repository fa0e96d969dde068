package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.List;

/**
 * Clips gradients by their global norm: if the norm over all of them together is above the limit,
 * all are scaled down by the same factor. Source: Pascanu, Mikolov and Bengio, ICML 2013.
 */
public final class GradientClipping {

  private GradientClipping() {}

  /**
   * Scales the gradients in place.
   *
   * @return the norm before clipping; NaN or infinite if a gradient is, and then nothing is scaled
   */
  public static double clipByGlobalNorm(List<NDArray> gradients, double limit) {
    double norm = globalNorm(gradients);
    if (norm > limit && Double.isFinite(norm)) {
      float factor = (float) (limit / norm);
      for (NDArray gradient : gradients) {
        gradient.muli(factor);
      }
    }
    return norm;
  }

  /** {@link #clipByGlobalNorm} for gradients in Java's memory. */
  public static double clipRowsByGlobalNorm(List<RowGradient> gradients, double limit) {
    double sum = 0;
    for (RowGradient rows : gradients) {
      int width = rows.dimension();
      for (int k = 0; k < rows.size(); k++) {
        sum += InnerProduct.of(rows.gradient(), k * width, rows.gradient(), k * width, width);
      }
    }
    double norm = Math.sqrt(sum);
    if (norm > limit && Double.isFinite(norm)) {
      float factor = (float) (limit / norm);
      for (RowGradient rows : gradients) {
        float[] gradient = rows.gradient();
        int end = rows.size() * rows.dimension();
        for (int i = 0; i < end; i++) {
          gradient[i] *= factor;
        }
      }
    }
    return norm;
  }

  /** The square root of the sum of all squares, read back as one scalar. */
  public static double globalNorm(List<NDArray> gradients) {
    if (gradients.isEmpty()) {
      return 0;
    }
    NDList squares = new NDList();
    for (NDArray gradient : gradients) {
      try (NDArray square = gradient.square()) {
        squares.add(square.sum());
      }
    }
    try (NDArray all = NDArrays.stack(squares);
        NDArray sum = all.sum()) {
      return Math.sqrt(sum.getFloat());
    } finally {
      squares.close();
    }
  }
}
