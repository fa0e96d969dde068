package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradientClippingTest {

  @Test
  void theNormIsOverAllGradientsTogether() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray a = HostArrays.floats(scope.manager(), new float[] {3, 0}, 2);
            NDArray b = HostArrays.floats(scope.manager(), new float[] {0, 4}, 1, 2);
            assertThat(GradientClipping.clipByGlobalNorm(List.of(a, b), 2.5)).isEqualTo(5);
            assertThat(HostArrays.toFloats(a)).containsExactly(1.5f, 0);
            assertThat(HostArrays.toFloats(b)).containsExactly(0, 2);
            assertThat(GradientClipping.globalNorm(List.of(a, b))).isCloseTo(2.5, within(1e-6));
          }
        });
  }

  @Test
  void aSmallNormScalesNothing() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray a = HostArrays.floats(scope.manager(), new float[] {3, 4}, 2);
            assertThat(GradientClipping.clipByGlobalNorm(List.of(a), 5)).isEqualTo(5);
            assertThat(HostArrays.toFloats(a)).containsExactly(3, 4);
          }
        });
  }

  @Test
  void aNormThatIsNotFiniteIsReportedAndScalesNothing() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray a = HostArrays.floats(scope.manager(), new float[] {3, 4}, 2);
            NDArray nan = HostArrays.floats(scope.manager(), new float[] {Float.NaN}, 1);
            NDArray infinite =
                HostArrays.floats(scope.manager(), new float[] {Float.NEGATIVE_INFINITY}, 1);
            assertThat(GradientClipping.clipByGlobalNorm(List.of(a, nan), 1)).isNaN();
            assertThat(GradientClipping.clipByGlobalNorm(List.of(a, infinite), 1)).isInfinite();
            assertThat(HostArrays.toFloats(a)).containsExactly(3, 4);
          }
        });
  }

  @Test
  void nothingHasNoNorm() {
    assertThat(GradientClipping.clipByGlobalNorm(List.of(), 1)).isZero();
  }
}
