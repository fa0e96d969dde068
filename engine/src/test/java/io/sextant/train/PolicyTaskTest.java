package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.eval.PredictionMetrics;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PolicyTaskTest {

  private static final int USER = 2;
  private static final int ITEM = 3;
  private static final int HIDDEN = 4;
  private static final int OUTPUTS = 2;
  private static final int N = 11;

  @Test
  void lossesAreThoseOfLoops() {
    PolicyExamples examples = random(N, 5);
    int[] rows = {7, 0, 7, 10};
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = network(scope, 1);
            PolicyTask task = new PolicyTask(network, examples);
            PolicyBatch batch = task.prepare(scope, rows, 0);
            float[] losses =
                HostArrays.toFloats(task.loss(new ParameterValues(scope.manager()), batch));
            Oracle oracle = new Oracle(values(network));
            assertThat(task.numExamples()).isEqualTo(N);
            assertThat(batch.size()).isEqualTo(rows.length);
            assertThat(losses).hasSize(rows.length);
            for (int b = 0; b < rows.length; b++) {
              assertThat(batch.weights()[b]).isEqualTo(examples.weights()[rows[b]]);
              assertThat((double) losses[b])
                  .as("seed 5, row %d", rows[b])
                  .isCloseTo(oracle.loss(examples, rows[b]), within(1e-5));
            }
          }
        });
  }

  /** Adam's first step is the rate against the sign of the gradient, whatever its size. */
  @Test
  void aStepFollowsTheGradientOfTheWeightedLoss() {
    PolicyExamples examples = random(N, 6);
    float rate = 1e-3f;
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = network(scope, 2);
            Map<String, double[]> before = values(network);
            Oracle oracle = new Oracle(before);
            Map<String, double[]> gradient = new LinkedHashMap<>();
            before.forEach((name, value) -> gradient.put(name, oracle.gradient(examples, value)));
            new Trainer(
                    options(1).batchSize(N).learningRate(rate).build(),
                    List.of(),
                    TrainingListener.NONE,
                    null)
                .train(scope, new PolicyTask(network, examples), null);
            int moved = 0;
            for (Map.Entry<String, double[]> after : values(network).entrySet()) {
              double[] start = before.getOrDefault(after.getKey(), new double[0]);
              double[] slope = gradient.getOrDefault(after.getKey(), new double[0]);
              for (int i = 0; i < start.length; i++) {
                // Smaller slopes may have the wrong sign in float32, or vanish next to epsilon.
                if (Math.abs(slope[i]) > 1e-4) {
                  moved++;
                  assertThat(after.getValue()[i] - start[i])
                      .as("seed 6, %s %d, gradient %s", after.getKey(), i, slope[i])
                      .isCloseTo(-rate * Math.signum(slope[i]), within(1e-6));
                }
              }
            }
            assertThat(moved).isGreaterThan(20);
          }
        });
  }

  @Test
  void examplesOfWeightZeroTeachNothing() {
    PolicyExamples all = random(N, 7);
    float[] weights = all.weights().clone();
    float[] labels = all.labels().clone();
    weights[3] = 0;
    PolicyExamples without = withLabels(all, labels, weights);
    float[] other = labels.clone();
    other[3 * OUTPUTS] = 1 - other[3 * OUTPUTS];
    other[3 * OUTPUTS + 1] = 1 - other[3 * OUTPUTS + 1];
    assertThat(train(withLabels(all, other, weights), 4, 1))
        .usingRecursiveComparison()
        .isEqualTo(train(without, 4, 1));
    assertThat(train(all, 4, 1)).usingRecursiveComparison().isNotEqualTo(train(without, 4, 1));
  }

  @Test
  void theSameSeedGivesTheSameBitsAndAnotherDoesNot() {
    PolicyExamples examples = random(N, 8);
    Map<String, double[]> first = train(examples, 3, 1);
    assertThat(train(examples, 3, 1)).usingRecursiveComparison().isEqualTo(first);
    assertThat(train(examples, 3, 2)).usingRecursiveComparison().isNotEqualTo(first);
  }

  /** Whether two numbers of an item agree in sign: no single one of them says anything. */
  @Test
  void anInteractionOfFeaturesIsLearned() {
    for (long seed = 1; seed <= 3; seed++) {
      PolicyExamples train = agreement(2000, seed);
      PolicyExamples validation = agreement(500, seed + 100);
      PolicyExamples test = agreement(2000, seed + 200);
      long runSeed = seed;
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              PolicyNetwork network = new PolicyNetwork(scope, 1, 2, 16, 1, true, runSeed);
              Trainer trainer =
                  new Trainer(
                      options(40).batchSize(64).learningRate(0.01f).seed(runSeed).build(),
                      List.of(),
                      TrainingListener.NONE,
                      null);
              TrainingResult result =
                  trainer.train(
                      scope,
                      new PolicyTask(network, train),
                      new PolicyValidation(scope, network, validation));
              PredictionMetrics metrics =
                  PredictionMetrics.of(
                      network.outputs(scope, test.users(), test.items()), test.labels());
              assertThat(metrics.accuracy()).as("seed %d", runSeed).isGreaterThan(0.93);
              List<Double> losses = new ArrayList<>();
              result.validations().forEach(v -> losses.add(v.getOrDefault("logLoss", Double.NaN)));
              assertThat(losses.get(result.bestEpoch()))
                  .as("seed %d", runSeed)
                  .isEqualTo(losses.stream().mapToDouble(x -> x).min().orElseThrow())
                  .isLessThan(0.3);
            }
          });
    }
  }

  @Test
  void validationIsTheWeightedLossOfTheTask() {
    PolicyExamples examples = random(N, 9);
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = network(scope, 3);
            PolicyValidation validation = new PolicyValidation(scope, network, examples);
            Oracle oracle = new Oracle(values(network));
            double sum = 0;
            double weights = 0;
            for (int row = 0; row < N; row++) {
              sum += examples.weights()[row] * oracle.loss(examples, row);
              weights += examples.weights()[row];
            }
            assertThat(validation.evaluate().get("logLoss")).isCloseTo(sum / weights, within(1e-5));
            assertThat(validation.objective()).isEqualTo("logLoss");
            assertThat(validation.higherIsBetter()).isFalse();
          }
        });
  }

  @Test
  void examplesOutOfRangeAreRefused() {
    float[] two = {1, 2};
    assertThatThrownBy(() -> PolicyExamples.of(1, 1, two, two, new float[] {0, 1.5f}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("labels")
        .hasMessageContaining("row 1, column 0 was 1.5");
    assertThatThrownBy(() -> PolicyExamples.of(1, 1, two, new float[] {1}, new float[] {0, 1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("items")
        .hasMessageContaining("2 x 1");
    float[] infinite = {1, Float.NEGATIVE_INFINITY};
    assertThatThrownBy(() -> PolicyExamples.of(2, 2, infinite, two, new float[] {0}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("users")
        .hasMessageContaining("column 1");
    assertThatThrownBy(() -> new PolicyExamples(1, 1, 1, two, two, two, two))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("labels");
    assertThatThrownBy(
            () -> new PolicyExamples(1, 1, 1, two, two, new float[] {0, 1}, new float[] {1, -1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("weights");
  }

  @Test
  void examplesOfOtherWidthsOrWithoutWeightAreRefused() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = network(scope, 1);
            PolicyExamples narrow =
                PolicyExamples.of(1, ITEM, new float[1], new float[ITEM], new float[1]);
            assertThatThrownBy(() -> new PolicyTask(network, narrow))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("userDim 2")
                .hasMessageContaining("1, 3, 1");
            PolicyExamples all = random(N, 1);
            PolicyExamples nothing = withLabels(all, all.labels(), new float[N]);
            assertThatThrownBy(() -> new PolicyValidation(scope, network, nothing))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sum to 0");
          }
        });
  }

  private static PolicyNetwork network(Scope scope, long seed) {
    return new PolicyNetwork(scope, USER, ITEM, HIDDEN, OUTPUTS, false, seed);
  }

  private static TrainingOptions.Builder options(int epochs) {
    return TrainingOptions.builder().epochs(epochs).batchSize(4);
  }

  private static Map<String, double[]> train(PolicyExamples examples, int epochs, long seed) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            PolicyNetwork network = network(scope, 1);
            new Trainer(options(epochs).seed(seed).build(), List.of(), TrainingListener.NONE, null)
                .train(scope, new PolicyTask(network, examples), null);
            return values(network);
          }
        });
  }

  private static PolicyExamples random(int n, long seed) {
    Random random = new Random(seed);
    return new PolicyExamples(
        USER,
        ITEM,
        OUTPUTS,
        gaussians(random, n * USER),
        gaussians(random, n * ITEM),
        uniforms(random, n * OUTPUTS, 0),
        uniforms(random, n, 0.5f));
  }

  private static PolicyExamples agreement(int n, long seed) {
    Random random = new Random(seed);
    float[] items = gaussians(random, 2 * n);
    float[] labels = new float[n];
    for (int i = 0; i < n; i++) {
      labels[i] = items[2 * i] * items[2 * i + 1] > 0 ? 1 : 0;
    }
    return PolicyExamples.of(1, 2, gaussians(random, n), items, labels);
  }

  private static PolicyExamples withLabels(PolicyExamples all, float[] labels, float[] weights) {
    return new PolicyExamples(USER, ITEM, OUTPUTS, all.users(), all.items(), labels, weights);
  }

  private static float[] gaussians(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] uniforms(Random random, int size, float least) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = least + random.nextFloat() * (1 - least);
    }
    return values;
  }

  private static Map<String, double[]> values(PolicyNetwork network) {
    Map<String, double[]> values = new LinkedHashMap<>();
    for (NamedParameter parameter : network.namedParameters()) {
      float[] floats = HostArrays.toFloats(parameter.parameter().getArray());
      double[] doubles = new double[floats.length];
      for (int i = 0; i < doubles.length; i++) {
        doubles[i] = floats[i];
      }
      values.put(parameter.name(), doubles);
    }
    return values;
  }

  /** The network and its loss by loops, in double precision, at values that may be changed. */
  private record Oracle(Map<String, double[]> weights) {

    double loss(PolicyExamples examples, int row) {
      double[] hidden = new double[2 * HIDDEN];
      for (int h = 0; h < HIDDEN; h++) {
        hidden[h] = Math.max(0, linear("policy.user", examples.users(), row, USER, h));
        hidden[HIDDEN + h] = Math.max(0, linear("policy.item", examples.items(), row, ITEM, h));
      }
      double sum = 0;
      for (int s = 0; s < OUTPUTS; s++) {
        double z = get("policy.output.bias")[s];
        for (int h = 0; h < hidden.length; h++) {
          z += get("policy.output.weight")[s * hidden.length + h] * hidden[h];
        }
        double p = 1 / (1 + Math.exp(-z));
        float y = examples.labels()[row * OUTPUTS + s];
        sum -= y * Math.log(p) + (1 - y) * Math.log(1 - p);
      }
      return sum / OUTPUTS;
    }

    /** The slope of the mean weighted loss along each element of one parameter, by differences. */
    double[] gradient(PolicyExamples examples, double[] parameter) {
      double[] gradient = new double[parameter.length];
      double step = 1e-6;
      for (int i = 0; i < gradient.length; i++) {
        double value = parameter[i];
        parameter[i] = value + step;
        double above = mean(examples);
        parameter[i] = value - step;
        gradient[i] = (above - mean(examples)) / (2 * step);
        parameter[i] = value;
      }
      return gradient;
    }

    private double mean(PolicyExamples examples) {
      double sum = 0;
      for (int row = 0; row < examples.size(); row++) {
        sum += examples.weights()[row] * loss(examples, row);
      }
      return sum / examples.size();
    }

    private double linear(String name, float[] in, int row, int width, int out) {
      double sum = get(name + ".bias")[out];
      for (int i = 0; i < width; i++) {
        sum += get(name + ".weight")[out * width + i] * in[row * width + i];
      }
      return sum;
    }

    private double[] get(String name) {
      double[] value = weights.get(name);
      if (value == null) {
        throw new IllegalArgumentException("no parameter " + name);
      }
      return value;
    }
  }
}
