package io.sextant.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorSpecTest {

  @Test
  void sizes() {
    TensorSpec spec = TensorSpec.of("w", TensorType.F32, 5, 3, 2);
    assertThat(spec.rows()).isEqualTo(5);
    assertThat(spec.rowElements()).isEqualTo(6);
    assertThat(spec.rowBytes()).isEqualTo(24);
    assertThat(spec.elements()).isEqualTo(30);
    assertThat(spec.bytes()).isEqualTo(120);
    assertThat(spec.dimensions()).containsExactly(5, 3, 2);
    assertThat(spec.bytesOfRows(3, 2)).isEqualTo(48);
  }

  @Test
  void scalarIsOneRow() {
    TensorSpec spec = TensorSpec.of("s", TensorType.F64);
    assertThat(spec.rows()).isEqualTo(1);
    assertThat(spec.bytes()).isEqualTo(8);
  }

  @Test
  void beyondTwoGibibytes() {
    TensorSpec spec = TensorSpec.of("w", TensorType.F32, 100_000_000, 64);
    assertThat(spec.bytes()).isEqualTo(25_600_000_000L);
    assertThatThrownBy(() -> spec.bytesOfRows(0, 100_000_000))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("read fewer");
  }

  @Test
  void rowsAreChecked() {
    TensorSpec spec = TensorSpec.of("w", TensorType.F32, 5, 3);
    assertThat(spec.bytesOfRows(5, 0)).isZero();
    assertThatThrownBy(() -> spec.bytesOfRows(5, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> spec.bytesOfRows(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> spec.bytesOfRows(0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> spec.bytesOfRows(Long.MAX_VALUE, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void impossibleShapesAreRefused() {
    assertThatThrownBy(() -> TensorSpec.of("w", TensorType.F32, 2, -1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("negative dimension")
        .hasMessageContaining("'w'");
    assertThatThrownBy(() -> TensorSpec.of("w", TensorType.F32, 1L << 61, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2^63");
    assertThatThrownBy(() -> TensorSpec.of("w", TensorType.U8, 0, 1L << 32, 1L << 32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2^63");
    assertThatThrownBy(() -> TensorSpec.of("w", TensorType.F32, 1, (1L << 28) + 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("one row");
    assertThatThrownBy(() -> TensorSpec.of("w", TensorType.F32, new long[33]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("33 dimensions");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "__metadata__", "a\nb", "a\0", "\ud800", "x\udc00y"})
  void impossibleNamesAreRefused(String name) {
    assertThatThrownBy(() -> TensorSpec.of(name, TensorType.F32, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a tensor's name");
  }

  @Test
  void longNamesAreRefusedAndCutInTheMessage() {
    assertThatThrownBy(() -> TensorSpec.of("n".repeat(1025), TensorType.F32, 1))
        .isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));
  }

  @ParameterizedTest
  @ValueSource(strings = {"BF16", "I16", "U16", "U32", "U64", "F8_E4M3", "f32", "", "F32 "})
  void typesThatAbortTheJvmAreRefused(String dtype) {
    assertThatThrownBy(() -> TensorType.parse(dtype))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'" + dtype + "'")
        .hasMessageContaining("convert the tensor to one of [F32, F64, F16");
  }

  @Test
  void valuesMustFitTheShape() {
    assertThatThrownBy(() -> TensorSource.of("w", new float[5], 2, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs 6 values but got 5");
    assertThatThrownBy(() -> TensorSource.of("w", new int[3]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs 1 values but got 3");
  }
}
