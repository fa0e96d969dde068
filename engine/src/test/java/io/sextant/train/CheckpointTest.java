package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.SafetensorsFile;
import io.sextant.tensor.RowOptimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

  private static final int EPOCHS = 4;
  private static final int STEPS = 16;

  /** The ends, and both sides of the end of an epoch. */
  private static final int[] CUTS = {1, 2, 4, 5, 11, STEPS};

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(RowOptimizer.Kind.class)
  void aRunThatIsCutOffAtAnyStepEndsAsIfNothingHadHappened(RowOptimizer.Kind kind) {
    Outcome undisturbed = train(kind, 1, null, -1);
    assertThat(undisturbed.result().steps()).isEqualTo(STEPS);
    assertThat(undisturbed.result().bestEpoch())
        .as("the best values come from before most of the cuts")
        .isEqualTo(0);
    for (int cut : CUTS) {
      Path file = folder.resolve("cut-" + cut + ".safetensors");
      int step = cut;
      assertThatThrownBy(() -> train(kind, 1, checkpoints(file, false, "a"), step))
          .isInstanceOf(Cut.class);
      // Another seed of the model shows that the values come from the file alone.
      long modelSeed = Files.exists(file) ? 99 : 1;
      Outcome resumed = train(kind, modelSeed, checkpoints(file, true, "a"), -1);
      assertSame(resumed, undisturbed, kind + " cut at step " + cut);
    }
  }

  @ParameterizedTest
  @EnumSource(RowOptimizer.Kind.class)
  void aRunThatIsCutOffTwiceEndsAsIfNothingHadHappened(RowOptimizer.Kind kind) {
    Outcome undisturbed = train(kind, 1, null, -1);
    Path file = folder.resolve("twice.safetensors");
    assertThatThrownBy(() -> train(kind, 1, checkpoints(file, false, "a"), 6))
        .isInstanceOf(Cut.class);
    assertThatThrownBy(() -> train(kind, 98, checkpoints(file, true, "a"), 11))
        .isInstanceOf(Cut.class);
    assertSame(train(kind, 99, checkpoints(file, true, "a"), -1), undisturbed, "cut twice");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 6, STEPS - 1})
  void anInterruptedRunSavesAndGoesOnAsIfNothingHadHappened(int step) {
    Outcome undisturbed = train(RowOptimizer.Kind.ADAM, 1, null, -1);
    Path file = folder.resolve("interrupted.safetensors");
    CheckpointOptions rare = new CheckpointOptions(file, Duration.ofDays(1), false, "a");
    assertThatThrownBy(() -> interruptAt(step, rare))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted at step " + step + " of " + STEPS)
        .hasMessageContaining(file.toString());
    try (SafetensorsFile saved = SafetensorsFile.open(file)) {
      assertThat(saved.metadata().get("sextant.state")).contains("\"step\":" + step + ",");
    }
    assertSame(
        train(RowOptimizer.Kind.ADAM, 99, checkpoints(file, true, "a"), -1),
        undisturbed,
        "interrupted at step " + step);
  }

  @Test
  void anInterruptWithoutAPlaceToSaveSaysSo() {
    assertThatThrownBy(() -> interruptAt(3, null))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted at step 3")
        .hasMessageContaining("nothing was saved");
  }

  @Test
  void anInterruptInValidationRepeatsTheValidation() {
    Outcome undisturbed = train(RowOptimizer.Kind.ADAM, 1, null, -1);
    Path file = folder.resolve("validation.safetensors");
    Function<Fixture, Double> broken =
        fixture -> {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("interrupted in the middle");
        };
    assertThatThrownBy(
            () ->
                train(
                    RowOptimizer.Kind.ADAM,
                    1,
                    checkpoints(file, false, "a"),
                    TrainingListener.NONE,
                    broken))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted at step 4")
        .hasRootCauseMessage("interrupted in the middle");
    assertSame(
        train(RowOptimizer.Kind.ADAM, 99, checkpoints(file, true, "a"), -1),
        undisturbed,
        "interrupted in validation");
  }

  @Test
  void anInterruptWhileACheckpointIsWrittenCostsNoCheckpoint() {
    Outcome undisturbed = train(RowOptimizer.Kind.ADAM, 1, null, -1);
    Path file = folder.resolve("late.safetensors");
    // The end of an epoch saves, whatever the interval, and meets the interrupt.
    Function<Fixture, Double> late =
        fixture -> {
          Thread.currentThread().interrupt();
          return norm(fixture);
        };
    CheckpointOptions rare = new CheckpointOptions(file, Duration.ofDays(1), false, "a");
    assertThatThrownBy(() -> train(RowOptimizer.Kind.ADAM, 1, rare, TrainingListener.NONE, late))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted at step 5");
    assertSame(
        train(RowOptimizer.Kind.ADAM, 99, checkpoints(file, true, "a"), -1), undisturbed, "late");
  }

  private static Outcome interruptAt(int step, @Nullable CheckpointOptions checkpoints) {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            if (progress.step() == step) {
              Thread.currentThread().interrupt();
            }
          }
        };
    return train(RowOptimizer.Kind.ADAM, 1, checkpoints, listener, CheckpointTest::norm);
  }

  @Test
  void aFinishedRunIsNotTrainedFurther() {
    Path file = folder.resolve("done.safetensors");
    Outcome first = train(RowOptimizer.Kind.ADAM, 1, checkpoints(file, true, "a"), -1);
    Outcome second = train(RowOptimizer.Kind.ADAM, 99, checkpoints(file, true, "a"), 1);
    assertSame(second, first, "finished");
  }

  @Test
  void withoutResumeAnOldFileIsNotRead() {
    Path file = folder.resolve("old.safetensors");
    Outcome first = train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, false, "a"), -1);
    Outcome second = train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, false, "b"), -1);
    assertSame(second, first, "started afresh");
  }

  @Test
  void aCheckpointOfAnotherRunIsRefused() {
    Path file = folder.resolve("other.safetensors");
    train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, false, "mine"), -1);
    assertThatThrownBy(
            () -> train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, true, "yours"), -1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("mine, not yours");
  }

  @Test
  void aDamagedCheckpointIsRefused() throws IOException {
    Path file = folder.resolve("damaged.safetensors");
    train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, false, "a"), -1);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 5));
    assertThatThrownBy(() -> train(RowOptimizer.Kind.ADAGRAD, 1, checkpoints(file, true, "a"), -1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("damaged.safetensors");
  }

  private static CheckpointOptions checkpoints(Path file, boolean resume, String fingerprint) {
    return new CheckpointOptions(file, Duration.ZERO, resume, fingerprint);
  }

  private static Outcome train(
      RowOptimizer.Kind kind, long modelSeed, @Nullable CheckpointOptions checkpoints, int cut) {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            if (progress.step() == cut) {
              throw new Cut();
            }
          }
        };
    return train(kind, modelSeed, checkpoints, listener, CheckpointTest::norm);
  }

  private static Outcome train(
      RowOptimizer.Kind kind,
      long modelSeed,
      @Nullable CheckpointOptions checkpoints,
      TrainingListener listener,
      Function<Fixture, Double> score) {
    TwoTowerOptions shape =
        TwoTowerOptions.builder()
            .dimension(4)
            .biases(true)
            .history(TwoTowerOptions.History.SHARED)
            .lastItem(true)
            .hidden(List.of(3))
            .build();
    SamplingOptions sampling = SamplingOptions.builder().negatives(4).idDropout(0.2f).build();
    TrainingOptions options =
        TrainingOptions.builder()
            .epochs(EPOCHS)
            .batchSize(15)
            .rowOptimizer(kind)
            .learningRate(0.01f)
            .weightDecay(0.01f)
            .l2(0.01f)
            .clipNorm(1)
            .schedule(Schedule.COSINE)
            .patience(0)
            .build();
    return Fixture.with(
        shape,
        sampling,
        modelSeed,
        fixture -> {
          Validation validation = fixture.validation(score, false);
          TrainingResult result =
              fixture.train(options, List.of(), listener, checkpoints, validation);
          return new Outcome(fixture.values(), result);
        });
  }

  /** It grows while the model learns, so that the first epoch is the best. */
  private static double norm(Fixture fixture) {
    double sum = 0;
    for (float value : fixture.value("item.id")) {
      sum += (double) value * value;
    }
    return sum;
  }

  private static void assertSame(Outcome actual, Outcome expected, String as) {
    assertThat(actual.values().keySet()).as(as).isEqualTo(expected.values().keySet());
    expected.values().forEach((n, v) -> assertThat(actual.values().get(n)).as(as + n).isEqualTo(v));
    assertThat(actual.result())
        .as(as)
        .usingRecursiveComparison()
        .ignoringFields("examplesPerSecond")
        .isEqualTo(expected.result());
  }

  private record Outcome(Map<String, float[]> values, TrainingResult result) {}

  private static final class Cut extends RuntimeException {
    private static final long serialVersionUID = 1;
  }
}
