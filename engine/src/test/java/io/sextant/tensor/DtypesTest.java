package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DtypesTest {

  /** The native layer would end the JVM on these. */
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"BFLOAT16", "INT16", "UINT16", "UINT32", "UINT64", "STRING", "UNKNOWN"})
  void unsafeTypesAreStoppedBeforeTheNativeLayer(DataType type) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            assertThatThrownBy(
                    () -> HostArrays.create(scope.manager(), new Shape(2), type, buffer -> {}))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(type.toString())
                .hasMessageContaining("convert");
          }
        });
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT32", "FLOAT64", "FLOAT16", "INT64", "INT32", "UINT8", "INT8", "BOOLEAN"})
  void safeTypesCanBeMade(DataType type) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray array = HostArrays.create(scope.manager(), new Shape(3), type, buffer -> {});
            assertThat(array.getDataType()).isEqualTo(type);
            assertThat(Dtypes.require(array, type, "x")).isSameAs(array);
          }
        });
  }

  @Test
  void anotherTypeThanRequiredIsNamed() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray array = HostArrays.longs(scope.manager(), new int[] {1}, 1);
            assertThatThrownBy(() -> Dtypes.require(array, DataType.FLOAT32, "scores"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("scores must be float32 but was int64");
          }
        });
  }
}
