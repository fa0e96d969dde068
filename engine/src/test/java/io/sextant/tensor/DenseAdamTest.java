package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DenseAdamTest {

  private static final int SIZE = 6;

  @ParameterizedTest
  @ValueSource(floats = {0, 0.3f})
  void stepsAreThoseOfTheOracle(float decay) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(2);
            float[] start = floats(random);
            double[] expected = new double[SIZE];
            double[] m = new double[SIZE];
            double[] v = new double[SIZE];
            for (int i = 0; i < SIZE; i++) {
              expected[i] = start[i];
            }
            NDArray weight = HostArrays.floats(scope.manager(), start, 2, 3);
            DenseAdam adam = new DenseAdam(scope, weight);
            for (int step = 1; step <= 8; step++) {
              float[] gradient = floats(random);
              double rate = 0.1 / step;
              NDArray g = HostArrays.floats(scope.manager(), gradient, 2, 3);
              adam.step(weight, g, (float) rate, decay);
              assertThat(HostArrays.toFloats(g)).isEqualTo(gradient);
              float[] actual = HostArrays.toFloats(weight);
              for (int i = 0; i < SIZE; i++) {
                m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
                expected[i] -= rate * decay * expected[i];
                expected[i] -=
                    rate
                        * (m[i] / (1 - Math.pow(0.9, step)))
                        / (Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8);
                assertThat((double) actual[i])
                    .as("seed 2, step %d, element %d", step, i)
                    .isCloseTo(expected[i], within(3e-6));
              }
            }
            assertThat(adam.steps()).isEqualTo(8);
          }
        });
  }

  @Test
  void theFirstStepIsTheLearningRateInTheGradientsDirection() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray weight = HostArrays.floats(scope.manager(), new float[] {1, 1, 1}, 3);
            NDArray g = HostArrays.floats(scope.manager(), new float[] {5, -0.01f, 0}, 3);
            new DenseAdam(scope, weight).step(weight, g, 0.25f, 0);
            float[] values = HostArrays.toFloats(weight);
            assertThat(values[0]).isCloseTo(0.75f, within(1e-5f));
            assertThat(values[1]).isCloseTo(1.25f, within(1e-5f));
            assertThat(values[2]).isEqualTo(1f);
          }
        });
  }

  private static float[] floats(Random random) {
    float[] values = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
