package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MixModelTest {

  private static final int USERS = 5;
  private static final int N = 6;
  private static final int M = 3;
  private static final MixShape ITEM_AWARE = new MixShape(4, 3, 5, true, 1.5f, 2);
  private static final MixShape USER_ONLY = new MixShape(4, 1, 5, false, 1.5f, 0);

  @Test
  void theGradientOfTheLossIsThatOfFiniteDifferences() {
    for (long seed = 1; seed <= 3; seed++) {
      for (MixShape shape : new MixShape[] {ITEM_AWARE, USER_ONLY}) {
        Random random = new Random(seed);
        String where = "seed " + seed + ", " + shape;
        TensorThreads.run(
            () -> {
              try (Scope scope = Scope.open(Device.cpu())) {
                checkGradient(scope, shape, random, where);
              }
            });
      }
    }
  }

  @Test
  void trainingStartsAtTheBaseline() {
    Random random = new Random(2);
    float[] baseline = {0.7f, 0.2f, 1.1f};
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            for (MixShape shape : new MixShape[] {ITEM_AWARE, USER_ONLY}) {
              MixData data = data(random, shape);
              MixModel model = new MixModel(scope, shape, baseline, 1);
              float[] scores =
                  MixTask.scores(scope, model, data, IntStream.range(0, USERS).toArray());
              float[] expected = GlobalWeights.scores(data.evidence(), data.normalised(), baseline);
              assertThat(scores).containsExactly(expected, within(1e-5f));
            }
          }
        });
  }

  @Test
  void weightsStayWithinTheBoundAndADroppedStrategyCanCome() {
    float[] baseline = {2, 0, 0.5f};
    float[] floored = {2, 0.02f, 0.5f};
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Random random = new Random(3);
            MixModel model = new MixModel(scope, USER_ONLY, baseline, 1);
            for (NamedParameter parameter : model.parameters()) {
              FloatBuffer memory = HostArrays.view(parameter.parameter().getArray());
              for (int i = 0; i < memory.capacity(); i++) {
                // So large that the sigmoid saturates.
                memory.put(i, 20 * (float) random.nextGaussian());
              }
            }
            MixData data = data(random, USER_ONLY);
            float[] confidence = {1, 0.5f, 0, 1, 1};
            float[] ones = {1, 1, 1, 1, 1};
            float[] weights =
                HostArrays.toFloats(
                    model
                        .outputs(
                            new ParameterValues(scope.manager()),
                            HostArrays.floats(scope.manager(), data.users(), USERS, 4),
                            HostArrays.floats(scope.manager(), ones, USERS, 1),
                            HostArrays.floats(scope.manager(), confidence, USERS, 1))
                        .weights());
            float widest = 0;
            for (int i = 0; i < weights.length; i++) {
              double tilt = Math.log(weights[i] / floored[i % M]);
              double bound = USER_ONLY.kappa() * confidence[i / M];
              assertThat(Math.abs(tilt)).isLessThanOrEqualTo(bound + 1e-5);
              widest = Math.max(widest, (float) Math.abs(tilt));
            }
            assertThat(widest).isGreaterThan(1.4f);
          }
        });
  }

  private static void checkGradient(Scope scope, MixShape shape, Random random, String where) {
    MixData data = data(random, shape);
    MixModel model = new MixModel(scope, shape, new float[] {0.7f, 0.2f, 1.1f}, 1);
    RandomMeta.randomise(model, random);
    int[][] truth = {{0, 3}, {1}, {5}, {2, 4}, {99}};
    Judgements judgements = Judgements.of(data.evidence(), truth);
    MixTask task = new MixTask(model, data, judgements, IntStream.range(0, USERS).toArray());
    // The last user's truth is not among the candidates.
    assertThat(task.numExamples()).isEqualTo(USERS - 1);
    int[] chosen = IntStream.range(0, USERS - 1).toArray();
    Map<NamedParameter, float[]> gradients = new LinkedHashMap<>();
    try (Scope step = scope.child();
        Grad grad = Grad.record()) {
      ParameterValues values = new ParameterValues(step.manager());
      Map<NamedParameter, NDArray> leaves = new LinkedHashMap<>();
      for (NamedParameter parameter : model.parameters()) {
        NDArray leaf = Grad.leaf(parameter.parameter().getArray(), step.manager());
        values.put(parameter.parameter(), leaf);
        leaves.put(parameter, leaf);
      }
      grad.backward(task.loss(values, task.prepare(step, chosen, 0)).sum());
      leaves.forEach((p, leaf) -> gradients.put(p, HostArrays.toFloats(leaf.getGradient())));
    }
    float step = 2e-3f;
    int kinks = 0;
    int checked = 0;
    double middle = loss(scope, task, chosen);
    for (Map.Entry<NamedParameter, float[]> entry : gradients.entrySet()) {
      FloatBuffer memory = HostArrays.view(entry.getKey().parameter().getArray());
      for (int i = 0; i < memory.capacity(); i++) {
        float value = memory.get(i);
        memory.put(i, value + step);
        double up = loss(scope, task, chosen);
        memory.put(i, value - step);
        double down = loss(scope, task, chosen);
        memory.put(i, value);
        double expected = (up - down) / (2 * step);
        // Rounding of the losses (near 10) over the step, and curvature.
        double bound = 3e-3 + 0.02 * Math.abs(expected);
        if (Math.abs(up + down - 2 * middle) / step > bound) {
          // A ReLU bends within the step.
          kinks++;
          continue;
        }
        checked++;
        assertThat((double) entry.getValue()[i])
            .as("%s, %s[%d]", where, entry.getKey().name(), i)
            .isCloseTo(expected, within(bound));
      }
    }
    assertThat(kinks).as(where).isLessThan(checked / 10);
    double size =
        gradients.values().stream()
            .flatMapToDouble(g -> IntStream.range(0, g.length).mapToDouble(i -> Math.abs(g[i])))
            .max()
            .orElse(0);
    assertThat(size).as(where).isGreaterThan(0.1);
  }

  private static double loss(Scope scope, MixTask task, int[] chosen) {
    try (Scope step = scope.child()) {
      float[] losses =
          HostArrays.toFloats(
              task.loss(new ParameterValues(step.manager()), task.prepare(step, chosen, 0)));
      return IntStream.range(0, losses.length).mapToDouble(i -> losses[i]).sum();
    }
  }

  private static MixData data(Random random, MixShape shape) {
    int[] lengths = {N, N, N, N - 1, 2};
    int[] items = new int[USERS * N];
    Arrays.setAll(items, i -> i % N < lengths[i / N] ? i % N : -1);
    Evidence evidence =
        new Evidence(
            N,
            M,
            lengths,
            items,
            gaussian(random, USERS * N * M),
            new float[USERS * M],
            ones(USERS * M));
    return new MixData(
        evidence,
        Normalisation.SQRT_Z.apply(evidence),
        gaussian(random, USERS * shape.userWidth()),
        shape.itemAware() ? gaussian(random, USERS * N * shape.itemWidth()) : null,
        new float[] {0.9f, 0.5f, 0.7f, 1, 0.3f});
  }

  private static float[] gaussian(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] ones(int count) {
    float[] values = new float[count];
    Arrays.fill(values, 1);
    return values;
  }
}
