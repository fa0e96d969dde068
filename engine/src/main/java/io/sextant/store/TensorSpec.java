package io.sextant.store;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a stored tensor is, apart from its values: name, element type and shape.
 *
 * <p>A tensor is read and written in rows, the slices along its first dimension. A scalar (empty
 * shape) is one row of one element.
 *
 * <p>Thread safety: immutable.
 *
 * @param name 1 to 1024 characters of well-formed text without control characters, not
 *     "__metadata__"
 * @param type the element type
 * @param shape the dimensions, each &gt;= 0, at most 32; empty for a scalar
 */
public record TensorSpec(String name, TensorType type, List<Long> shape) {

  /** The most bytes that one row can have: a chunk must fit into one buffer. */
  public static final long MAX_ROW_BYTES = 1L << 30;

  private static final int MAX_NAME = 1024;
  private static final int MAX_DIMENSIONS = 32;

  /**
   * Checks the name and that the size does not overflow.
   *
   * @throws InvalidInputException if the name or the shape cannot be used
   */
  public TensorSpec {
    shape = List.copyOf(shape);
    if (name.isEmpty()
        || name.length() > MAX_NAME
        || name.equals(SafetensorsHeader.METADATA)
        || !Text.isWellFormed(name)
        || name.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidInputException(
          "a tensor's name must be 1 to "
              + MAX_NAME
              + " characters of well-formed text without control characters, not "
              + SafetensorsHeader.METADATA
              + ", but was "
              + Text.quote(name));
    }
    if (shape.size() > MAX_DIMENSIONS) {
      throw new InvalidInputException(
          "tensor "
              + Text.quote(name)
              + " has "
              + shape.size()
              + " dimensions: at most "
              + MAX_DIMENSIONS
              + " can be used");
    }
    // Zero dimensions count as one here, since strides are computed from the others even then.
    long rowBytes = type.bytes();
    long bytes = type.bytes();
    for (int i = 0; i < shape.size(); i++) {
      long d = shape.get(i);
      if (d < 0) {
        throw new InvalidInputException(
            "tensor "
                + Text.quote(name)
                + " has a negative dimension in its shape "
                + shape
                + ": dimensions must be >= 0");
      }
      try {
        bytes = Math.multiplyExact(bytes, Math.max(1, d));
        rowBytes = i == 0 ? rowBytes : Math.multiplyExact(rowBytes, Math.max(1, d));
      } catch (ArithmeticException e) {
        throw new InvalidInputException(
            "tensor " + Text.quote(name) + " of shape " + shape + " is larger than 2^63 bytes", e);
      }
    }
    if (rowBytes > MAX_ROW_BYTES) {
      throw new InvalidInputException(
          "one row of tensor "
              + Text.quote(name)
              + " of shape "
              + shape
              + " takes "
              + rowBytes
              + " bytes, more than "
              + MAX_ROW_BYTES
              + ": store it with a longer first dimension");
    }
  }

  /** The spec of a tensor with the given dimensions; none for a scalar. */
  public static TensorSpec of(String name, TensorType type, long... shape) {
    List<Long> dimensions = new ArrayList<>(shape.length);
    for (long d : shape) {
      dimensions.add(d);
    }
    return new TensorSpec(name, type, dimensions);
  }

  /** The number of rows: the first dimension, 1 for a scalar. */
  public long rows() {
    return shape.isEmpty() ? 1 : shape.get(0);
  }

  /** The number of elements in one row. */
  public long rowElements() {
    long elements = 1;
    for (int i = 1; i < shape.size(); i++) {
      elements *= shape.get(i);
    }
    return elements;
  }

  /** The size of one row in bytes, at most {@link #MAX_ROW_BYTES}. */
  public int rowBytes() {
    return (int) (rowElements() * type.bytes());
  }

  /** The number of elements. */
  public long elements() {
    return rows() * rowElements();
  }

  /** The size of all values in bytes. */
  public long bytes() {
    return elements() * type.bytes();
  }

  /** The dimensions as a fresh array, as tensor libraries want them. */
  public long[] dimensions() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * The size in bytes of a range of rows, which is checked.
   *
   * @throws IndexOutOfBoundsException if the rows are not there or do not fit into one buffer
   */
  public int bytesOfRows(long firstRow, int rows) {
    if (firstRow < 0 || rows < 0 || firstRow > rows() - rows) {
      throw new IndexOutOfBoundsException(
          "rows %d to %d of tensor %s, which has %d"
              .formatted(firstRow, firstRow + rows, Text.quote(name), rows()));
    }
    long bytes = (long) rows * rowBytes();
    if (bytes > Integer.MAX_VALUE) {
      throw new IndexOutOfBoundsException(
          "%d rows of tensor %s take %d bytes: read fewer at a time"
              .formatted(rows, Text.quote(name), bytes));
    }
    return (int) bytes;
  }
}
