package io.sextant.store;

import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A tensor whose values are handed over in chunks of rows, so that it never has to be in the heap
 * at once and can be larger than 2 GiB. The writers take it, the readers give it.
 *
 * <p>Thread safety: that of the implementation; those that this package gives may be read by many
 * threads at once.
 */
public interface TensorSource {

  /** Receives the chunks of {@link #forEachChunk}. */
  @FunctionalInterface
  interface ChunkConsumer {

    /**
     * Takes one chunk.
     *
     * @param firstRow the chunk's first row
     * @param rows how many rows it has
     * @param chunk their values, little endian, from position 0 to the limit; valid during this
     *     call only
     */
    void accept(long firstRow, int rows, ByteBuffer chunk);
  }

  /** Name, type and shape. */
  TensorSpec spec();

  /**
   * Puts the values of some rows into a buffer, little endian whatever the buffer's order, from its
   * position on, and advances the position by exactly {@code rows * spec().rowBytes()}.
   *
   * @throws IndexOutOfBoundsException if there are no such rows
   * @throws java.nio.BufferOverflowException if the buffer has no room for them
   */
  void readRows(long firstRow, int rows, ByteBuffer into);

  /**
   * Reads the whole tensor in chunks of at most the given size, but at least one row, through one
   * direct little-endian buffer. An empty tensor has no chunks.
   */
  default void forEachChunk(int chunkBytes, ChunkConsumer consumer) {
    TensorSpec spec = spec();
    if (spec.bytes() == 0) {
      return;
    }
    int chunkRows = SafetensorsWriter.chunkRows(spec, chunkBytes);
    ByteBuffer chunk =
        ByteBuffer.allocateDirect(spec.bytesOfRows(0, chunkRows)).order(ByteOrder.LITTLE_ENDIAN);
    for (long row = 0; row < spec.rows(); row += chunkRows) {
      int rows = (int) Math.min(chunkRows, spec.rows() - row);
      chunk.clear();
      readRows(row, rows, chunk);
      consumer.accept(row, rows, chunk.flip());
    }
  }

  /** All values of an F32 tensor, row after row, for tensors that fit into an array. */
  default float[] toFloats() {
    float[] values = new float[ArrayTensor.length(spec(), TensorType.F32)];
    forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (row, rows, chunk) ->
            chunk.asFloatBuffer().get(values, ArrayTensor.at(spec(), row), chunk.remaining() / 4));
    return values;
  }

  /** All values of an F64 tensor, row after row, for tensors that fit into an array. */
  default double[] toDoubles() {
    double[] values = new double[ArrayTensor.length(spec(), TensorType.F64)];
    forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (row, rows, chunk) ->
            chunk.asDoubleBuffer().get(values, ArrayTensor.at(spec(), row), chunk.remaining() / 8));
    return values;
  }

  /** All values of an I32 tensor, row after row, for tensors that fit into an array. */
  default int[] toInts() {
    int[] values = new int[ArrayTensor.length(spec(), TensorType.I32)];
    forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (row, rows, chunk) ->
            chunk.asIntBuffer().get(values, ArrayTensor.at(spec(), row), chunk.remaining() / 4));
    return values;
  }

  /** All values of an I64 tensor, row after row, for tensors that fit into an array. */
  default long[] toLongs() {
    long[] values = new long[ArrayTensor.length(spec(), TensorType.I64)];
    forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (row, rows, chunk) ->
            chunk.asLongBuffer().get(values, ArrayTensor.at(spec(), row), chunk.remaining() / 8));
    return values;
  }

  /**
   * An F32 tensor over an array, which is not copied.
   *
   * @param shape the dimensions, whose product is the array's length; none for a scalar
   */
  static TensorSource of(String name, float[] values, long... shape) {
    return new ArrayTensor(
        TensorSpec.of(name, TensorType.F32, shape),
        values.length,
        (from, count, into) -> into.asFloatBuffer().put(values, from, count));
  }

  /** An F64 tensor over an array, which is not copied. */
  static TensorSource of(String name, double[] values, long... shape) {
    return new ArrayTensor(
        TensorSpec.of(name, TensorType.F64, shape),
        values.length,
        (from, count, into) -> into.asDoubleBuffer().put(values, from, count));
  }

  /** An I32 tensor over an array, which is not copied. */
  static TensorSource of(String name, int[] values, long... shape) {
    return new ArrayTensor(
        TensorSpec.of(name, TensorType.I32, shape),
        values.length,
        (from, count, into) -> into.asIntBuffer().put(values, from, count));
  }

  /** An I64 tensor over an array, which is not copied. */
  static TensorSource of(String name, long[] values, long... shape) {
    return new ArrayTensor(
        TensorSpec.of(name, TensorType.I64, shape),
        values.length,
        (from, count, into) -> into.asLongBuffer().put(values, from, count));
  }

  /** A tensor of any type over its little-endian bytes (position to limit), not copied. */
  static TensorSource of(TensorSpec spec, ByteBuffer littleEndian) {
    Objects.requireNonNull(spec, "spec");
    ByteBuffer bytes = littleEndian.slice();
    int size = spec.type().bytes();
    if (bytes.limit() != spec.bytes()) {
      throw new InvalidInputException(
          "tensor %s of shape %s needs %d bytes but got %d"
              .formatted(Text.quote(spec.name()), spec.shape(), spec.bytes(), bytes.limit()));
    }
    return new ArrayTensor(
        spec,
        bytes.limit() / size,
        (from, count, into) -> into.put(bytes.slice(from * size, count * size)));
  }
}
