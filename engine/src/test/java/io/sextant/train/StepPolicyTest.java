package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StepPolicyTest {

  private static final TwoTowerOptions IDS = TwoTowerOptions.builder().dimension(8).build();
  private static final TwoTowerOptions TOWERS =
      TwoTowerOptions.builder()
          .dimension(8)
          .history(TwoTowerOptions.History.SHARED)
          .historyLength(10)
          .hidden(List.of(8))
          .build();
  private static final StepPolicyOptions LEARNING =
      StepPolicyOptions.builder().windows(2).metaBatchSize(1000).build();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void ratesFarTooLowRiseAndFarTooHighFall(long seed) {
    NoisyGroups data = new NoisyGroups(seed, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicyReport low = learn(clean, data, 0.003f, 6);
    assertThat(low.outcome()).isEqualTo(StepPolicyReport.Outcome.LEARNED);
    assertThat(low.rates().user()).as("seed %d", seed).isGreaterThan(2 * 0.003);
    assertThat(low.rates().item()).as("seed %d", seed).isGreaterThan(2 * 0.003);
    assertThat(metaLoss(low)).isLessThan(metaLoss(fixed(clean, data, 0.003f, 6)) - 0.05);
    StepPolicyReport high = learn(clean, data, 5, 10);
    assertThat(high.epochs().get(9).rates().item()).as("seed %d", seed).isLessThan(2.5);
    // Without dense parameters there is nothing to set alpha by.
    assertThat(low.rates().dense()).isCloseTo(low.start().dense(), within(1e-9));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void theTypeThatTheMetaSetAgreesWithGetsTheWeight(long seed) {
    NoisyGroups data = new NoisyGroups(seed, true);
    Interactions typed = typed(data);
    StepPolicy policy =
        new StepPolicy(
            StepPolicyOptions.builder().rates(false).windows(6).metaBatchSize(500).build(),
            data.metaSet,
            data.guardSet);
    train(typed, IDS, Objective.BPR, options(10, 0.1f), List.of(policy), null, null);
    StepPolicyReport report = policy.report();
    Map<EventType, Double> last = report.epochs().get(9).objectives();
    assertThat(last).containsOnlyKeys(EventType.VIEW, EventType.PURCHASE);
    double purchase = Objects.requireNonNull(last.get(EventType.PURCHASE));
    double view = Objects.requireNonNull(last.get(EventType.VIEW));
    assertThat(purchase).as("seed %d", seed).isGreaterThan(1.5 * view);
    double share = (double) typed.filter(row -> typed.typeAt(row) == EventType.VIEW).size();
    share /= typed.size();
    assertThat(share * view + (1 - share) * purchase).isCloseTo(1, within(1e-5));
    assertThat(report.rates().user()).isCloseTo(report.start().user(), within(1e-9));
  }

  @Test
  void towersLearnRatesOfAllThreeGroups() {
    NoisyGroups data = new NoisyGroups(1, true);
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    train(
        typed(data),
        TOWERS,
        Objective.SAMPLED_SOFTMAX,
        options(4, 0.01f),
        List.of(policy),
        null,
        null);
    StepPolicyReport report = policy.report();
    assertThat(report.rates().dense()).isGreaterThan(report.start().dense());
    assertThat(report.rates().item()).isGreaterThan(report.start().item());
    assertThat(report.objectives()).hasSize(2);
    assertThat(report.epochs()).hasSize(4);
    assertThat(report.epochs().get(3).guardLoss()).isLessThan(report.epochs().get(0).guardLoss());
  }

  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"BPR", "SAMPLED_SOFTMAX"})
  void aPolicyThatHasNotLearnedYetChangesNoBit(Objective objective) {
    NoisyGroups data = new NoisyGroups(1, true);
    Interactions typed = typed(data);
    StepPolicyOptions once = StepPolicyOptions.builder().build();
    StepPolicy policy = new StepPolicy(once, data.metaSet, data.guardSet);
    Map<String, float[]> plain =
        train(typed, IDS, objective, options(1, 0.1f), List.of(), null, null);
    assertEqualBits(
        train(typed, IDS, objective, options(1, 0.1f), List.of(policy), null, null), plain);
    assertThat(policy.report().outcome()).isEqualTo(StepPolicyReport.Outcome.NOT_BEGUN);
    StepPolicy on = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    assertThat(
            train(typed, IDS, objective, options(1, 0.1f), List.of(on), null, null).get("item.id"))
        .isNotEqualTo(plain.get("item.id"));
  }

  @ParameterizedTest
  @ValueSource(longs = {30, 36, 59})
  void aResumedRunEndsWithTheSameBits(long killedAt, @TempDir Path folder) {
    NoisyGroups data = new NoisyGroups(3, true);
    Interactions typed = typed(data);
    TrainingOptions options = options(4, 0.03f);
    StepPolicy whole = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    Map<String, float[]> expected =
        train(typed, IDS, Objective.BPR, options, List.of(whole), null, null);
    Path file = folder.resolve("checkpoint");
    TrainingListener kill =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            if (progress.step() == killedAt) {
              Thread.currentThread().interrupt();
            }
          }
        };
    StepPolicy killed = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    assertThatThrownBy(
            () ->
                train(
                    typed,
                    IDS,
                    Objective.BPR,
                    options,
                    List.of(killed),
                    checkpoint(file, false),
                    kill))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted");
    StepPolicy resumed = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    assertEqualBits(
        train(typed, IDS, Objective.BPR, options, List.of(resumed), checkpoint(file, true), null),
        expected);
    assertThat(resumed.report()).isEqualTo(whole.report());
    assertThat(resumed.report().policySteps()).isEqualTo(7);
  }

  @Test
  void metaLossesThatAreNotFinitePutTheRatesBack() {
    NoisyGroups data = new NoisyGroups(7, true);
    Interactions infinite = valued(data.metaSet, 3e38f);
    StepPolicy policy = new StepPolicy(LEARNING, infinite, null);
    Map<String, float[]> values =
        train(
            valued(data.train, 1),
            IDS,
            Objective.SQUARED_ERROR,
            options(6, 0.1f),
            List.of(policy),
            null,
            null);
    StepPolicyReport report = policy.report();
    assertThat(report.outcome()).isEqualTo(StepPolicyReport.Outcome.DIVERGED);
    assertThat(report.skippedSteps()).isEqualTo(5);
    assertThat(report.rates().user()).isCloseTo(report.start().user(), within(1e-6));
    assertEqualBits(
        values,
        train(
            valued(data.train, 1),
            IDS,
            Objective.SQUARED_ERROR,
            options(6, 0.1f),
            List.of(),
            null,
            null));
  }

  @Test
  void aRunThatLeadsNowhereIsCalledHarmful() {
    NoisyGroups data = new NoisyGroups(6, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, data.opposite);
    train(clean, IDS, Objective.BPR, options(8, 0.1f), List.of(policy), null, null);
    assertThat(policy.report().outcome()).isEqualTo(StepPolicyReport.Outcome.HARMFUL);
  }

  @Test
  void badSettingsAreRefused() {
    NoisyGroups data = new NoisyGroups(9, true);
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, null);
    assertThatThrownBy(policy::report).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () ->
                train(data.train, IDS, Objective.BPR, options(1, 10), List.of(policy), null, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("largest rate of user parameters is 10.0");
    StepPolicyOptions types = StepPolicyOptions.builder().rates(false).build();
    StepPolicy single = new StepPolicy(types, data.metaSet, null);
    assertThatThrownBy(
            () ->
                train(
                    data.train, IDS, Objective.BPR, options(1, 0.1f), List.of(single), null, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("all interactions are of one type");
    assertThatThrownBy(() -> StepPolicyOptions.builder().rates(false).objectives(false).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("sets neither");
    assertThatThrownBy(() -> StepPolicyOptions.builder().windows(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("windows must be > 0 but was 0");
  }

  private static StepPolicyReport learn(
      Interactions rows, NoisyGroups data, float rate, int epochs) {
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    train(rows, IDS, Objective.BPR, options(epochs, rate), List.of(policy), null, null);
    return policy.report();
  }

  /** The same with a policy that hardly moves: what becomes of the rates as they are. */
  private static StepPolicyReport fixed(
      Interactions rows, NoisyGroups data, float rate, int epochs) {
    StepPolicyOptions still = StepPolicyOptions.builder().windows(2).policyRate(1e-9f).build();
    StepPolicy policy = new StepPolicy(still, data.metaSet, data.guardSet);
    train(rows, IDS, Objective.BPR, options(epochs, rate), List.of(policy), null, null);
    return policy.report();
  }

  private static double metaLoss(StepPolicyReport report) {
    return report.epochs().get(report.epochs().size() - 1).metaLoss();
  }

  /** What is meant is a purchase, but for one in four; what is not is a view. */
  private static Interactions typed(NoisyGroups data) {
    Interactions.Builder rows = Interactions.builder(data.train.users(), data.train.items());
    for (int row = 0; row < data.train.size(); row++) {
      boolean view = data.corrupt[row] || row % 4 == 0;
      add(rows, data.train, row, view ? EventType.VIEW : EventType.PURCHASE, Float.NaN);
    }
    return rows.build();
  }

  private static Interactions valued(Interactions rows, float value) {
    Interactions.Builder copy = Interactions.builder(rows.users(), rows.items());
    for (int row = 0; row < rows.size(); row++) {
      add(copy, rows, row, EventType.CLICK, value);
    }
    return copy.build();
  }

  private static void add(
      Interactions.Builder to, Interactions from, int row, EventType type, float value) {
    to.add(
        from.userAt(row),
        from.itemAt(row),
        type,
        value,
        1,
        Event.NO_TIME,
        InteractionFeatures.UNKNOWN);
  }

  private static TrainingOptions options(int epochs, float rate) {
    return TrainingOptions.builder()
        .epochs(epochs)
        .batchSize(256)
        .userLearningRate(rate)
        .itemLearningRate(rate)
        .patience(0)
        .build();
  }

  private static CheckpointOptions checkpoint(Path file, boolean resume) {
    return new CheckpointOptions(file, Duration.ofDays(1), resume, "run");
  }

  /** The parameters after a training, in which no native memory is left behind. */
  private static Map<String, float[]> train(
      Interactions rows,
      TwoTowerOptions shape,
      Objective objective,
      TrainingOptions options,
      List<StepHook> hooks,
      @Nullable CheckpointOptions checkpoints,
      @Nullable TrainingListener listener) {
    SamplingOptions sampling =
        SamplingOptions.builder()
            .objective(objective)
            .negatives(objective == Objective.SAMPLED_SOFTMAX ? 20 : 3)
            .build();
    long scopes = Scope.liveScopes();
    Map<String, float[]> values =
        TensorThreads.call(
            () -> {
              try (Fixture fixture = new Fixture(rows, shape, sampling, 1)) {
                TrainingListener hears = listener == null ? TrainingListener.NONE : listener;
                fixture.train(options, hooks, hears, checkpoints, null);
                return fixture.values();
              }
            });
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
    return values;
  }

  private static void assertEqualBits(Map<String, float[]> actual, Map<String, float[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, value) -> assertThat(actual.get(name)).as(name).isEqualTo(value));
  }
}
