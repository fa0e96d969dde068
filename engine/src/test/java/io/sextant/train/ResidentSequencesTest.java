package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.Parity;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sequences that are trained on the device, on the CPU as a device like others. */
class ResidentSequencesTest {

  private static final long TASK_SEED = 7;
  private static final int BATCH = 16;
  private static final SequenceOptions PLAIN = shape().build();
  private static final SequenceSampling SAMPLING = sampling().build();

  private static SequenceOptions.Builder shape() {
    return SequenceOptions.builder()
        .dimension(8)
        .hidden(10)
        .historyLength(6)
        .initStd(0.3f)
        .dropout(0)
        .similarity(TwoTowerOptions.Similarity.DOT);
  }

  private static SequenceSampling.Builder sampling() {
    return SequenceSampling.builder().negatives(20).inBatch(30);
  }

  private static TrainingOptions.Builder training() {
    return TrainingOptions.builder()
        .batchSize(BATCH)
        .epochs(2)
        .learningRate(0.01f)
        .itemLearningRate(0.05f)
        .patience(0);
  }

  /**
   * Users of 0 to 14 rows, of which longer ones are cut; small items are popular, some come twice.
   */
  static Interactions interactions(int users, int items) {
    Random random = new Random(11);
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", users), Fixture.ids("i", items));
    for (int user = 0; user < users; user++) {
      int degree = user % 15;
      for (int i = 0; i < degree; i++) {
        rows.add(
            user,
            (int) (items * Math.pow(random.nextDouble(), 2)),
            EventType.CLICK,
            Float.NaN,
            0.5f + random.nextFloat(),
            Event.NO_TIME,
            InteractionFeatures.UNKNOWN);
      }
    }
    return rows.build();
  }

  /** What a training came to. */
  private record Run(
      List<Map<String, float[]>> steps,
      TrainingResult result,
      int prepared,
      List<Integer> arrays,
      List<Long> operations) {}

  /** A training by steps on the device, with the host's draws or its own, or by recorded ones. */
  private enum Form {
    RECORDED,
    WITH_HOST_DRAWS,
    RESIDENT
  }

