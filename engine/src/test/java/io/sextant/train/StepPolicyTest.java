package io.sextant.train;

import static io.sextant.train.Steered.IDS;
import static io.sextant.train.Steered.TOWERS;
import static io.sextant.train.Steered.as;
import static io.sextant.train.Steered.assertEqualBits;
import static io.sextant.train.Steered.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.data.Interactions;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StepPolicyTest {

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
    Steered.by(policy).train(typed, IDS, Objective.BPR, options(10, 0.1f));
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
    Steered.by(policy).train(typed(data), TOWERS, Objective.SAMPLED_SOFTMAX, options(4, 0.01f));
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
    Map<String, float[]> plain = Steered.by().train(typed, IDS, objective, options(1, 0.1f));
    assertEqualBits(Steered.by(policy).train(typed, IDS, objective, options(1, 0.1f)), plain);
    assertThat(policy.report().outcome()).isEqualTo(StepPolicyReport.Outcome.NOT_BEGUN);
    StepPolicy on = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    assertThat(Steered.by(on).train(typed, IDS, objective, options(1, 0.1f)).get("item.id"))
        .isNotEqualTo(plain.get("item.id"));
  }

  @ParameterizedTest
  @ValueSource(longs = {30, 36, 59})
  void aResumedRunEndsWithTheSameBits(long killedAt, @TempDir Path folder) {
    NoisyGroups data = new NoisyGroups(3, true);
    Interactions typed = typed(data);
    TrainingOptions options = options(4, 0.03f);
    StepPolicy whole = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    Map<String, float[]> expected = Steered.by(whole).train(typed, IDS, Objective.BPR, options);
    Path file = folder.resolve("checkpoint");
    StepPolicy killed = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    Steered toKill = Steered.by(killed).saved(file, false).killedAt(killedAt);
    assertThatThrownBy(() -> toKill.train(typed, IDS, Objective.BPR, options))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted");
    StepPolicy resumed = new StepPolicy(LEARNING, data.metaSet, data.guardSet);
    assertEqualBits(
        Steered.by(resumed).saved(file, true).train(typed, IDS, Objective.BPR, options), expected);
    assertThat(resumed.report()).isEqualTo(whole.report());
    assertThat(resumed.report().policySteps()).isEqualTo(7);
  }

  @Test
  void metaLossesThatAreNotFinitePutTheRatesBack() {
    NoisyGroups data = new NoisyGroups(7, true);
    Interactions infinite = as(data.metaSet, EventType.CLICK, 3e38f);
    StepPolicy policy = new StepPolicy(LEARNING, infinite, null);
    Map<String, float[]> values =
        Steered.by(policy)
            .train(
                as(data.train, EventType.CLICK, 1), IDS, Objective.SQUARED_ERROR, options(6, 0.1f));
    StepPolicyReport report = policy.report();
    assertThat(report.outcome()).isEqualTo(StepPolicyReport.Outcome.DIVERGED);
    assertThat(report.skippedSteps()).isEqualTo(5);
    assertThat(report.rates().user()).isCloseTo(report.start().user(), within(1e-6));
    assertEqualBits(
        values,
        Steered.by()
            .train(
                as(data.train, EventType.CLICK, 1),
                IDS,
                Objective.SQUARED_ERROR,
                options(6, 0.1f)));
  }

  @Test
  void aRunThatLeadsNowhereIsCalledHarmful() {
    NoisyGroups data = new NoisyGroups(6, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, data.opposite);
    Steered.by(policy).train(clean, IDS, Objective.BPR, options(8, 0.1f));
    assertThat(policy.report().outcome()).isEqualTo(StepPolicyReport.Outcome.HARMFUL);
  }

  @Test
  void badSettingsAreRefused() {
    NoisyGroups data = new NoisyGroups(9, true);
    StepPolicy policy = new StepPolicy(LEARNING, data.metaSet, null);
    assertThatThrownBy(policy::report).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () -> Steered.by(policy).train(data.train, IDS, Objective.BPR, options(1, 10)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("largest rate of user parameters is 10.0");
    StepPolicyOptions types = StepPolicyOptions.builder().rates(false).build();
    StepPolicy single = new StepPolicy(types, data.metaSet, null);
    assertThatThrownBy(
            () -> Steered.by(single).train(data.train, IDS, Objective.BPR, options(1, 0.1f)))
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
    Steered.by(policy).train(rows, IDS, Objective.BPR, options(epochs, rate));
    return policy.report();
  }

  /** The same with a policy that hardly moves: what becomes of the rates as they are. */
  private static StepPolicyReport fixed(
      Interactions rows, NoisyGroups data, float rate, int epochs) {
    StepPolicyOptions still = StepPolicyOptions.builder().windows(2).policyRate(1e-9f).build();
    StepPolicy policy = new StepPolicy(still, data.metaSet, data.guardSet);
    Steered.by(policy).train(rows, IDS, Objective.BPR, options(epochs, rate));
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
}
