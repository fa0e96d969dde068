package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.nn.Dropout;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutPoolTest {

  private static final int SIZE = 40_000;

  @ParameterizedTest
  @ValueSource(floats = {0.1f, 0.5f, 0.9f})
  void theShareIsDroppedAndTheMeanStays(float rate) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            float[] values = apply(scope, new DropoutPool(scope, rate, 1), 3, 0);
            int dropped = 0;
            double sum = 0;
            for (float value : values) {
              dropped += value == 0 ? 1 : 0;
              sum += value;
              assertThat(value == 0 || Math.abs(value - 1 / (1 - rate)) < 1e-3).isTrue();
            }
            // Five standard deviations.
            double deviation = 5 * Math.sqrt(rate * (1 - rate) / SIZE);
            assertThat((double) dropped / SIZE).isCloseTo(rate, within(deviation));
            assertThat(sum / SIZE).isCloseTo(1, within(deviation / (1 - rate) + 1e-3));
          }
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void stepsAndSitesDropIndependently(long seed) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            DropoutPool pool = new DropoutPool(scope, 0.5f, seed);
            float[] one = apply(scope, pool, 3, 0);
            for (float[] other :
                new float[][] {apply(scope, pool, 3, 1), apply(scope, pool, 4, 0)}) {
              int same = 0;
              for (int i = 0; i < SIZE; i++) {
                same += one[i] == other[i] ? 1 : 0;
              }
              assertThat((double) same / SIZE).as("seed %d", seed).isCloseTo(0.5, within(0.015));
            }
            assertThat(apply(scope, pool, 3, 0)).isEqualTo(one);
            assertThat(apply(scope, new DropoutPool(scope, 0.5f, seed), 3, 0)).isEqualTo(one);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {70_000, 300_000})
  void whatAStepDropsDoesNotDependOnWhatWasAskedBefore(int larger) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            DropoutPool pool = new DropoutPool(scope, 0.3f, 9);
            float[] before = apply(scope, pool, 8, 2);
            Dropout other = pool.ofStep(1);
            other.apply(0, scope.manager().ones(new Shape(larger)));
            assertThat(apply(scope, pool, 8, 2)).isEqualTo(before);
          }
        });
  }

  private static float[] apply(Scope scope, DropoutPool pool, long step, int site) {
    try (Scope child = scope.child()) {
      NDArray ones = child.manager().ones(new Shape(SIZE / 8, 8));
      NDArray dropped = pool.ofStep(step).apply(site, ones);
      assertThat(dropped.getShape()).isEqualTo(ones.getShape());
      return HostArrays.toFloats(dropped);
    }
  }
}
