package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import org.junit.jupiter.api.Test;

class RewardModelTest {

  private static LoggedRounds log(int n, int actions, long seed) {
    CounterRandom random = new CounterRandom(seed, "models", 0);
    return Logs.log(random, Logs.policy(random, n, actions));
  }

  /** Without contexts, ridge is a mean that is drawn towards the mean of all by l2 rounds. */
  @Test
  void withoutContextsRidgeIsAShrunkenMean() {
    LoggedRounds log =
        LoggedRounds.of(
            3, new int[] {0, 0, 0, 1}, new double[] {1, 2, 3, 10}, new double[] {1, 1, 1, 1});
    RewardPredictions q = RewardModel.ridge(2).fit(log).predict(new double[0], 1);
    assertThat(q.of(0, 0)).isCloseTo((6 + 2 * 4) / 5.0, within(1e-12));
    assertThat(q.of(0, 1)).isCloseTo((10 + 2 * 4) / 3.0, within(1e-12));
    assertThat(q.of(0, 2)).as("never logged").isCloseTo(4, within(1e-12));
  }

  /** Each action's coefficients minimise the penalised loss: no small step makes it smaller. */
  @Test
  void coefficientsAreOptimal() {
    LoggedRounds log = log(300, 3, 3);
    for (RewardModel.Kind kind : RewardModel.Kind.values()) {
      FittedRewardModel fitted = new RewardModel(kind, 0.7).fit(log);
      for (int a = 0; a < 3; a++) {
        double[] beta = fitted.coefficients(a);
        double best = loss(kind, log, fitted, a, beta);
        for (int j = 0; j < beta.length; j++) {
          for (double step : new double[] {-1e-4, 1e-4}) {
            double[] moved = beta.clone();
            moved[j] += step;
            assertThat(loss(kind, log, fitted, a, moved)).isGreaterThan(best);
          }
        }
      }
    }
  }

  private static double loss(
      RewardModel.Kind kind, LoggedRounds log, FittedRewardModel fitted, int a, double[] beta) {
    double sum = 0;
    for (double b : beta) {
      sum += 0.7 / 2 * b * b;
    }
    for (int i = 0; i < log.size(); i++) {
      if (log.actions()[i] == a) {
        double z = fitted.linear(beta, log.contexts(), 2 * i);
        double r = log.rewards()[i];
        double p = 1 / (1 + Math.exp(-z));
        sum +=
            kind == RewardModel.Kind.RIDGE
                ? (r - z) * (r - z) / 2
                : -r * Math.log(p) - (1 - r) * Math.log(1 - p);
      }
    }
    return sum;
  }

  @Test
  void logisticRecoversWhatMadeTheClicks() {
    LoggedRounds log = log(40_000, 2, 5);
    RewardPredictions q = RewardModel.logistic(1).fit(log).predict(new double[] {1, 3, -1, 3}, 2);
    for (int a = 0; a < 2; a++) {
      assertThat(q.of(0, a)).isCloseTo(Logs.clickRate(a, 2, 1), within(0.02));
      assertThat(q.of(1, a)).isCloseTo(Logs.clickRate(a, 2, -1), within(0.02));
    }
  }

  @Test
  void noRoundIsPredictedByAModelThatSawIt() {
    LoggedRounds log = log(60, 3, 7);
    for (RewardModel model : new RewardModel[] {RewardModel.ridge(1), RewardModel.logistic(1)}) {
      RewardPredictions before = model.crossFit(log, 4, 9);
      for (int i = 0; i < log.size(); i += 7) {
        double[] rewards = log.rewards().clone();
        rewards[i] = 1 - rewards[i];
        RewardPredictions after =
            model.crossFit(
                new LoggedRounds(3, log.actions(), rewards, log.propensities(), 2, log.contexts()),
                4,
                9);
        for (int a = 0; a < 3; a++) {
          assertThat(after.of(i, a)).isEqualTo(before.of(i, a));
        }
        assertThat(after.values()).as("others saw it").isNotEqualTo(before.values());
      }
    }
  }

  @Test
  void survivesColumnsThatDoNotVaryAndSeparableClicks() {
    double[] contexts = {1e6, 0, 1e6, 1, 1e6, 2, 1e6, 3};
    LoggedRounds log =
        new LoggedRounds(
            1, new int[4], new double[] {0, 0, 1, 1}, new double[] {1, 1, 1, 1}, 2, contexts);
    RewardPredictions q = RewardModel.logistic(1e-3).fit(log).predict(contexts, 4);
    assertThat(q.of(0, 0)).isLessThan(0.1);
    assertThat(q.of(3, 0)).isGreaterThan(0.9);
    LoggedRounds none = LoggedRounds.of(2, new int[4], new double[4], new double[] {1, 1, 1, 1});
    assertThat(RewardModel.logistic(1).fit(none).predict(new double[0], 1).of(0, 1)).isZero();
  }

  @Test
  void refusesWhatDoesNotFit() {
    LoggedRounds money = LoggedRounds.of(1, new int[2], new double[] {0, 12}, new double[] {1, 1});
    assertThatThrownBy(() -> RewardModel.logistic(1).fit(money))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs rewards in 0..1 but had 12.0");
    assertThatThrownBy(() -> RewardModel.ridge(0)).hasMessageContaining("l2 must be > 0");
    assertThatThrownBy(() -> RewardModel.ridge(1).crossFit(money, 3, 1))
        .hasMessageContaining("folds must lie in 2..2");
  }
}
