package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.OpenBlas;
import java.nio.ByteBuffer;

/**
 * Inner products of the rows of two matrices on the CPU, by OpenBLAS, computed by whichever thread
 * asks for them.
 *
 * <p>Thread safety: safe. The matrices must stay open and unchanged.
 */
public final class RowProducts {

  private final OpenBlas blas;
  private final ByteBuffer left;
  private final ByteBuffer right;
  private final int width;

  /**
   * Reads where the matrices are; one that is not contiguous is copied.
   *
   * @param left (M, D) float32 on the CPU, at most 2 GiB
   * @param right (N, D) likewise
   * @throws InvalidInputException if they are not, or there is no OpenBLAS
   */
  public RowProducts(NDArray left, NDArray right) {
    this.blas =
        OpenBlas.shared()
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "no OpenBLAS in this process: add org.bytedeco:openblas with the classifier of the platform"));
    for (NDArray matrix : new NDArray[] {left, right}) {
      Dtypes.require(matrix, DataType.FLOAT32, "matrix");
      if (!fits(matrix) || matrix.getShape().dimension() != 2) {
        throw new InvalidInputException(
            "a matrix of at most 2 GiB is needed but the shape was " + matrix.getShape());
      }
    }
    this.width = Math.toIntExact(left.getShape().get(1));
    if (right.getShape().get(1) != width) {
      throw new InvalidInputException(
          "rows must be equally wide but the shapes were %s and %s"
              .formatted(left.getShape(), right.getShape()));
    }
    this.left = left.toByteBuffer(true);
    this.right = right.toByteBuffer(true);
  }

  /** Whether this process has OpenBLAS. */
  public static boolean available() {
    return OpenBlas.shared().isPresent();
  }

  /** Whether a matrix is small enough. */
  public static boolean fits(NDArray matrix) {
    return matrix.getShape().size() * Float.BYTES <= Integer.MAX_VALUE;
  }

  /**
   * Computes the products of some rows with some others.
   *
   * @param into a direct buffer with room for {@code numLeft * numRight} floats from its position,
   *     which receives them row after row of the left matrix
   * @throws IndexOutOfBoundsException if the rows or the room are not there
   */
  public void compute(int firstLeft, int numLeft, int firstRight, int numRight, ByteBuffer into) {
    long a = address(left, firstLeft, numLeft);
    long b = address(right, firstRight, numRight);
    if (into.remaining() < (long) numLeft * numRight * Float.BYTES) {
      throw new IndexOutOfBoundsException(
          "%d bytes for %d x %d floats".formatted(into.remaining(), numLeft, numRight));
    }
    blas.multiply(numLeft, numRight, width, a, b, OpenBlas.address(into) + into.position());
  }

  private long address(ByteBuffer matrix, int first, int rows) {
    long rowBytes = (long) width * Float.BYTES;
    if (first < 0 || rows < 1 || (first + (long) rows) * rowBytes > matrix.capacity()) {
      throw new IndexOutOfBoundsException(
          "rows %d to %d of %d".formatted(first, first + rows, matrix.capacity() / rowBytes));
    }
    return OpenBlas.address(matrix) + first * rowBytes;
  }
}
