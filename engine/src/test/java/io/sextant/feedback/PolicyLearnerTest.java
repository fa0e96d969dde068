package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.feedback.PolicyLearner.Objective;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PolicyLearnerTest {

  private static final double UNCLIPPED = Double.POSITIVE_INFINITY;

  /** What the gradient claims to be the gradient of. */
  private static double value(
      Objective objective, int slots, LoggedRounds log, double[] weights, RewardPredictions model) {
    ActionProbabilities pi =
        new SoftmaxPolicy(log.numActions(), log.contextDimension(), weights).probabilities(log);
    if (objective == Objective.TOP_K) {
      double sum = 0;
      for (int i = 0; i < log.size(); i++) {
        double chance = 1 - Math.pow(1 - pi.of(i, log.actions()[i]), slots);
        sum += chance * log.rewards()[i] / log.propensities()[i] / log.size();
      }
      return sum;
    }
    return Estimator.named(objective == Objective.DR ? "dr" : "ips")
        .value(OffPolicyRounds.of(log, pi, model));
  }

  @ParameterizedTest
  @EnumSource
  void gradientsAreThoseOfTheEstimates(Objective objective) {
    CounterRandom random = new CounterRandom(4, "learner", 0);
    LoggedRounds log = Logs.log(random, Logs.policy(random, 80, 4));
    RewardPredictions model = RewardModel.ridge(1).crossFit(log, 2, 1);
    int slots = objective == Objective.TOP_K ? 3 : 1;
    double[] weights = new double[4 * 3];
    Arrays.setAll(weights, i -> 0.3 * random.nextGaussian());
    double[] gradient =
        new PolicyLearner(objective, slots, UNCLIPPED, 0, 0.1, 1).gradient(log, weights, model);
    for (int i = 0; i < weights.length; i++) {
      double[] up = weights.clone();
      double[] down = weights.clone();
      up[i] += 1e-5;
      down[i] -= 1e-5;
      double slope =
          (value(objective, slots, log, up, model) - value(objective, slots, log, down, model))
              / 2e-5;
      assertThat(gradient[i]).isCloseTo(slope, within(1e-7));
    }
  }

  /** So many rounds of each action, paid as given. */
  private static LoggedRounds log(int[] counts, double[] rewards) {
    int n = Arrays.stream(counts).sum();
    int[] actions = new int[n];
    double[] paid = new double[n];
    double[] propensities = new double[n];
    int i = 0;
    for (int a = 0; a < counts.length; a++) {
      for (int c = 0; c < counts[a]; c++) {
        actions[i] = a;
        paid[i] = rewards[a];
        propensities[i++] = counts[a] / (double) n;
      }
    }
    return LoggedRounds.of(counts.length, actions, paid, propensities);
  }

  private static ActionProbabilities learned(PolicyLearner learner, LoggedRounds log) {
    SoftmaxPolicy start = SoftmaxPolicy.uniform(log.numActions(), 0);
    return learner.learn(log, start, null).probabilities(log);
  }

  /** Chen et al., WSDM 2019: uniform logging, two good items, lists of two. */
  @Test
  void topKeepsTheSecondBestWherePlainCollapses() {
    int[] counts = new int[10];
    Arrays.fill(counts, 1);
    LoggedRounds log = log(counts, new double[] {10, 9, 1, 1, 1, 1, 1, 1, 1, 1});
    ActionProbabilities plain =
        learned(new PolicyLearner(Objective.IPS, 1, UNCLIPPED, 0, 0.05, 800), log);
    assertThat(plain.of(0, 0)).isGreaterThan(0.95);
    ActionProbabilities top =
        learned(new PolicyLearner(Objective.TOP_K, 2, UNCLIPPED, 0, 0.05, 800), log);
    // The maximum of 10 (1 - (1 - p)^2) + 9 (1 - p^2) is at p = 10 / 19.
    assertThat(top.of(0, 0)).isCloseTo(10 / 19.0, within(0.02));
    assertThat(top.of(0, 1)).isCloseTo(9 / 19.0, within(0.02));
  }

  /** The same paper: what is logged often is not what pays. */
  @Test
  void correctionFindsWhatPaysUnderSkewedLogging() {
    int[] counts = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    double[] rewards = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    LoggedRounds log = log(counts, rewards);
    PolicyLearner learner = new PolicyLearner(Objective.IPS, 1, UNCLIPPED, 0, 0.05, 2000);
    assertThat(learned(learner, log).of(0, 9)).isGreaterThan(0.9);
    // Without the propensities the middle wins, which is logged often and pays something.
    double[] ones = new double[log.size()];
    Arrays.fill(ones, 1);
    LoggedRounds blind = LoggedRounds.of(10, log.actions(), log.rewards(), ones);
    assertThat(learned(learner, blind).of(0, 9)).isLessThan(0.1);
  }

  /** Six seeds: what was learned from one log is better on the true rates than the logger. */
  @ParameterizedTest
  @EnumSource(names = {"IPS", "DR"})
  void learnsFromContexts(Objective objective) {
    for (int seed = 0; seed < 6; seed++) {
      CounterRandom random = new CounterRandom(seed, "learns", 0);
      int n = 3000;
      int k = 4;
      ActionProbabilities logging = ActionProbabilities.uniform(n, k);
      LoggedRounds log = Logs.log(random, logging);
      RewardPredictions model = RewardModel.logistic(1).crossFit(log, 2, 1);
      SoftmaxPolicy policy =
          PolicyLearner.of(objective).learn(log, SoftmaxPolicy.uniform(k, 2), model);
      LoggedRounds fresh = Logs.log(random, logging);
      assertThat(trueValue(policy.probabilities(fresh), fresh))
          .isGreaterThan(trueValue(logging, fresh) + 0.05);
    }
  }

  private static double trueValue(ActionProbabilities policy, LoggedRounds log) {
    double sum = 0;
    for (int i = 0; i < log.size(); i++) {
      for (int a = 0; a < policy.numActions(); a++) {
        double rate = Logs.clickRate(a, policy.numActions(), log.contexts()[2 * i]);
        sum += policy.of(i, a) * rate / log.size();
      }
    }
    return sum;
  }

  @Test
  void theBaselineStaysWhereNothingSpeaksAgainstIt() {
    double[] baseline = {0.7, -0.2};
    LoggedRounds silent =
        LoggedRounds.of(2, new int[] {0, 1}, new double[2], new double[] {0.5, 0.5});
    assertThat(
            PolicyLearner.of(Objective.IPS)
                .learn(silent, new SoftmaxPolicy(2, 0, baseline), null)
                .weights())
        .containsExactly(baseline);
    LoggedRounds loud = log(new int[] {5, 5}, new double[] {0, 1});
    double free = learned(new PolicyLearner(Objective.IPS, 1, 100, 0, 0.05, 300), loud).of(0, 1);
    double held = learned(new PolicyLearner(Objective.IPS, 1, 100, 1, 0.05, 300), loud).of(0, 1);
    assertThat(held).isBetween(0.5, free - 0.2);
  }

  @Test
  void refusesWhatDoesNotFit() {
    LoggedRounds log = log(new int[] {1, 1}, new double[] {0, 1});
    SoftmaxPolicy policy = SoftmaxPolicy.uniform(2, 0);
    assertThatThrownBy(() -> PolicyLearner.of(Objective.DR).learn(log, policy, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("DR needs predictions");
    assertThatThrownBy(
            () -> PolicyLearner.of(Objective.IPS).learn(log, SoftmaxPolicy.uniform(3, 0), null))
        .hasMessageContaining("the baseline is for 3 actions");
    assertThatThrownBy(() -> new PolicyLearner(Objective.IPS, 2, 1, 0, 1, 1))
        .hasMessageContaining("slots must be > 0");
    assertThatThrownBy(() -> new SoftmaxPolicy(2, 0, new double[] {1, Double.NaN}))
        .hasMessageContaining("must be finite");
  }
}
