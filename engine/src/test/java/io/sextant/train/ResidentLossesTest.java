package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.SextantException;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ResidentLossesTest {

  private static final int STEPS = 100;

  /** A form whose losses are 2, but for some that are no numbers. */
  private static final class Given implements ResidentForm {
    private final Scope session;
    private final LongPredicate bad;
    private final ResidentLosses losses;

    Given(Scope session, LongPredicate bad) {
      this.session = session;
      this.bad = bad;
      losses = new ResidentLosses(session);
    }

    @Override
    public void startEpoch(int[] examples, int batchSize) {
      assertThat(batchSize).isEqualTo(3);
    }

    @Override
    public void step(
        Position position, @Nullable Weigher weigher, ModelParameters parameters, float factor) {
      try (Scope step = session.child()) {
        float value = bad.test(position.step()) ? Float.NaN : 2;
        NDArray loss = step.manager().create(value);
        losses.add(loss, ResidentLosses.finite(loss), position.size());
      }
    }

    @Override
    public ResidentLosses.Totals takeTotals() {
      return losses.take();
    }

    @Override
    public long operations() {
      return 0;
    }
  }

  private record Task(LongPredicate bad) implements LearningTask<TwoTowerBatch>, ResidentForm.Task {

    @Override
    public int numExamples() {
      return 3 * STEPS - 1;
    }

    @Override
    public List<NamedParameter> parameters() {
      return List.of();
    }

    @Override
    public TwoTowerBatch prepare(Scope scope, int[] examples, long step) {
      throw new AssertionError("a resident step records nothing");
    }

    @Override
    public NDArray loss(ParameterStore values, TwoTowerBatch batch) {
      throw new AssertionError("a resident step records nothing");
    }

    @Override
    public ResidentForm residentForm(Scope session) {
      return new Given(session, bad);
    }
  }

  private static TrainingResult train(LongPredicate bad) {
    TrainingOptions options = TrainingOptions.builder().batchSize(3).epochs(1).patience(0).build();
    return Fixture.with(
        TwoTowerOptions.builder().dimension(2).build(),
        SamplingOptions.builder().build(),
        1,
        f ->
            new Trainer(options, List.of(), TrainingListener.NONE, null)
                .train(f.scope(), new Task(bad), null));
  }

  @Test
  void badLossesAreCountedAndLeftOut() {
    // Three in four, also the last batch, which is smaller.
    TrainingResult result = train(step -> step % 4 != 0);
    assertThat(result.skippedSteps()).isEqualTo(75);
    assertThat(result.meanLosses()).containsExactly(2.0);
  }

  @Test
  void manyInARowEndTheTraining() {
    // Across the place where losses are read, and within what is read at once.
    for (int from : new int[] {0, 20, 35}) {
      int end = from + 20;
      assertThat(train(step -> step >= from && step < end - 1).skippedSteps()).isEqualTo(19);
      assertThatThrownBy(() -> train(step -> step >= from && step < end))
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("20 steps in a row");
    }
  }

  @Test
  void aRowIsCountedFromReadingToReading() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            ResidentLosses losses = new ResidentLosses(scope);
            add(scope, losses, 1, Float.NaN, Float.POSITIVE_INFINITY);
            assertThat(losses.take()).isEqualTo(new ResidentLosses.Totals(5, 2, 10, 2, 2));
            add(scope, losses, Float.NaN, 2);
            assertThat(losses.take()).isEqualTo(new ResidentLosses.Totals(10, 1, 5, 0, 3));
            assertThat(losses.take()).isEqualTo(new ResidentLosses.Totals(0, 0, 0, 0, 0));
          }
        });
  }

  private static void add(Scope scope, ResidentLosses losses, float... values) {
    for (float value : values) {
      NDArray loss = scope.manager().create(value);
      losses.add(loss, ResidentLosses.finite(loss), 5);
    }
  }
}
