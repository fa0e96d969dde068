package io.sextant.tensor;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;

/**
 * Numbers as operands of operations that must not wait for the device.
 *
 * <p>DJL's {@code array.mul(number)} and its like copy the number to the device first, and the copy
 * waits until all that was asked of the device before is done. An array without dimensions on the
 * CPU goes to libtorch's operations on any device as an argument, without a copy.
 */
public final class Numbers {

  private Numbers() {}

  /** A float32 number on the CPU that belongs to the manager. */
  public static NDArray of(NDManager manager, float value) {
    return number(manager, value, DataType.FLOAT32);
  }

  /** An int64 number on the CPU, exact up to 2^53, that belongs to the manager. */
  public static NDArray of(NDManager manager, long value) {
    return number(manager, value, DataType.INT64);
  }

  private static NDArray number(NDManager manager, double value, DataType type) {
    return JniUtils.full(
        (PtNDManager) manager, new Shape(), value, type, Device.cpu(), SparseFormat.DENSE);
  }
}
