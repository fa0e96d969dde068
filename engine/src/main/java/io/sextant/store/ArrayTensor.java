package io.sextant.store;

import io.sextant.InvalidInputException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A tensor whose values are in the heap. */
final class ArrayTensor implements TensorSource {

  /** Copies elements from the array into a little-endian buffer of just their size. */
  @FunctionalInterface
  interface Copy {
    void copy(int from, int count, ByteBuffer into);
  }

  private final TensorSpec spec;
  private final Copy copy;

  ArrayTensor(TensorSpec spec, int length, Copy copy) {
    if (spec.elements() != length) {
      throw new InvalidInputException(
          "tensor %s of shape %s needs %d values but got %d"
              .formatted(Text.quote(spec.name()), spec.shape(), spec.elements(), length));
    }
    this.spec = spec;
    this.copy = copy;
  }

  @Override
  public TensorSpec spec() {
    return spec;
  }

  @Override
  public void readRows(long firstRow, int rows, ByteBuffer into) {
    int bytes = spec.bytesOfRows(firstRow, rows);
    if (into.remaining() < bytes) {
      throw new BufferOverflowException();
    }
    ByteBuffer slice = into.slice(into.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    copy.copy(at(spec, firstRow), bytes / spec.type().bytes(), slice);
    into.position(into.position() + bytes);
  }

  /** The index of a row's first element in an array of all values. */
  static int at(TensorSpec spec, long row) {
    return Math.toIntExact(row * spec.rowElements());
  }

  /** The length of an array for all values, if the type is the one that is asked for. */
  static int length(TensorSpec spec, TensorType type) {
    if (spec.type() != type) {
      throw new InvalidInputException(
          "tensor %s is of type %s, not %s".formatted(Text.quote(spec.name()), spec.type(), type));
    }
    if (spec.elements() > Integer.MAX_VALUE - 8) {
      throw new InvalidInputException(
          "tensor %s has %d values, too many for one array: read it in chunks"
              .formatted(Text.quote(spec.name()), spec.elements()));
    }
    return (int) spec.elements();
  }
}