  private static Run train(
      Device device,
      Interactions data,
      SequenceOptions shape,
      SequenceSampling sampling,
      TrainingOptions training,
      Form form,
      List<StepHook> hooks) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(device)) {
            SequenceEncoder encoder = new SequenceEncoder(scope, data.numItems(), shape, 1);
            SequenceTask task = new SequenceTask(scope, encoder, data, sampling, TASK_SEED);
            SharedNegatives drawn =
                form == Form.WITH_HOST_DRAWS
                    ? ForcedResident.hostSharedDraws(
                        data, sampling.popularityPower(), sampling.negatives(), TASK_SEED)
                    : null;
            ForcedResident<SequenceBatch> forced =
                new ForcedResident<>(
                    task, form == Form.RECORDED ? null : session -> task.resident(session, drawn));
            return run(scope, forced, training, hooks);
          }
        });
  }

  private static Run run(
      Scope model,
      ForcedResident<SequenceBatch> task,
      TrainingOptions training,
      List<StepHook> hooks) {
    List<Map<String, float[]>> steps = new ArrayList<>();
    List<Integer> arrays = new ArrayList<>();
    List<Long> operations = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            steps.add(values(task));
            if (task.last != null && task.session != null) {
              arrays.add(task.session.manager().getManagedArrays().size());
              operations.add(task.last.operations());
            }
          }
        };
    TrainingResult result = new Trainer(training, hooks, listener, null).train(model, task, null);
    return new Run(steps, result, task.prepared, arrays, operations);
  }

  private static Map<String, float[]> values(LearningTask<?> task) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (NamedParameter parameter : task.parameters()) {
      values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return values;
  }

  static Stream<Arguments> settings() {
    return Stream.of(
        Arguments.of(PLAIN, SAMPLING, training().build()),
        Arguments.of(
            shape().heads(2).blocks(2).distances(true).dropout(0.3f).build(),
            sampling().popularityPower(0.75f).logQ(false).build(),
            training().rowOptimizer(RowOptimizer.Kind.ADAM).weightDecay(0.1f).build()),
        Arguments.of(
            shape().similarity(TwoTowerOptions.Similarity.COSINE).temperature(0.3f).build(),
            sampling().inBatch(0).popularityPower(0.5f).build(),
            training().l2(0.02f).clipNorm(0.5).schedule(Schedule.COSINE).build()),
        Arguments.of(
            shape().normFirst(false).positions(false).distances(true).build(),
            sampling().negatives(0).inBatch(1000).build(),
            training().clipNorm(0.01).build()));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void everyStepIsThatOfTheRecording(
      SequenceOptions shape, SequenceSampling sampling, TrainingOptions training) {
    Interactions data = interactions(90, 40);
    Device cpu = Device.cpu();
    Run recorded = train(cpu, data, shape, sampling, training, Form.RECORDED, List.of());
    Run resident = train(cpu, data, shape, sampling, training, Form.WITH_HOST_DRAWS, List.of());
    assertThat(resident.prepared).isZero();
    assertThat(resident.steps).hasSameSizeAs(recorded.steps).hasSizeGreaterThan(10);
    assertSame(resident, recorded, shape.dimension(), 1e-3);
    for (int epoch = 0; epoch < 2; epoch++) {
      double loss = recorded.result.meanLosses().get(epoch);
      assertThat(resident.result.meanLosses().get(epoch)).isCloseTo(loss, within(1e-4 * loss));
    }
  }

  private static void assertSame(Run actual, Run expected, int dimension, double tolerance) {
    for (int step = 0; step < actual.steps.size(); step++) {
      for (Map.Entry<String, float[]> entry : expected.steps.get(step).entrySet()) {
        float[] wanted = entry.getValue();
        float[] values = Objects.requireNonNull(actual.steps.get(step).get(entry.getKey()));
        boolean ofAttention = entry.getKey().endsWith("queryKeyValue.bias");
        for (int i = 0; i < values.length; i++) {
          // A bias of keys cancels; rounding is left, which Adam scales up.
          if (!ofAttention || i < dimension || i >= 2 * dimension) {
            assertThat((double) values[i])
                .as("%s, number %d, step %d", entry.getKey(), i, step)
                .isCloseTo(wanted[i], within(tolerance * (1 + Math.abs(wanted[i]))));
          }
        }
      }
    }
  }

  @Test
  void weightsOfTargetsAreThoseOfRecordedSteps() {
    NoisyWalks data = new NoisyWalks(1, true);
    WeightingOptions learning =
        WeightingOptions.builder().every(4).learningRate(0.03f).warmUpEpochs(1).build();
    SequenceSampling sampling = sampling().inBatch(0).build();
    ExampleFeatures features =
        new ExampleFeatures(
            ExampleFeatures.Columns.NONE,
            ExampleFeatures.Columns.NONE,
            data.features.interactions(),
            true);
    List<Run> runs = new ArrayList<>();
    List<ExampleWeighting> policies = new ArrayList<>();
    for (Form form : List.of(Form.RECORDED, Form.WITH_HOST_DRAWS)) {
      ExampleWeighting policy =
          new ExampleWeighting(learning, features, data.metaSet, data.guardSet);
      policies.add(policy);
      runs.add(
          train(
              Device.cpu(),
              data.train,
              PLAIN,
              sampling,
              training().build(),
              form,
              List.of(policy)));
    }
    Run resident = runs.get(1);
    assertSame(resident, runs.get(0), PLAIN.dimension(), 5e-3);
    long policySteps = policies.get(1).report().policySteps();
    assertThat(policySteps).isPositive().isEqualTo(policies.get(0).report().policySteps());
    assertThat((long) resident.prepared).isLessThanOrEqualTo(3 * policySteps + 2);
    float[] weights = policies.get(1).weights();
    for (int row = 0; row < weights.length; row++) {
      assertThat(weights[row]).isCloseTo(policies.get(0).weights()[row], within(0.02f));
    }
    int steps = resident.arrays.size();
    assertThat(resident.arrays.subList(steps / 2 + 1, steps))
        .containsOnly(resident.arrays.get(steps - 1));
  }

  @Test
  void aStepIsAsManyOperationsWhateverTheSizes() {
    List<Long> counts = new ArrayList<>();
    List<Long> deeper = new ArrayList<>();
    for (int[] sizes : new int[][] {{5, 90, 40}, {60, 90, 40}, {60, 300, 5000}}) {
      TrainingOptions training = training().batchSize(sizes[0]).epochs(1).build();
      Interactions data = interactions(sizes[1], sizes[2]);
      for (SequenceOptions shape : List.of(PLAIN, shape().historyLength(12).build())) {
        counts.addAll(
            train(Device.cpu(), data, shape, SAMPLING, training, Form.RESIDENT, List.of())
                .operations);
      }
      SequenceOptions deep = shape().blocks(2).build();
      deeper.addAll(
          train(Device.cpu(), data, deep, SAMPLING, training, Form.RESIDENT, List.of()).operations);
    }
    System.getLogger("resident")
        .log(System.Logger.Level.INFO, "sequences: arrays made in a step: " + counts.get(0));
    assertThat(counts.get(0)).isBetween(100L, 600L);
    assertThat(counts).containsOnly(counts.get(0));
    assertThat(deeper).containsOnly(deeper.get(0));
    assertThat(deeper.get(0)).isGreaterThan(counts.get(0));
  }

  @Test
  void nothingIsLeftOfAStep() {
    long scopes = Scope.liveScopes();
    Run run =
        train(
            Device.cpu(),
            interactions(90, 40),
            shape().dropout(0.2f).distances(true).build(),
            SAMPLING,
            training().epochs(12).l2(0.01f).clipNorm(1).build(),
            Form.RESIDENT,
            List.of());
    assertThat(run.arrays).hasSizeGreaterThan(80);
    // The pool of dropped activations is the task's, not the session's.
    assertThat(run.arrays).containsOnly(run.arrays.get(0));
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @Test
  void withDrawsOfItsOwnItLearnsAsMuch() {
    NoisyWalks data = new NoisyWalks(2, true);
    TrainingOptions training = training().epochs(8).build();
    SequenceSampling sampling = sampling().popularityPower(0.5f).build();
    List<Double> host =
        train(Device.cpu(), data.train, PLAIN, sampling, training, Form.RECORDED, List.of())
            .result
            .meanLosses();
    List<Double> resident =
        train(Device.cpu(), data.train, PLAIN, sampling, training, Form.RESIDENT, List.of())
            .result
            .meanLosses();
    assertThat(resident.get(7)).isLessThan(0.9 * resident.get(0));
    assertThat(resident.get(7)).isCloseTo(host.get(7), within(0.05 * host.get(7)));
  }

  @Test
  void anotherDeviceHasTheSameLosses() {
    assertSameLosses(Parity.device());
  }

  @Test
  @Tag("gpu")
  void aGpuHasTheSameLosses() {
    assertSameLosses(Devices.parse("cuda"));
  }

  private static void assertSameLosses(Device other) {
    Interactions data = interactions(90, 40);
    SequenceOptions shape = shape().dropout(0.2f).distances(true).build();
    TrainingOptions training = training().build();
    Run here = train(Device.cpu(), data, shape, SAMPLING, training, Form.RESIDENT, List.of());
    Run there = train(other, data, shape, SAMPLING, training, Form.RESIDENT, List.of());
    for (int epoch = 0; epoch < 2; epoch++) {
      double loss = here.result.meanLosses().get(epoch);
      assertThat(there.result.meanLosses().get(epoch)).isCloseTo(loss, within(1e-3 * loss));
    }
  }

  @Test
  void aLossThatIsNotFiniteMovesNothingAndIsCounted() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Interactions data = interactions(90, 40);
            SequenceEncoder encoder = new SequenceEncoder(scope, data.numItems(), PLAIN, 1);
            SequenceTask task = new SequenceTask(scope, encoder, data, SAMPLING, TASK_SEED);
            FloatBuffer items = HostArrays.view(encoder.itemVectors(scope));
            for (int i = 0; i < items.capacity(); i++) {
              items.put(i, Float.NaN);
            }
            Map<String, float[]> before = values(task);
            Run run =
                run(
                    scope,
                    new ForcedResident<>(task, session -> task.resident(session, null)),
                    training().epochs(1).build(),
                    List.of());
            assertThat(run.result.skippedSteps()).isEqualTo(run.steps.size());
            Map<String, float[]> after = values(task);
            before.forEach((name, value) -> assertThat(after.get(name)).as(name).isEqualTo(value));
          }
        });
  }
}
