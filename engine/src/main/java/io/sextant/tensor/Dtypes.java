package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.InvalidInputException;
import java.util.EnumSet;
import java.util.Set;

/**
 * The data types that may cross into libtorch. DJL's native layer aborts the whole JVM on some of
 * the others (bfloat16, the 16-bit and the wide unsigned integers), so they are stopped here.
 */
public final class Dtypes {

  private static final Set<DataType> SUPPORTED =
      EnumSet.of(
          DataType.FLOAT32,
          DataType.FLOAT64,
          DataType.FLOAT16,
          DataType.INT64,
          DataType.INT32,
          DataType.UINT8,
          DataType.INT8,
          DataType.BOOLEAN);

  private Dtypes() {}

  /**
   * Returns the type if it is safe.
   *
   * @throws InvalidInputException if the native layer cannot hold it
   */
  public static DataType checkSupported(DataType type) {
    if (!SUPPORTED.contains(type)) {
      throw new InvalidInputException(
          "data type " + type + " is not supported: convert to one of " + SUPPORTED);
    }
    return type;
  }

  /**
   * Returns the array if it is of the type.
   *
   * @throws InvalidInputException if it is not
   */
  public static NDArray require(NDArray array, DataType type, String name) {
    if (array.getDataType() != type) {
      throw new InvalidInputException(
          "%s must be %s but was %s".formatted(name, type, array.getDataType()));
    }
    return array;
  }
}
