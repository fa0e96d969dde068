package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntegratedGradientsTest {

  /** Of a linear function the effects are its terms; of a product each factor has half. */
  @Test
  void effectsOfLinearFunctionsAndProductsAreTheKnownOnes() {
    IntegratedGradients.Result result =
        attribute(
            (step, x) -> {
              NDArray first = x.get(":, 0:1");
              NDArray second = x.get(":, 1:2");
              NDArray third = x.get(":, 2:3");
              NDArray linear = first.add(first).sub(third).add(1);
              return NDArrays.concat(new NDList(linear, first.mul(second)), 1);
            },
            new float[] {3, -2, 5});
    assertThat(result.values()).containsExactly(2, -6);
    assertThat(result.references()).containsExactly(1, 0);
    assertThat(result.effects()[0]).containsExactly(new double[] {6, 0, -5}, within(1e-5));
    assertThat(result.effects()[1]).containsExactly(new double[] {-3, -3, 0}, within(1e-5));
  }

  @Test
  void effectsOfANetworkAddUp() {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      float[] hidden = gaussian(random, 8 * 16);
      float[] last = gaussian(random, 16 * 3);
      IntegratedGradients.Result result =
          attribute(
              (step, x) ->
                  Activation.tanh(
                      Activation.relu(
                              x.matMul(HostArrays.floats(step.manager(), hidden, 8, 16)).add(0.3f))
                          .matMul(HostArrays.floats(step.manager(), last, 16, 3))),
              gaussian(random, 8));
      for (int o = 0; o < 3; o++) {
        double difference = result.values()[o] - result.references()[o];
        assertThat(Arrays.stream(result.effects()[o]).sum())
            .as("seed %d, output %d", seed, o)
            .isCloseTo(difference, within(0.01 * Math.abs(difference) + 1e-4));
      }
    }
  }

  @Test
  void theReferenceItselfHasNoEffects() {
    IntegratedGradients.Result result =
        attribute((step, x) -> x.mul(x).sum(new int[] {1}, true), new float[3]);
    assertThat(result.values()).isEqualTo(result.references());
    assertThat(result.effects()[0]).containsOnly(0);
  }

  private static float[] gaussian(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static IntegratedGradients.Result attribute(
      IntegratedGradients.Outputs function, float[] inputs) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            return IntegratedGradients.of(scope, function, inputs);
          }
        });
  }
}
