package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tables of which the device holds a part are trained to the same bits. */
class TableMemoryTest {

  private static final TwoTowerOptions TOWERS =
      TwoTowerOptions.builder()
          .dimension(4)
          .biases(true)
          .history(TwoTowerOptions.History.SHARED)
          .historyLength(2)
          .lastItem(true)
          .hidden(List.of(3))
          .build();
  private static final SamplingOptions SAMPLING =
      SamplingOptions.builder().objective(Objective.BPR).negatives(1).build();
  private static final SequenceOptions SEQUENCES =
      SequenceOptions.builder().dimension(8).historyLength(4).hidden(8).build();
  private static final TwoTowerOptions IDS =
      TwoTowerOptions.builder().dimension(4).biases(true).build();

  @ParameterizedTest
  @EnumSource(RowOptimizer.Kind.class)
  void towersAreTheSame(RowOptimizer.Kind kind) {
    assertSame(Trained.towers(wide(), TOWERS, SAMPLING), options(kind, 2), 0.5, 2);
  }

  @ParameterizedTest
  @EnumSource(RowOptimizer.Kind.class)
  void sequencesAreTheSame(RowOptimizer.Kind kind) {
    SequenceSampling few = SequenceSampling.builder().negatives(2).inBatch(3).build();
    assertSame(Trained.sequences(SEQUENCES, few), options(kind, 1), 0.8, 1);
  }

  @Test
  void stepsOfSeveralBatchesAreTheSame() {
    TrainingOptions.Builder options = options(RowOptimizer.Kind.ADAM, 1).accumulate(2);
    assertSame(Trained.towers(wide(), TOWERS, SAMPLING), options, 0.5, 2);
  }

  /** Without its closed form, with which it agrees within rounding. */
  @Test
  void factorsAreThoseOfTheClosedForm() {
    Trained.Learner learner = factors();
    TrainingOptions.Builder options = options(RowOptimizer.Kind.ADAGRAD, 2);
    long all = bytes(learner, RowOptimizer.Kind.ADAGRAD);
    Trained part = Trained.by(learner, options.tableMemory(all * 7 / 10).build());
    assertThat(part.result().rowCache()).isNotEmpty();
    part.assertClose(Trained.by(learner, options.tableMemory(0).build()), 1e-5);
  }

  /** Few rows over many users and items. */
  private static Interactions wide() {
    Random random = new Random(6);
    Interactions.Builder rows = Interactions.builder(Fixture.ids("u", 50), Fixture.ids("i", 70));
    for (int row = 0; row < 120; row++) {
      int item = (int) (70 * Math.pow(random.nextDouble(), 2));
      rows.add(random.nextInt(50), item, EventType.CLICK, 1, 1, row, InteractionFeatures.UNKNOWN);
    }
    return rows.build();
  }

  private static Trained.Learner factors() {
    return (scope, seed) -> {
      Interactions data = Fixture.interactions(3);
      EntityFeatures users = EntityFeatures.none(data.numUsers());
      EntityFeatures items = EntityFeatures.none(data.numItems());
      TwoTower model = new TwoTower(scope, users, items, IDS, seed);
      return new TwoTowerTask(model, data, users, items, SAMPLING, 0.25f, 5);
    };
  }

  private static void assertSame(
      Trained.Learner learner, TrainingOptions.Builder options, double share, int cached) {
    RowOptimizer.Kind kind = options.build().rowOptimizer();
    long budget = (long) (share * bytes(learner, kind));
    Trained whole =
        Trained.by(learner, run(options.tableMemory(0), 1, TrainingListener.NONE, null));
    Trained part =
        Trained.by(learner, run(options.tableMemory(budget), 1, TrainingListener.NONE, null));
    part.assertSame(whole, "a part on the device");
    assertThat(whole.result().rowCache()).isEmpty();
    List<RowCacheReport> reports = part.result().rowCache();
    assertThat(reports).hasSizeGreaterThanOrEqualTo(cached);
    for (RowCacheReport report : reports) {
      assertThat(report.slots()).isLessThan(report.rows());
      assertThat(report.hits()).as(report.table()).isBetween(1L, report.reads() - 1);
      assertThat(report.hitRate()).isBetween(0.0, 1.0);
    }
    assertThat(bytesOnDevice(learner, options.build())).isLessThanOrEqualTo(budget);
  }

