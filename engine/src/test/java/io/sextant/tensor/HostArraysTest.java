package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.sextant.InvalidInputException;
import java.nio.FloatBuffer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class HostArraysTest {

  @Test
  void floatsComeBackBitForBit() {
    with(
        manager -> {
          float[] values = {
            0,
            -0f,
            1.5f,
            Float.MIN_VALUE,
            Float.MAX_VALUE,
            Float.NEGATIVE_INFINITY,
            Float.NaN,
            3e-8f
          };
          NDArray array = HostArrays.floats(manager, values, 2, 4);
          assertThat(array.getShape().getShape()).containsExactly(2, 4);
          assertThat(array.getDataType()).isEqualTo(DataType.FLOAT32);
          assertThat(HostArrays.toFloats(array)).isEqualTo(values);
          assertThat(array.getFloat(1, 3)).isEqualTo(3e-8f);
        });
  }

  @Test
  void longsAreWidenedAndBooleansAreBytes() {
    with(
        manager -> {
          int[] values = {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE};
          NDArray longs = HostArrays.longs(manager, values, 4);
          assertThat(longs.getDataType()).isEqualTo(DataType.INT64);
          assertThat(longs.toLongArray()).containsExactly(0, -1, 2147483647L, -2147483648L);
          NDArray booleans = HostArrays.booleans(manager, new byte[] {1, 0, 0, 1, 1, 0}, 3, 2);
          assertThat(booleans.getDataType()).isEqualTo(DataType.BOOLEAN);
          assertThat(booleans.toBooleanArray())
              .containsExactly(true, false, false, true, true, false);
        });
  }

  @Test
  void emptyAndScalar() {
    with(
        manager -> {
          assertThat(HostArrays.toFloats(HostArrays.floats(manager, new float[0], 0, 3))).isEmpty();
          assertThat(HostArrays.longs(manager, new int[0], 0).size()).isZero();
          NDArray scalar = HostArrays.floats(manager, new float[] {7});
          assertThat(scalar.getShape().dimension()).isZero();
          assertThat(HostArrays.toFloats(scalar)).containsExactly(7);
        });
  }

  @Test
  void valuesMustFillTheShape() {
    with(
        manager -> {
          assertMisfit(() -> HostArrays.floats(manager, new float[3], 2, 2), "3 values", "(2, 2)");
          assertMisfit(() -> HostArrays.floats(manager, new float[5], 2, 2), "5 values", "(2, 2)");
          assertMisfit(() -> HostArrays.longs(manager, new int[1], 2), "1 values", "(2)");
          assertMisfit(() -> HostArrays.booleans(manager, new byte[2], 1), "2 values", "(1)");
        });
  }

  @Test
  void aViewReadsAndWritesTheTensorItself() {
    with(
        manager -> {
          NDArray array = HostArrays.floats(manager, new float[] {1, 2, 3, 4}, 2, 2);
          FloatBuffer view = HostArrays.view(array);
          view.put(2, 30);
          assertThat(array.getFloat(1, 0)).isEqualTo(30);
          array.muli(2);
          assertThat(view.get(2)).isEqualTo(60);
          assertThat(view.capacity()).isEqualTo(4);
          NDArray longs = HostArrays.longs(manager, new int[] {1}, 1);
          assertThatThrownBy(() -> HostArrays.view(longs))
              .isInstanceOf(InvalidInputException.class)
              .hasMessageContaining("float32");
        });
  }

  @Test
  void whatIsNotContiguousIsReadInItsOwnOrder() {
    with(
        manager -> {
          NDArray array = HostArrays.floats(manager, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
          assertThat(HostArrays.toFloats(array.transpose())).containsExactly(1, 4, 2, 5, 3, 6);
          assertThat(HostArrays.toFloats(array.get(new NDIndex("1:2")))).containsExactly(4, 5, 6);
          assertThat(HostArrays.toFloats(array.get(new NDIndex(":, 1:3"))))
              .containsExactly(2, 3, 5, 6);
        });
  }

  @Test
  void theJavaArrayIsCopied() {
    with(
        manager -> {
          float[] values = {1, 2};
          NDArray array = HostArrays.floats(manager, values, 2);
          values[0] = 9;
          HostArrays.toFloats(array)[1] = 9;
          assertThat(HostArrays.toFloats(array)).containsExactly(1, 2);
        });
  }

  private static void assertMisfit(Runnable create, String... parts) {
    assertThatThrownBy(create::run)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll(parts);
  }

  private static void with(Consumer<NDManager> test) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            test.accept(scope.manager());
          }
        });
  }
}
