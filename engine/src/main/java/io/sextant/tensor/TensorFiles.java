package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.store.TensorSource;
import io.sextant.store.TensorSpec;
import io.sextant.store.TensorType;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Moves tensors between native memory and files in chunks of rows, on whatever device they are. */
public final class TensorFiles {

  private static final int CHUNK_BYTES = 1 << 24;

  private TensorFiles() {}

  /**
   * The array as a source that a file is written from. It reads the live array: the array must stay
   * open and unchanged until the file is written.
   */
  public static TensorSource source(String name, NDArray array) {
    TensorSpec spec = TensorSpec.of(name, typeOf(array.getDataType()), array.getShape().getShape());
    return new ArraySource(spec, array);
  }

  /** Reads a float32 tensor into a new array. */
  public static NDArray load(NDManager manager, TensorSource source) {
    NDArray array = manager.create(new Shape(source.spec().dimensions()), DataType.FLOAT32);
    loadInto(array, source);
    return array;
  }

  /**
   * Reads a float32 tensor over an array of the same shape.
   *
   * @throws InvalidInputException if type or shape differ
   */
  public static void loadInto(NDArray array, TensorSource source) {
    TensorSpec spec = source.spec();
    if (spec.type() != TensorType.F32
        || array.getDataType() != DataType.FLOAT32
        || !Arrays.equals(spec.dimensions(), array.getShape().getShape())) {
      throw new InvalidInputException(
          "tensor '%s' is %s %s in the file but %s %s is needed"
              .formatted(
                  spec.name(), spec.type(), spec.shape(), array.getDataType(), array.getShape()));
    }
    if (spec.dimensions().length == 0) {
      array.set(source.toFloats());
      return;
    }
    NDManager manager = array.getManager();
    source.forEachChunk(
        CHUNK_BYTES,
        (first, rows, chunk) -> {
          long[] shape = spec.dimensions();
          shape[0] = rows;
          try (NDArray part =
              HostArrays.create(
                  manager, new Shape(shape), DataType.FLOAT32, memory -> memory.put(chunk))) {
            array.set(new NDIndex("{}:{}", first, first + rows), part);
          }
        });
  }

  private static TensorType typeOf(DataType type) {
    return switch (Dtypes.checkSupported(type)) {
      case FLOAT32 -> TensorType.F32;
      case FLOAT64 -> TensorType.F64;
      case FLOAT16 -> TensorType.F16;
      case INT64 -> TensorType.I64;
      case INT32 -> TensorType.I32;
      case UINT8 -> TensorType.U8;
      case INT8 -> TensorType.I8;
      case BOOLEAN -> TensorType.BOOL;
      default -> throw new InvalidInputException("data type " + type + " cannot be stored");
    };
  }

  private record ArraySource(TensorSpec spec, NDArray array) implements TensorSource {

    @Override
    public void readRows(long firstRow, int rows, ByteBuffer into) {
      if (spec.dimensions().length == 0) {
        into.put(array.toByteBuffer(false));
        return;
      }
      try (NDManager temporary = array.getManager().newSubManager()) {
        NDArray part = array.get(temporary, new NDIndex("{}:{}", firstRow, firstRow + rows));
        if (part.getDevice().isGpu()) {
          part = part.toDevice(ai.djl.Device.cpu(), true);
          part.attach(temporary);
        }
        into.put(part.toByteBuffer(true));
      }
    }
  }
}
