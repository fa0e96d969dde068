package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PolicyNetwork;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A step of several batches is the step of one batch as large as they are together. */
class AccumulationTest {

  private static final TwoTowerOptions TOWERS =
      TwoTowerOptions.builder()
          .dimension(4)
          .biases(true)
          .history(TwoTowerOptions.History.SHARED)
          .lastItem(true)
          .hidden(List.of(3))
          .build();
  private static final TwoTowerOptions IDS =
      TwoTowerOptions.builder().dimension(4).biases(true).build();

  static Stream<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (Objective objective : Objective.values()) {
      for (boolean inBatch : new boolean[] {false, true}) {
        for (TwoTowerOptions.History history : TwoTowerOptions.History.values()) {
          settings.add(Arguments.of(objective, inBatch, history));
        }
      }
    }
    return settings.stream();
  }

  /** L2 and clipping are strong enough that a row that is counted wrongly is seen. */
  @ParameterizedTest
  @MethodSource("settings")
  void towersAreThoseOfOneBatch(
      Objective objective, boolean inBatch, TwoTowerOptions.History history) {
    TwoTowerOptions shape =
        TwoTowerOptions.builder()
            .dimension(4)
            .biases(true)
            .history(history)
            .hidden(List.of(3))
            .build();
    SamplingOptions sampling =
        SamplingOptions.builder()
            .objective(objective)
            .negatives(3)
            .inBatch(inBatch)
            .popularityPower(0.5f)
            .idDropout(0.3f)
            .itemIdDropout(0.3f)
            .build();
    Trained.Learner learner = Trained.towers(shape, sampling);
    assertSameGradients(learner, 7, 18);
    Trained parts = Trained.by(learner, rowsAlone(7, 3));
    Trained whole = Trained.by(learner, rowsAlone(21, 1));
    // 60 examples: steps of 7 + 7 + 7, 7 + 7 + 7 and 7 + 7 + 4.
    assertThat(whole.result().steps()).isEqualTo(6);
    // Scores of one user that are compared with each other do not feel the user's bias.
    parts.assertClose(whole, 2e-5, "user.bias");
  }

  @Test
  void adamSeesTheSameMomentsWithoutClipping() {
    TrainingOptions.Builder adam =
        options(7, 3)
            .learningRate(0)
            .rowOptimizer(RowOptimizer.Kind.ADAM)
            .clipNorm(Double.POSITIVE_INFINITY);
    Trained.Learner learner =
        Trained.towers(TOWERS, SamplingOptions.builder().negatives(3).build());
    Trained parts = Trained.by(learner, adam.build());
    Trained whole = Trained.by(learner, adam.batchSize(21).accumulate(1).build());
    parts.assertClose(whole, 1e-3, "user.bias");
  }

  @ParameterizedTest
  @CsvSource({"4, 0", "0, 100", "4, 5"})
  void sequencesAreThoseOfOneBatch(int negatives, int inBatch) {
    SequenceOptions shape =
        SequenceOptions.builder().dimension(8).historyLength(4).hidden(8).dropout(0).build();
    Trained.Learner learner =
        Trained.sequences(
            shape, SequenceSampling.builder().negatives(negatives).inBatch(inBatch).build());
    assertSameGradients(learner, 4, 10);
    Trained parts = Trained.by(learner, rowsAlone(4, 3));
    Trained whole = Trained.by(learner, rowsAlone(12, 1));
    parts.assertClose(whole, 2e-5);
  }

  @Test
  void partsOfAStepDropDifferently() {
    SequenceOptions shape =
        SequenceOptions.builder().dimension(8).historyLength(4).hidden(8).dropout(0.5f).build();
    Trained.Learner learner = Trained.sequences(shape, SequenceSampling.builder().build());
    Trained first = Trained.by(learner, options(4, 3).build());
    Trained again = Trained.by(learner, options(4, 3).build());
    again.assertSame(first, "the same draws");
    assertThat(first.values().get("item.id"))
        .isNotEqualTo(Trained.by(learner, options(12, 1).build()).values().get("item.id"));
  }

  @Test
  void policiesAreThoseOfOneBatch() {
    Trained.Learner learner =
        (scope, seed) -> {
          Random random = new Random(9);
          PolicyExamples examples =
              PolicyExamples.of(
                  2, 3, gaussians(random, 80), gaussians(random, 120), labels(random, 40));
          return new PolicyTask(new PolicyNetwork(scope, 2, 3, 4, 1, false, seed), examples);
        };
    Trained parts = Trained.by(learner, options(5, 3).build());
    Trained whole = Trained.by(learner, options(15, 1).build());
    parts.assertClose(whole, 1e-3);
  }

  private static float[] gaussians(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] labels(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(2);
    }
    return values;
  }

  /** No graph, no memory to save: the same step, to the bit. */
  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"BPR", "BCE", "SQUARED_ERROR"})
  void aClosedFormTakesAllExamplesAtOnce(Objective objective) {
    Trained.Learner learner =
        ids(SamplingOptions.builder().objective(objective).negatives(2).build(), false);
    Trained parts = Trained.by(learner, options(7, 3).build());
    parts.assertSame(Trained.by(learner, options(21, 1).build()), "closed form");
  }

  @Test
  void aResidentFormTakesAllExamplesAtOnce() {
    Trained.Learner learner =
        ids(SamplingOptions.builder().objective(Objective.BPR).negatives(2).build(), true);
    Trained parts = Trained.by(learner, options(7, 3).build());
    parts.assertSame(Trained.by(learner, options(21, 1).build()), "resident form");
  }

  private static Trained.Learner ids(SamplingOptions sampling, boolean resident) {
    return (scope, seed) -> {
      Interactions data = Fixture.interactions(3);
      EntityFeatures users = EntityFeatures.none(data.numUsers());
      EntityFeatures items = EntityFeatures.none(data.numItems());
      TwoTower model = new TwoTower(scope, users, items, IDS, seed);
      TwoTowerTask task = new TwoTowerTask(model, data, users, items, sampling, 0.25f, 5);
      return resident ? resident(task) : task;
    };
  }

  private static ForcedResident<TwoTowerBatch> resident(TwoTowerTask task) {
    return new ForcedResident<>(
        task,
        session ->
            task.resident(session, Objects.requireNonNull(task.factorTables()), null, null)) {
      @Override
      public TwoTowerBatch prepare(Scope scope, int[] examples, long step) {
        throw new AssertionError("a resident step records nothing");
      }
    };
  }

  @Test
  void aResidentFormThatRecordsGivesWay() {
    Trained.Learner learner =
        Trained.towers(TOWERS, SamplingOptions.builder().negatives(3).build());
    Trained.Learner recording =
        (scope, seed) -> new RecordingTask((TwoTowerTask) learner.learn(scope, seed));
    Trained parts = Trained.by(recording, options(7, 3).build());
    parts.assertSame(Trained.by(learner, options(7, 3).build()), "divided");
    assertThatThrownBy(() -> Trained.by(recording, options(21, 1).build()))
        .hasMessageContaining("asked for the form");
  }

  private record RecordingTask(TwoTowerTask task)
      implements DivisibleTask<TwoTowerBatch>, ResidentForm.Task {

    @Override
    public int numExamples() {
      return task.numExamples();
    }

    @Override
    public List<NamedParameter> parameters() {
      return task.parameters();
    }

    @Override
    public TwoTowerBatch prepare(Scope scope, int[] examples, long step) {
      return task.prepare(scope, examples, step);
    }

    @Override
    public TwoTowerBatch prepare(Scope scope, int[] examples, int from, int to, long step) {
      return task.prepare(scope, examples, from, to, step);
    }

    @Override
    public NDArray loss(ParameterStore values, TwoTowerBatch batch) {
      return task.loss(values, batch);
    }

    @Override
    public boolean residentFormRecords() {
      return true;
    }

    @Override
    public ResidentForm residentForm(Scope session) {
      throw new IllegalStateException("asked for the form");
    }
  }

  @Test
  void weightsOfExamplesReachTheirBatches() {
    SequenceOptions shape =
        SequenceOptions.builder().dimension(8).historyLength(4).hidden(8).dropout(0).build();
    for (Trained.Learner learner :
        List.of(
            Trained.towers(TOWERS, SamplingOptions.builder().negatives(3).build()),
            Trained.sequences(shape, SequenceSampling.builder().build()))) {
      Trained parts = Trained.by(learner, weighed(rowsAlone(4, 3)));
      Trained whole = Trained.by(learner, weighed(rowsAlone(12, 1)));
      parts.assertClose(whole, 1e-4, "user.bias");
      assertThat(Trained.by(learner, rowsAlone(12, 1)).result().meanLosses())
          .as("weights count")
          .isNotEqualTo(whole.result().meanLosses());
    }
  }

  private static Trained.Run weighed(TrainingOptions options) {
    return new Trained.Run(
        options, 1, List.of(new RowNumbers()), TrainingListener.NONE, null, false);
  }

  /** Weights that are a function of the row. */
  private static final class RowNumbers implements ExampleWeigher {

    private List<InteractionTask<?>> tasks = List.of();

    @Override
    public void start(
        Scope session, LearningTask<?> task, ModelParameters parameters, int stepsPerEpoch) {
      tasks = List.of((InteractionTask<?>) task);
    }

    @Override
    public float[] weights(int[] examples, long step, int epoch, float factor) {
      int[] rows = tasks.get(0).rowsOf(examples);
      float[] weights = new float[rows.length];
      for (int i = 0; i < rows.length; i++) {
        weights[i] = 0.1f + rows[i] % 7;
      }
      return weights;
    }

    @Override
    public ResidentForm.Weigher onDevice(int[] examples, long step, int epoch, float factor) {
      throw new AssertionError("nothing stays on the device here");
    }

    @Override
    public void endEpoch() {}

    @Override
    public void finish(long steps) {}

    @Override
    public List<TensorSource> sources() {
      return List.of();
    }

    @Override
    public Map<String, String> counters() {
      return Map.of();
    }

    @Override
    public void restore(StoredTensors stored, Map<String, String> counters) {}
  }

  @Test
  void progressCountsStepsAndARunGoesOnBehindAnyOfThem(@TempDir Path folder) {
    Trained.Learner learner =
        Trained.towers(TOWERS, SamplingOptions.builder().negatives(3).build());
    List<Long> steps = new ArrayList<>();
    TrainingListener counting =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            assertThat(progress.totalSteps()).isEqualTo(6);
            steps.add(progress.step());
          }
        };
    Trained whole = Trained.by(learner, run(1, counting, null));
    assertThat(steps).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    for (int cut = 1; cut <= 6; cut++) {
      Path file = folder.resolve("cut-" + cut);
      long last = cut;
      TrainingListener cutting =
          new TrainingListener() {
            @Override
            public void onStep(TrainingProgress progress) {
              if (progress.step() == last) {
                throw new IllegalStateException("cut off");
              }
            }
          };
      assertThatThrownBy(() -> Trained.by(learner, run(1, cutting, checkpoints(file))))
          .hasMessageContaining("cut off");
      long modelSeed = cut == 1 ? 1 : 99;
      Trained.by(learner, run(modelSeed, TrainingListener.NONE, checkpoints(file)))
          .assertSame(whole, "cut at " + cut);
    }
  }

  private static Trained.Run run(
      long seed, TrainingListener listener, @Nullable CheckpointOptions checkpoints) {
    return new Trained.Run(options(7, 3).build(), seed, List.of(), listener, checkpoints, true);
  }

  private static CheckpointOptions checkpoints(Path file) {
    return new CheckpointOptions(file, Duration.ZERO, true, "a");
  }

  @Test
  void aLossThatIsNotFiniteInOneBatchSkipsTheStep() {
    Trained.Learner towers =
        Trained.towers(
            TOWERS,
            SamplingOptions.builder().objective(Objective.SQUARED_ERROR).negatives(1).build());
    Trained.Learner spoilt =
        (scope, seed) -> {
          LearningTask<?> task = towers.learn(scope, seed);
          for (NamedParameter parameter : task.parameters()) {
            if (parameter.name().equals("user.id")) {
              // Of seven users one.
              HostArrays.view(parameter.parameter().getArray()).put(0, Float.NaN);
            }
          }
          return task;
        };
    Map<String, float[]> before = Trained.by(spoilt, options(7, 9).epochs(1).build()).values();
    Trained after = Trained.by(spoilt, options(7, 9).epochs(3).build());
    assertThat(after.result().skippedSteps()).isEqualTo(3).isEqualTo(after.result().steps());
    after.values().forEach((name, value) -> assertThat(value).isEqualTo(before.get(name)));
  }

  @Test
  void whatCannotBeDividedIsRefused() {
    Trained.Learner towers = Trained.towers(TOWERS, SamplingOptions.builder().negatives(3).build());
    Trained.Run watched =
        new Trained.Run(
            options(7, 3).build(),
            1,
            List.of(new StepHook() {}),
            TrainingListener.NONE,
            null,
            false);
    assertThatThrownBy(() -> Trained.by(towers, watched))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("accumulate must be 1 where a hook looks into steps");
    assertThatThrownBy(() -> options(7, 0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("accumulate must be > 0 but was 0");
    assertThatThrownBy(() -> options(1 << 20, 1 << 12).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("batchSize * accumulate");
  }

  /** The gradients themselves, and how often rows are read. */
  private static void assertSameGradients(Trained.Learner learner, int batch, int size) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            assertSameGradients(scope, (DivisibleTask<?>) learner.learn(scope, 1), batch, size);
          }
        });
  }

  private static <B extends Batch> void assertSameGradients(
      Scope scope, DivisibleTask<B> task, int batch, int size) {
    int[] examples = new int[size];
    Arrays.setAll(examples, e -> (5 * e + 3) % task.numExamples());
    TrainingOptions options = TrainingOptions.builder().build();
    ModelParameters parameters = new ModelParameters(scope, task.parameters(), options);
    GradientSum sum = new GradientSum(task.parameters());
    for (long step = 3; step < 5; step++) {
      B whole = task.prepare(scope, examples, step);
      Map<String, NDArray> expected = gradients(scope, task, parameters, whole);
      sum.clear();
      for (int from = 0; from < size; from += batch) {
        int to = Math.min(size, from + batch);
        B part = task.prepare(scope, examples, from, to, step);
        ModelParameters.Leaves leaves = parameters.leaves(scope, part);
        differentiate(scope, task, leaves, part);
        sum.add(scope, part, leaves, (float) (to - from) / size);
      }
      Map<String, RowSet> rows = sum.rows(scope);
      assertThat(rows.keySet()).isEqualTo(whole.rows().keySet());
      assertThat(sum.gradients().keySet()).isEqualTo(expected.keySet());
      expected.forEach(
          (name, gradient) -> {
            NDArray actual = Objects.requireNonNull(sum.gradients().get(name));
            if (rows.containsKey(name)) {
              RowSet of = Objects.requireNonNull(whole.rows().get(name));
              RowSet ofParts = Objects.requireNonNull(rows.get(name));
              int[] places = of.placesIn(ofParts);
              assertThat(ofParts.size()).as(name).isEqualTo(of.size());
              for (int k = 0; k < places.length; k++) {
                assertThat(ofParts.count(places[k]))
                    .as("how often row %d of %s is read", of.row(k), name)
                    .isEqualTo(of.count(k));
              }
              actual =
                  RowOptimizer.gather(
                      actual, HostArrays.longs(scope.manager(), places, places.length));
            }
            float[] found = HostArrays.toFloats(actual);
            float[] wanted = HostArrays.toFloats(gradient);
            assertThat(found).hasSameSizeAs(wanted);
            for (int i = 0; i < wanted.length; i++) {
              assertThat((double) found[i])
                  .as("gradient of %s, number %d", name, i)
                  .isCloseTo(wanted[i], within(2e-5 * (1 + Math.abs(wanted[i]))));
            }
          });
    }
  }

  private static <B extends Batch> Map<String, NDArray> gradients(
      Scope scope, LearningTask<B> task, ModelParameters parameters, B batch) {
    ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
    differentiate(scope, task, leaves, batch);
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    leaves.byName().forEach((name, leaf) -> gradients.put(name, leaf.getGradient()));
    return gradients;
  }

  private static <B extends Batch> void differentiate(
      Scope scope, LearningTask<B> task, ModelParameters.Leaves leaves, B batch) {
    try (Grad grad = Grad.record()) {
      grad.backward(scope.adopt(task.loss(leaves.values(), batch).mean()));
    }
  }

  /**
   * Adam makes a whole step of a dense weight's rounding where its gradient is zero but for that,
   * as that of a bias which cancels; so these stand still.
   */
  private static TrainingOptions rowsAlone(int batch, int accumulate) {
    return options(batch, accumulate).learningRate(0).build();
  }

  private static TrainingOptions.Builder options(int batch, int accumulate) {
    return TrainingOptions.builder()
        .epochs(2)
        .batchSize(batch)
        .accumulate(accumulate)
        .learningRate(0.01f)
        .l2(0.3f)
        .weightDecay(0.01f)
        .clipNorm(0.5)
        .schedule(Schedule.COSINE)
        .patience(0);
  }
}
