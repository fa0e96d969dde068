package io.sextant.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.sextant.InvalidInputException;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PolicyNetworkTest {

  private static final int B = 3;
  private static final int USER = 2;
  private static final int ITEM = 4;
  private static final int H = 5;
  private static final int S = 3;

  @Test
  void outputsAreThoseOfLoops() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = new PolicyNetwork(scope, USER, ITEM, H, S, false, 1);
            Random random = new Random(2);
            Map<String, float[]> weights = new HashMap<>();
            for (NamedParameter parameter : network.namedParameters()) {
              NDArray array = parameter.parameter().getArray();
              float[] value = floats(random, (int) array.size());
              HostArrays.view(array).put(value);
              weights.put(parameter.name(), value);
            }
            float[] user = floats(random, B * USER);
            float[] item = floats(random, B * ITEM);
            NDArray u = HostArrays.floats(scope.manager(), user, B, USER);
            NDArray v = HostArrays.floats(scope.manager(), item, B, ITEM);
            ParameterValues values = new ParameterValues(scope.manager());
            float[] logits = HostArrays.toFloats(network.logits(values, u, v));
            float[] outputs = HostArrays.toFloats(network.outputs(values, u, v));
            for (int b = 0; b < B; b++) {
              double[] hidden = new double[2 * H];
              for (int h = 0; h < H; h++) {
                hidden[h] = Math.max(0, linear(weights, "policy.user", user, b, USER, h));
                hidden[H + h] = Math.max(0, linear(weights, "policy.item", item, b, ITEM, h));
              }
              for (int s = 0; s < S; s++) {
                double logit = get(weights, "policy.output.bias")[s];
                for (int h = 0; h < 2 * H; h++) {
                  logit += get(weights, "policy.output.weight")[s * 2 * H + h] * hidden[h];
                }
                assertThat((double) logits[b * S + s]).isCloseTo(logit, within(1e-5));
                assertThat((double) outputs[b * S + s])
                    .isCloseTo(1 / (1 + Math.exp(-logit)), within(1e-6));
              }
            }
            NDArray forward = network.forward(values, new NDList(u, v), false).singletonOrThrow();
            assertThat(HostArrays.toFloats(forward)).isEqualTo(outputs);
          }
        });
  }

  @Test
  void outputsOfHostRowsAreThoseOfTensorsOverTheEdgeOfATile() {
    int rows = 4096 + 3;
    Random random = new Random(3);
    float[] user = floats(random, rows * USER);
    float[] item = floats(random, rows * ITEM);
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = new PolicyNetwork(scope, USER, ITEM, H, S, false, 1);
            float[] outputs = network.outputs(scope, user, item);
            assertThat(outputs).hasSize(rows * S);
            for (int row : new int[] {0, 4095, 4096, rows - 1}) {
              float[] u = Arrays.copyOfRange(user, row * USER, (row + 1) * USER);
              float[] v = Arrays.copyOfRange(item, row * ITEM, (row + 1) * ITEM);
              float[] expected =
                  HostArrays.toFloats(
                      network.outputs(
                          new ParameterValues(scope.manager()),
                          HostArrays.floats(scope.manager(), u, 1, USER),
                          HostArrays.floats(scope.manager(), v, 1, ITEM)));
              for (int s = 0; s < S; s++) {
                assertThat(outputs[row * S + s])
                    .as("row %d, output %d", row, s)
                    .isCloseTo(expected[s], within(1e-6f));
              }
            }
            assertThat(network.outputs(scope, new float[0], new float[0])).isEmpty();
            assertThatThrownBy(() -> network.outputs(scope, new float[USER], new float[2 * ITEM]))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("had 2 and 8 numbers");
          }
        });
  }

  @Test
  void aZeroOutputStartsAtOneHalf() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = new PolicyNetwork(scope, USER, ITEM, H, 2, true, 1);
            NDArray u = HostArrays.floats(scope.manager(), new float[] {3, -4}, 1, USER);
            NDArray v = HostArrays.floats(scope.manager(), new float[] {9, 9, 9, -1}, 1, ITEM);
            ParameterValues values = new ParameterValues(scope.manager());
            assertThat(HostArrays.toFloats(network.outputs(values, u, v)))
                .containsExactly(0.5f, 0.5f);
          }
        });
  }

  @Test
  void widthsMustBePositive() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            assertThatThrownBy(() -> new PolicyNetwork(scope, 1, 2, 0, 4, true, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("hidden 0");
          }
        });
  }

  private static double linear(
      Map<String, float[]> weights, String name, float[] in, int row, int width, int out) {
    double sum = get(weights, name + ".bias")[out];
    for (int i = 0; i < width; i++) {
      sum += get(weights, name + ".weight")[out * width + i] * in[row * width + i];
    }
    return sum;
  }

  private static float[] get(Map<String, float[]> weights, String name) {
    return Objects.requireNonNull(weights.get(name), name);
  }

  private static float[] floats(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
