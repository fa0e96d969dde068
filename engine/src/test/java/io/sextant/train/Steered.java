package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Small trainings with hooks, after which no native memory is left behind. */
final class Steered {

  static final TwoTowerOptions IDS = TwoTowerOptions.builder().dimension(8).build();
  static final TwoTowerOptions TOWERS =
      TwoTowerOptions.builder()
          .dimension(8)
          .history(TwoTowerOptions.History.SHARED)
          .historyLength(10)
          .hidden(List.of(8))
          .build();
  static final SequenceOptions SEQUENCES =
      SequenceOptions.builder().dimension(16).historyLength(8).hidden(16).dropout(0.1f).build();

  private final List<StepHook> hooks;
  private @Nullable CheckpointOptions checkpoints;
  private TrainingListener listener = TrainingListener.NONE;

  private Steered(List<StepHook> hooks) {
    this.hooks = hooks;
  }

  static Steered by(StepHook... hooks) {
    return new Steered(List.of(hooks));
  }

  /** Saved after each epoch, and gone on with if there is something to go on with. */
  Steered saved(Path file, boolean resume) {
    checkpoints = new CheckpointOptions(file, Duration.ofDays(1), resume, "run");
    return this;
  }

  /** Interrupted after a step. */
  Steered killedAt(long step) {
    listener =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            if (progress.step() == step) {
              Thread.currentThread().interrupt();
            }
          }
        };
    return this;
  }

  /** The parameters of a two-tower model after a training. */
  Map<String, float[]> train(
      Interactions rows, TwoTowerOptions shape, Objective objective, TrainingOptions options) {
    SamplingOptions sampling =
        SamplingOptions.builder()
            .objective(objective)
            .negatives(objective == Objective.SAMPLED_SOFTMAX ? 20 : 3)
            .build();
    return leavingNothing(
        () -> {
          try (Fixture fixture = new Fixture(rows, shape, sampling, 1)) {
            fixture.train(options, hooks, listener, checkpoints, null);
            return fixture.values();
          }
        });
  }

  /** The parameters of a sequence model after a training. */
  Map<String, float[]> trainSequences(Interactions rows, TrainingOptions options) {
    return leavingNothing(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            SequenceEncoder encoder = new SequenceEncoder(scope, rows.numItems(), SEQUENCES, 1);
            SequenceSampling all = SequenceSampling.builder().negatives(40).inBatch(0).build();
            SequenceTask task = new SequenceTask(scope, encoder, rows, all, 1);
            new Trainer(options, hooks, listener, checkpoints).train(scope, task, null);
            Map<String, float[]> values = new LinkedHashMap<>();
            for (NamedParameter parameter : task.parameters()) {
              values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
            }
            return values;
          }
        });
  }

  private static <T> T leavingNothing(Callable<T> work) {
    long scopes = Scope.liveScopes();
    T result =
        TensorThreads.call(
            () -> {
              try {
                return work.call();
              } catch (RuntimeException e) {
                throw e;
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
    return result;
  }

  /** Without patience, in batches of 256. */
  static TrainingOptions options(int epochs, float rate) {
    return TrainingOptions.builder()
        .epochs(epochs)
        .batchSize(256)
        .userLearningRate(rate)
        .itemLearningRate(rate)
        .patience(0)
        .build();
  }

  /** Adam for all, in batches of 32 sequences. */
  static TrainingOptions sequenceOptions(int epochs, float rate) {
    return TrainingOptions.builder()
        .epochs(epochs)
        .batchSize(32)
        .learningRate(rate)
        .itemLearningRate(rate)
        .rowOptimizer(RowOptimizer.Kind.ADAM)
        .patience(0)
        .build();
  }

  /** The rows again with a type and a value. */
  static Interactions as(Interactions rows, EventType type, float value) {
    Interactions.Builder copy = Interactions.builder(rows.users(), rows.items());
    for (int row = 0; row < rows.size(); row++) {
      copy.add(
          rows.userAt(row),
          rows.itemAt(row),
          type,
          value,
          1,
          rows.timeAt(row),
          InteractionFeatures.UNKNOWN);
    }
    return copy.build();
  }

  static void assertEqualBits(Map<String, float[]> actual, Map<String, float[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, value) -> assertThat(actual.get(name)).as(name).isEqualTo(value));
  }
}
