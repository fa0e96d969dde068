package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostArrays;
import java.nio.FloatBuffer;

/**
 * Reads item vectors out of a tensor's own memory on the CPU, so that they need not be there twice.
 *
 * <p>Thread safety: safe, as long as the tensor is open.
 */
final class ItemRows {

  private final FloatBuffer memory;
  private final int width;

  /**
   * @param vectors (I, D), contiguous, on the CPU, at most 2 GiB
   */
  ItemRows(NDArray vectors) {
    memory = HostArrays.view(vectors);
    width = Math.toIntExact(vectors.getShape().get(1));
  }

  int width() {
    return width;
  }

  /** Copies one item's vector. */
  void read(int item, float[] into) {
    memory.get(item * width, into, 0, width);
  }

  /** Copies the vectors of some items. */
  float[][] read(int[] items) {
    float[][] rows = new float[items.length][width];
    for (int i = 0; i < items.length; i++) {
      read(items[i], rows[i]);
    }
    return rows;
  }
}
