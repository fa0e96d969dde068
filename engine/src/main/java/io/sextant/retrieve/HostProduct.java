package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import io.sextant.tensor.Scope;
import java.nio.IntBuffer;

/**
 * Inner products of two sets of rows on the CPU.
 *
 * <p>Design. libtorch hands matrix products to MKL, which does not use the wide instructions of
 * other vendors' processors, and convolutions to oneDNN, which does. A product of rows is a
 * convolution whose kernel is one pixel: queries are pixels with D channels, items are kernels, and
 * with the channels innermost both have the layout of their matrices already. For many queries it
 * ran at twice the speed of the matrix product on such a processor; for few, preparing the kernels
 * costs more than it gains.
 *
 * <p>Thread safety: stateless.
 */
final class HostProduct {

  private static final int MIN_ROWS = 64;
  private static final int MIN_WIDTH = 16;

  /** libtorch gives a single image to oneDNN only if it has more numbers than this. */
  private static final int MIN_SINGLE_IMAGE = 20480;

  private static final int MAX_IMAGES = 8;

  private static final Shape ONE = new Shape(1, 1);
  private static final Shape ZERO = new Shape(0, 0);

  private HostProduct() {}

  /**
   * Multiplies.
   *
   * @param queries (b, D) float32
   * @param items (w, D) float32
   * @param scope owns the result
   * @return the bits of the (b, w) scores, row after row: the tensor's own memory, valid until the
   *     scope closes
   */
  static IntBuffer bits(NDArray queries, NDArray items, Scope scope) {
    long b = queries.getShape().get(0);
    long w = items.getShape().get(0);
    long d = queries.getShape().get(1);
    long images = images(b, d);
    NDArray scores;
    if (images == 0) {
      scores = scope.adopt(queries.matMul(scope.adopt(items.transpose())));
    } else {
      NDArray pixels = channelsLast(queries.reshape(images, 1, b / images, d), scope);
      NDArray kernels = channelsLast(items.reshape(w, 1, 1, d), scope);
      NDList out = Conv2d.conv2d(pixels, kernels, null, ONE, ZERO, ONE, 1);
      out.attach(scope.manager());
      NDArray rows = scope.adopt(out.singletonOrThrow().transpose(0, 2, 3, 1));
      // A view if the result is channels-last as well, as it should be, and a copy if not.
      scores = scope.adopt(rows.reshape(b, w));
    }
    return scores.toByteBuffer(true).asIntBuffer();
  }

  /** Into how many images the queries are cut, or 0 for the matrix product. */
  private static long images(long rows, long width) {
    if (rows < MIN_ROWS || width < MIN_WIDTH) {
      return 0;
    }
    if (rows * width > MIN_SINGLE_IMAGE) {
      return 1;
    }
    for (long images = 2; images <= MAX_IMAGES; images++) {
      if (rows % images == 0) {
        return images;
      }
    }
    return 0;
  }

  /** Gives (n, h, w, c) memory the shape (n, c, h, w). */
  private static NDArray channelsLast(NDArray array, Scope scope) {
    return scope.adopt(scope.adopt(array).transpose(0, 3, 1, 2));
  }
}
