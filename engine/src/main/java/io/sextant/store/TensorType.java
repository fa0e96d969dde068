package io.sextant.store;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * The element types that a stored tensor can have. The names are those of the safetensors format.
 * The list is closed on purpose: libtorch's Java binding aborts the whole JVM on every other type.
 *
 * <p>Thread safety: immutable.
 */
public enum TensorType {
  F32(4),
  F64(8),
  F16(2),
  I64(8),
  I32(4),
  U8(1),
  I8(1),
  /** One byte per element, 0 or 1. */
  BOOL(1);

  private final int bytes;

  TensorType(int bytes) {
    this.bytes = bytes;
  }

  /** The size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /**
   * The type with the given safetensors name.
   *
   * @throws InvalidInputException for every type that the engine cannot hold, such as BF16 or I16
   */
  public static TensorType parse(String dtype) {
    for (TensorType type : values()) {
      if (type.name().equals(dtype)) {
        return type;
      }
    }
    throw new InvalidInputException(
        "element type "
            + Text.quote(dtype)
            + " cannot be used: convert the tensor to one of "
            + Arrays.toString(values()));
  }
}
