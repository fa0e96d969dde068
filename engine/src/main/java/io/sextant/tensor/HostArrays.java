package io.sextant.tensor;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.nativeconfig.HugePages;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.Consumer;

/**
 * Copies between Java arrays and tensors without garbage outside the heap.
 *
 * <p>DJL's {@code create(float[])} allocates a direct buffer for every array and leaves it to the
 * garbage collector, so that a fast training loop outruns it; here libtorch allocates and Java
 * writes into its memory.
 */
public final class HostArrays {

  /** Of a buffer, which has an int's capacity. */
  private static final long MAX_PART_BYTES = 1 << 30;

  private HostArrays() {}

  /** A float32 tensor with these values. */
  public static NDArray floats(NDManager manager, float[] values, long... shape) {
    return create(
        manager,
        filled(values.length, shape),
        DataType.FLOAT32,
        b -> b.asFloatBuffer().put(values));
  }

  /** An int64 tensor with these values: what libtorch wants for indices. */
  public static NDArray longs(NDManager manager, int[] values, long... shape) {
    return create(
        manager,
        filled(values.length, shape),
        DataType.INT64,
        b -> {
          var longs = b.asLongBuffer();
          for (int i = 0; i < values.length; i++) {
            longs.put(i, values[i]);
          }
        });
  }

  /** A float64 tensor with these values. */
  public static NDArray doubles(NDManager manager, double[] values, long... shape) {
    return create(
        manager,
        filled(values.length, shape),
        DataType.FLOAT64,
        b -> b.asDoubleBuffer().put(values));
  }

  /** A boolean tensor with these values (1 true, 0 false). */
  public static NDArray booleans(NDManager manager, byte[] values, long... shape) {
    return create(manager, filled(values.length, shape), DataType.BOOLEAN, b -> b.put(values));
  }

  /** A tensor whose memory is written by {@code fill}, little endian, on whatever device. */
  public static NDArray create(
      NDManager manager, Shape shape, DataType type, Consumer<ByteBuffer> fill) {
    Dtypes.checkSupported(type);
    if (!manager.getDevice().isGpu()) {
      NDArray array = manager.create(shape, type);
      fillHost(array, fill);
      return array;
    }
    try (NDManager host = manager.newSubManager(Device.cpu())) {
      NDArray staged = host.create(shape, type);
      fillHost(staged, fill);
      NDArray array = staged.toDevice(manager.getDevice(), true);
      array.attach(manager);
      return array;
    }
  }

  /**
   * The memory of a contiguous float32 tensor on the CPU: reads and writes go straight through.
   * Valid as long as the tensor is open.
   */
  public static FloatBuffer view(NDArray array) {
    Dtypes.require(array, DataType.FLOAT32, "array");
    return array.toByteBuffer(true).asFloatBuffer();
  }

  /**
   * Says that rows of a large table will be read here and there for long: on the CPU its memory is
   * asked for in large pages. Its content stays as it is.
   *
   * @param table contiguous, with at least one dimension
   * @return the table
   */
  public static NDArray readHereAndThere(NDArray table) {
    if (table.getDevice().isGpu() || table.isEmpty()) {
      return table;
    }
    long rows = table.getShape().get(0);
    long rowBytes = table.size() / rows * table.getDataType().getNumOfBytes();
    long part = Math.max(1, MAX_PART_BYTES / rowBytes);
    for (long from = 0; from < rows; from += part) {
      long to = Math.min(rows, from + part);
      try (NDArray view = table.get(new NDIndex().addSliceDim(from, to))) {
        HugePages.ask(view.toByteBuffer(true));
      }
    }
    return table;
  }

  /** Reads a float32 tensor into a Java array. */
  public static float[] toFloats(NDArray array) {
    float[] values = new float[Math.toIntExact(array.size())];
    if (values.length > 0) {
      if (array.getDevice().isGpu()) {
        try (NDArray host = array.toDevice(Device.cpu(), true)) {
          view(host).get(values);
        }
      } else {
        view(array).get(values);
      }
    }
    return values;
  }

  /** Reads a float64 tensor into a Java array. */
  public static double[] toDoubles(NDArray array) {
    Dtypes.require(array, DataType.FLOAT64, "array");
    double[] values = new double[Math.toIntExact(array.size())];
    if (values.length > 0) {
      if (array.getDevice().isGpu()) {
        try (NDArray host = array.toDevice(Device.cpu(), true)) {
          host.toByteBuffer(true).asDoubleBuffer().get(values);
        }
      } else {
        array.toByteBuffer(true).asDoubleBuffer().get(values);
      }
    }
    return values;
  }

  /** The shape, which so many values fill: memory that none is written to is not cleared. */
  private static Shape filled(int numValues, long... dimensions) {
    Shape shape = new Shape(dimensions);
    if (shape.size() != numValues) {
      throw new InvalidInputException(
          "%d values do not fill a tensor of shape %s".formatted(numValues, shape));
    }
    return shape;
  }

  private static void fillHost(NDArray array, Consumer<ByteBuffer> fill) {
    if (array.size() > 0) {
      fill.accept(array.toByteBuffer(true));
    }
  }
}
