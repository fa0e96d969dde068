package io.sextant.train;

import static io.sextant.train.Steered.IDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Policies that weigh steps on the device, beside the same policies over recorded steps. */
class ResidentWeightingTest {

  private static final int BATCH = 256;
  private static final long TASK_SEED = 5;
  private static final int EVERY = 4;
  private static final WeightingOptions LEARNING =
      WeightingOptions.builder()
          .every(EVERY)
          .learningRate(0.03f)
          .metaBatchSize(256)
          .warmUpEpochs(1)
          .build();

  /** What a training came to. */
  private record Run(
      List<Map<String, float[]>> epochs,
      TrainingResult result,
      int prepared,
      List<Integer> arrays,
      List<Long> operations) {}

  private static Run train(
      Interactions data, Objective objective, boolean resident, ExampleWeigher weigher) {
    boolean shared = objective.sharedNegatives();
    SamplingOptions sampling =
        SamplingOptions.builder().objective(objective).negatives(shared ? 30 : 2).build();
    return TensorThreads.call(
        () -> {
          try (Fixture f = new Fixture(data, IDS, sampling, 1)) {
            ForcedResident<TwoTowerBatch> task =
                resident
                    ? ForcedResident.of(
                        f.task(),
                        ForcedResident.hostDraws(data, sampling, TASK_SEED, BATCH),
                        ForcedResident.hostSharedDraws(data, 0, sampling.negatives(), TASK_SEED))
                    : new ForcedResident<>(f.task(), null);
            List<Map<String, float[]>> epochs = new ArrayList<>();
            List<Integer> arrays = new ArrayList<>();
            List<Long> operations = new ArrayList<>();
            TrainingListener listener =
                new TrainingListener() {
                  @Override
                  public void onStep(TrainingProgress progress) {
                    if (task.last != null && task.session != null) {
                      arrays.add(task.session.manager().getManagedArrays().size());
                      operations.add(task.last.operations());
                    }
                  }

                  @Override
                  public void onEpoch(
                      int epoch, double loss, Map<String, Double> validation, boolean best) {
                    epochs.add(f.values());
                  }
                };
            TrainingResult result =
                new Trainer(Steered.options(4, 0.1f), List.of(weigher), listener, null)
                    .train(f.scope(), task, null);
            return new Run(epochs, result, task.prepared, arrays, operations);
          }
        });
  }

  private static void assertSame(Run actual, Run expected, double tolerance) {
    for (int epoch = 0; epoch < 4; epoch++) {
      for (Map.Entry<String, float[]> entry : expected.epochs.get(epoch).entrySet()) {
        float[] values = Objects.requireNonNull(actual.epochs.get(epoch).get(entry.getKey()));
        for (int i = 0; i < values.length; i++) {
          assertThat((double) values[i])
              .as("%s, number %d, epoch %d", entry.getKey(), i, epoch)
              .isCloseTo(
                  entry.getValue()[i], within(tolerance * (1 + Math.abs(entry.getValue()[i]))));
        }
      }
      double loss = expected.result.meanLosses().get(epoch);
      assertThat(actual.result.meanLosses().get(epoch)).isCloseTo(loss, within(tolerance * loss));
    }
  }

  private static ExampleFeatures features(NoisyGroups data, boolean all) {
    return all
        ? new ExampleFeatures(
            columns("active", NoisyGroups.USERS),
            columns("popular", NoisyGroups.ITEMS),
            data.features.interactions(),
            true)
        : data.features;
  }

  private static ExampleFeatures.Columns columns(String name, int rows) {
    Random random = new Random(rows);
    float[] values = new float[rows];
    for (int row = 0; row < rows; row++) {
      values[row] = (float) random.nextGaussian();
    }
    return new ExampleFeatures.Columns(List.of(name), values);
  }

