package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The network in plain Java beside the network. */
class HostPolicyTest {

  @ParameterizedTest
  @CsvSource({"1,1,1,3", "2,5,16,127", "1,7,33,1300", "4,3,8,512"})
  void outputsAndGradientsAreThoseOfTheNetwork(int userDim, int itemDim, int hidden, int rows) {
    Random random = new Random(rows);
    float[] users = gaussians(random, rows * userDim);
    float[] items = gaussians(random, rows * itemDim);
    float[] factors = gaussians(random, rows);
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = new PolicyNetwork(scope, userDim, itemDim, hidden, 1, false, 3);
            for (NamedParameter parameter : network.namedParameters()) {
              NDArray array = parameter.parameter().getArray();
              // Biases start at zero, which would hide a mistake.
              HostArrays.view(array).put(gaussians(random, (int) array.size()));
            }
            HostPolicy policy = HostPolicy.of(network);
            float[] outputs = policy.outputs(users, items);
            assertClose(outputs, network.outputs(scope, users, items), 1e-5f);
            Map<String, float[]> gradient = policy.gradient(users, items, outputs, factors);
            Map<String, float[]> recorded = recorded(scope, network, users, items, factors);
            assertThat(gradient.keySet()).isEqualTo(recorded.keySet());
            recorded.forEach(
                (name, expected) -> {
                  float size = 0;
                  for (float value : expected) {
                    size = Math.max(size, Math.abs(value));
                  }
                  // float32 sums of so many terms.
                  assertClose(
                      gradient.getOrDefault(name, new float[0]), expected, 1e-4f * (1 + size));
                });
          }
        });
  }

  @Test
  void severalOutputsAreRefused() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = new PolicyNetwork(scope, 1, 1, 2, 3, true, 1);
            assertThatThrownBy(() -> HostPolicy.of(network))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("one output is needed but there are 3");
          }
        });
  }

  private static Map<String, float[]> recorded(
      Scope scope, PolicyNetwork network, float[] users, float[] items, float[] factors) {
    ParameterValues values = new ParameterValues(scope.manager());
    Map<String, NDArray> leaves = new LinkedHashMap<>();
    for (NamedParameter parameter : network.namedParameters()) {
      NDArray leaf = Grad.leaf(parameter.parameter().getArray(), scope.manager());
      values.put(parameter.parameter(), leaf);
      leaves.put(parameter.name(), leaf);
    }
    int n = factors.length;
    try (Grad grad = Grad.record()) {
      NDArray outputs =
          network.outputs(
              values,
              HostArrays.floats(scope.manager(), users, n, users.length / n),
              HostArrays.floats(scope.manager(), items, n, items.length / n));
      grad.backward(outputs.mul(HostArrays.floats(scope.manager(), factors, n, 1)).sum());
    }
    Map<String, float[]> gradients = new LinkedHashMap<>();
    leaves.forEach((name, leaf) -> gradients.put(name, HostArrays.toFloats(leaf.getGradient())));
    return gradients;
  }

  private static float[] gaussians(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertClose(float[] actual, float[] expected, float tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(tolerance));
    }
  }
}
