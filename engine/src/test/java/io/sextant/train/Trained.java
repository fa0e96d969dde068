package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** What a small training came to, for tests that compare two ways to the same model. */
record Trained(Map<String, float[]> values, TrainingResult result) {

  /** A model with its task, in a scope. */
  interface Learner {
    LearningTask<?> learn(Scope scope, long modelSeed);
  }

  /** How a training is run. */
  record Run(
      TrainingOptions options,
      long modelSeed,
      List<StepHook> hooks,
      TrainingListener listener,
      @Nullable CheckpointOptions checkpoints,
      boolean validated) {

    static Run of(TrainingOptions options) {
      return new Run(options, 1, List.of(), TrainingListener.NONE, null, false);
    }
  }

  static Trained by(Learner learner, TrainingOptions options) {
    return by(learner, Run.of(options));
  }

  static Trained by(Learner learner, Run run) {
    long scopes = Scope.liveScopes();
    Trained trained =
        TensorThreads.call(
            () -> {
              try (Scope scope = Scope.open(Device.cpu())) {
                return train(scope, learner.learn(scope, run.modelSeed()), run);
              }
            });
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
    return trained;
  }

  private static <B extends Batch> Trained train(Scope scope, LearningTask<B> task, Run run) {
    Validation norm =
        new Validation() {
          @Override
          public Map<String, Double> evaluate() {
            double sum = 0;
            for (float[] value : valuesOf(task).values()) {
              for (float x : value) {
                sum += (double) x * x;
              }
            }
            return Map.of("norm", sum);
          }

          @Override
          public String objective() {
            return "norm";
          }

          @Override
          public boolean higherIsBetter() {
            return true;
          }
        };
    TrainingResult result =
        new Trainer(run.options(), run.hooks(), run.listener(), run.checkpoints())
            .train(scope, task, run.validated() ? norm : null);
    return new Trained(valuesOf(task), result);
  }

  static Map<String, float[]> valuesOf(LearningTask<?> task) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (NamedParameter parameter : task.parameters()) {
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return values;
  }

  /** Two towers over data of {@link Fixture}, with features of users and items. */
  static Learner towers(TwoTowerOptions shape, SamplingOptions sampling) {
    return towers(Fixture.interactions(3), shape, sampling);
  }

  /** The same over other data. */
  static Learner towers(Interactions data, TwoTowerOptions shape, SamplingOptions sampling) {
    return (scope, seed) -> {
      EntityFeatures users = features(data.numUsers(), 21);
      EntityFeatures items = features(data.numItems(), 22);
      TwoTower model = new TwoTower(scope, users, items, shape, seed);
      return new TwoTowerTask(model, data, users, items, sampling, 0.25f, 5);
    };
  }

  /** Numbers, a code or none, and two other codes, of which all weigh. */
  private static EntityFeatures features(int n, long seed) {
    Random random = new Random(seed);
    int[] kind = random.ints(n, 0, 3).toArray();
    int[] tags = random.ints(2L * n, 1, 5).toArray();
    float[] kindWeights = new float[n];
    float[] tagWeights = new float[2 * n];
    float[] numbers = new float[2 * n];
    for (int i = 0; i < n; i++) {
      kindWeights[i] = kind[i] == 0 ? 0 : 1;
    }
    for (int i = 0; i < 2 * n; i++) {
      tagWeights[i] = 0.5f;
      numbers[i] = (float) random.nextGaussian();
    }
    return new EntityFeatures(
        n,
        List.of(
            new EntityFeatures.Codes("kind", 3, 1, kind, kindWeights),
            new EntityFeatures.Codes("tag", 5, 2, tags, tagWeights)),
        numbers,
        2,
        List.of());
  }

  /** Sequences of 0 to 8 clicks, whose weights differ. */
  static Learner sequences(SequenceOptions shape, SequenceSampling sampling) {
    return (scope, seed) -> {
      Random random = new Random(4);
      Interactions.Builder rows =
          Interactions.builder(Fixture.ids("u", 27), Fixture.ids("i", Fixture.ITEMS));
      for (int user = 0; user < 27; user++) {
        for (int i = 0; i < user % 9; i++) {
          int item = (int) (Fixture.ITEMS * Math.pow(random.nextDouble(), 2));
          rows.add(
              user, item, EventType.CLICK, Float.NaN, 1 + i % 2, i, InteractionFeatures.UNKNOWN);
        }
      }
      SequenceEncoder encoder = new SequenceEncoder(scope, Fixture.ITEMS, shape, seed);
      return new SequenceTask(scope, encoder, rows.build(), sampling, 11);
    };
  }

  /**
   * The same within rounding.
   *
   * @param except parameters whose gradients are nothing but rounding
   */
  void assertClose(Trained expected, double tolerance, String... except) {
    assertThat(result.steps()).isEqualTo(expected.result.steps());
    for (int epoch = 0; epoch < result.epochs(); epoch++) {
      double loss = expected.result.meanLosses().get(epoch);
      assertThat(result.meanLosses().get(epoch))
          .as("loss of epoch %d", epoch)
          .isCloseTo(loss, within(tolerance * (1 + Math.abs(loss))));
    }
    assertThat(values.keySet()).isEqualTo(expected.values.keySet());
    Map<String, float[]> compared = new LinkedHashMap<>(expected.values);
    compared.keySet().removeAll(List.of(except));
    compared.forEach(
        (name, value) -> {
          float[] actual = values.getOrDefault(name, new float[0]);
          assertThat(actual).hasSameSizeAs(value);
          for (int i = 0; i < value.length; i++) {
            assertThat((double) actual[i])
                .as("%s, number %d", name, i)
                .isCloseTo(value[i], within(tolerance * (1 + Math.abs(value[i]))));
          }
        });
  }

  void assertSame(Trained expected, String as) {
    assertThat(values.keySet()).as(as).isEqualTo(expected.values.keySet());
    expected.values.forEach((n, v) -> assertThat(values.get(n)).as(as + n).isEqualTo(v));
    assertThat(result)
        .as(as)
        .usingRecursiveComparison()
        .ignoringFields("examplesPerSecond", "rowCache")
        .isEqualTo(expected.result);
  }
}