  /** What the tables and their accumulators take if they are whole. */
  private static long bytes(Trained.Learner learner, RowOptimizer.Kind kind) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            long bytes = 0;
            for (NamedParameter parameter : learner.learn(scope, 1).parameters()) {
              if (parameter.table()) {
                NDArray value = parameter.parameter().getArray();
                bytes += value.getShape().get(0) * kind.rowBytes(value.getShape().get(1));
              }
            }
            return bytes;
          }
        });
  }

  /** The arrays of whole tables, and those of the slots of others. */
  private static long bytesOnDevice(Trained.Learner learner, TrainingOptions options) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu());
              Scope session = scope.child()) {
            List<NamedParameter> tables =
                learner.learn(scope, 1).parameters().stream()
                    .filter(NamedParameter::table)
                    .collect(Collectors.toList());
            TableBudget budget = TableBudget.of(tables, options);
            long bytes = 0;
            for (NamedParameter parameter : tables) {
              TrainedTable table =
                  new TrainedTable(session, parameter, options.rowOptimizer(), budget);
              NDArray values = table.cache() == null ? table.value() : table.cache().slots();
              bytes += 4 * values.size();
              for (NDArray state : table.optimizer().state().values()) {
                bytes += 4 * state.size();
              }
            }
            return bytes;
          }
        });
  }

  @Test
  void aRunGoesOnBehindAnyStep(@TempDir Path folder) {
    Trained.Learner learner = Trained.towers(wide(), TOWERS, SAMPLING);
    long budget = bytes(learner, RowOptimizer.Kind.ADAM) / 2;
    TrainingOptions.Builder options =
        options(RowOptimizer.Kind.ADAM, 2).batchSize(3).epochs(1).tableMemory(budget);
    Trained whole = Trained.by(learner, run(options, 1, TrainingListener.NONE, null));
    for (int cut : new int[] {1, 7, 23, 40}) {
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
      CheckpointOptions place = new CheckpointOptions(file, Duration.ZERO, true, "a");
      assertThatThrownBy(() -> Trained.by(learner, run(options, 1, cutting, place)))
          .hasMessageContaining("cut off");
      Trained.by(learner, run(options, cut == 1 ? 1 : 99, TrainingListener.NONE, place))
          .assertSame(whole, "cut at " + cut);
    }
  }

  @Test
  void hooksSeeTheSameSteps() {
    Trained.Learner learner = factors();
    TrainingOptions.Builder options = options(RowOptimizer.Kind.ADAGRAD, 2);
    long budget = bytes(learner, RowOptimizer.Kind.ADAGRAD) * 7 / 10;
    StepHook watching = new StepHook() {};
    Trained whole =
        Trained.by(
            learner,
            new Trained.Run(
                options.build(), 1, List.of(watching), TrainingListener.NONE, null, true));
    Trained part =
        Trained.by(
            learner,
            new Trained.Run(
                options.tableMemory(budget).build(),
                1,
                List.of(watching),
                TrainingListener.NONE,
                null,
                true));
    part.assertSame(whole, "watched");
  }

  /** Looking ahead reads the rows of other batches between those of a step. */
  @Test
  void aPolicyThatWeighsExamplesLooksAheadAlike() {
    Interactions data = wide();
    float[] features = new float[data.size()];
    for (int row = 0; row < features.length; row++) {
      features[row] = row % 3 - 1;
    }
    ExampleFeatures columns =
        ExampleFeatures.of(new ExampleFeatures.Columns(List.of("a"), features));
    WeightingOptions weighting = WeightingOptions.builder().every(1).warmUpEpochs(0).build();
    Trained.Learner learner = Trained.towers(data, TOWERS, SAMPLING);
    TrainingOptions.Builder options = options(RowOptimizer.Kind.ADAM, 2);
    long budget = bytes(learner, RowOptimizer.Kind.ADAM) * 8 / 10;
    List<Trained> both = new ArrayList<>();
    for (long memory : new long[] {0, budget}) {
      ExampleWeighting policy =
          new ExampleWeighting(
              weighting, columns, data.filter(r -> r % 9 == 0), data.filter(r -> r % 9 == 1));
      both.add(
          Trained.by(
              learner,
              new Trained.Run(
                  options.tableMemory(memory).build(),
                  1,
                  List.of(policy),
                  TrainingListener.NONE,
                  null,
                  false)));
      assertThat(policy.report().policySteps()).isPositive();
    }
    assertThat(both.get(1).result().rowCache()).isNotEmpty();
    both.get(1).assertSame(both.get(0), "weighed");
  }

  @Test
  void aBudgetTooSmallForABatchSaysWhatWouldDo() {
    Trained.Learner learner = Trained.towers(wide(), TOWERS, SAMPLING);
    TrainingOptions.Builder options = options(RowOptimizer.Kind.ADAGRAD, 20);
    assertThatThrownBy(() -> Trained.by(learner, options.tableMemory(200).build()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageMatching(
            "a step reads \\d+ rows of '[a-z.]+', but of the 200 bytes of tableMemory .*"
                + " set tableMemory to about \\d+ bytes, or learn from fewer examples a step.*");
    long memory = 200;
    int refusals = 0;
    while (memory > 0) {
      try {
        Trained.by(learner, options.tableMemory(memory).build());
        break;
      } catch (InvalidInputException e) {
        Matcher advice = Pattern.compile("to about (\\d+) bytes").matcher(e.getMessage());
        assertThat(advice.find()).isTrue();
        memory = Long.parseLong(advice.group(1));
        refusals++;
      }
    }
    assertThat(refusals).as("advice that was followed and did not do").isBetween(1, 6);
    assertThatThrownBy(() -> options.tableMemory(-1).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("tableMemory must be >= 0 but was -1");
  }

  private static Trained.Run run(
      TrainingOptions.Builder options,
      long seed,
      TrainingListener listener,
      @Nullable CheckpointOptions checkpoints) {
    return new Trained.Run(options.build(), seed, List.of(), listener, checkpoints, true);
  }

  private static TrainingOptions.Builder options(RowOptimizer.Kind kind, int batch) {
    return TrainingOptions.builder()
        .epochs(2)
        .batchSize(batch)
        .rowOptimizer(kind)
        .learningRate(0.01f)
        .l2(0.01f)
        .clipNorm(0.5)
        .schedule(Schedule.COSINE)
        .patience(0);
  }
}