  @ParameterizedTest
  @CsvSource({"BPR,false", "BPR,true", "SAMPLED_SOFTMAX,false", "SAMPLED_SOFTMAX,true"})
  void weightsAreThoseOfRecordedSteps(Objective objective, boolean allFeatures) {
    NoisyGroups data = new NoisyGroups(1, true);
    ExampleFeatures features = features(data, allFeatures);
    ExampleWeighting first = new ExampleWeighting(LEARNING, features, data.metaSet, data.guardSet);
    Run recorded = train(data.train, objective, false, first);
    ExampleWeighting second = new ExampleWeighting(LEARNING, features, data.metaSet, data.guardSet);
    Run resident = train(data.train, objective, true, second);

    // Policies learn from differences of losses, in which rounding counts for more.
    assertSame(resident, recorded, 2e-3);
    assertThat(second.report().outcome()).isEqualTo(WeightReport.Outcome.LEARNED);
    assertThat(second.report().policySteps()).isEqualTo(first.report().policySteps());
    float[] weights = second.weights();
    for (int row = 0; row < weights.length; row++) {
      assertThat(weights[row]).isCloseTo(first.weights()[row], within(0.01f));
    }
    assertThat(spread(weights)).isGreaterThan(0.3f);
    // Ordinary steps have not asked the host for a batch: the policy's were prepared to look
    // ahead, again for the guard at every second, and for the present losses; so were all at the
    // end.
    long policySteps = second.report().policySteps();
    long atTheEnd = 2;
    assertThat((long) resident.prepared).isBetween(policySteps, 3 * policySteps + atTheEnd);
    assertThat(recorded.prepared - resident.prepared).isGreaterThan((int) (2 * policySteps));
    // Nothing is left of a step, and all steps are of as many operations, also the smaller last.
    int steps = resident.arrays.size();
    assertThat(resident.arrays.subList(steps / 2, steps))
        .containsOnly(resident.arrays.get(steps / 2));
    assertThat(resident.operations.subList(steps / 2, steps))
        .containsOnly(resident.operations.get(steps / 2));
  }

  private static float spread(float[] values) {
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return most - least;
  }

  @Test
  void weightsThatCollapseAreOneFromThenOn() {
    NoisyGroups data = new NoisyGroups(2, true);
    // A mean a little below 1 counts as a collapse already.
    WeightingOptions strict =
        WeightingOptions.builder()
            .every(EVERY)
            .learningRate(0.1f)
            .metaBatchSize(256)
            .warmUpEpochs(1)
            .collapse(0.9f)
            .build();
    ExampleWeighting first =
        new ExampleWeighting(strict, data.features, data.metaSet, data.guardSet);
    Run recorded = train(data.train, Objective.BPR, false, first);
    ExampleWeighting second =
        new ExampleWeighting(strict, data.features, data.metaSet, data.guardSet);
    Run resident = train(data.train, Objective.BPR, true, second);
    assertThat(first.report().outcome()).isEqualTo(WeightReport.Outcome.COLLAPSED);
    assertThat(second.report().outcome()).isEqualTo(WeightReport.Outcome.COLLAPSED);
    assertSame(resident, recorded, 2e-3);
  }

  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"BPR", "SAMPLED_SOFTMAX"})
  void ratesAndObjectivesAreThoseOfRecordedSteps(Objective objective) {
    NoisyGroups data = new NoisyGroups(3, true);
    Interactions typed = typed(data);
    StepPolicyOptions options = StepPolicyOptions.builder().windows(3).metaBatchSize(300).build();
    StepPolicy first = new StepPolicy(options, data.metaSet, data.guardSet);
    Run recorded = train(typed, objective, false, first);
    StepPolicy second = new StepPolicy(options, data.metaSet, data.guardSet);
    Run resident = train(typed, objective, true, second);
    assertSame(resident, recorded, 2e-3);
    assertThat(second.report().rates().user())
        .isCloseTo(first.report().rates().user(), within(1e-3));
    assertThat(second.report().rates().user()).isNotEqualTo(second.report().start().user());
    first
        .report()
        .objectives()
        .forEach(
            (type, weight) ->
                assertThat(second.report().objectives().get(type)).isCloseTo(weight, within(0.01)));
    assertThat(resident.prepared).isLessThan(recorded.prepared);
  }

  private static Interactions typed(NoisyGroups data) {
    Interactions.Builder typed = Interactions.builder(data.train.users(), data.train.items());
    for (int row = 0; row < data.train.size(); row++) {
      typed.add(
          data.train.userAt(row),
          data.train.itemAt(row),
          data.corrupt[row] ? EventType.VIEW : EventType.PURCHASE,
          Float.NaN,
          1,
          data.train.timeAt(row),
          InteractionFeatures.UNKNOWN);
    }
    return typed.build();
  }
}
