package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EstimatorTest {

  private static final int N = 200;
  private static final int K = 5;

  private final CounterRandom random = new CounterRandom(11, "estimators", 0);
  private final ActionProbabilities logging = Logs.policy(random, N, K);
  private final ActionProbabilities target = Logs.policy(random, N, K);
  private final LoggedRounds log = Logs.log(random, logging);
  private final RewardPredictions model = RewardModel.ridge(1).crossFit(log, 3, 1);
  private final OffPolicyRounds rounds = OffPolicyRounds.of(log, target, model);

  /** The table of the literature, estimator by estimator, summed from scratch. */
  private double oracle(String name, double l) {
    double ips = 0;
    double weightSum = 0;
    double correction = 0;
    double direct = 0;
    for (int i = 0; i < N; i++) {
      int a = log.actions()[i];
      double w = target.values()[i * K + a] / log.propensities()[i];
      double r = log.rewards()[i];
      double q = model.values()[i * K + a];
      DoubleUnaryOperator rule =
          switch (name) {
            case "ips", "snips", "dr", "sndr" -> x -> x < l ? x : l;
            case "switch-dr" -> x -> x > l ? 0 : x;
            case "dros" -> x -> l / (x * x + l) * x;
            case "sub-gaussian" -> x -> x / ((1 - l) + l * x);
            default -> x -> 0;
          };
      double g = rule.applyAsDouble(w);
      ips += g * r / N;
      weightSum += g / N;
      correction += g * (r - q) / N;
      for (int b = 0; b < K; b++) {
        direct += target.values()[i * K + b] * model.values()[i * K + b] / N;
      }
    }
    return switch (name) {
      case "dm" -> direct;
      case "ips", "sub-gaussian" -> ips;
      case "snips" -> ips / weightSum;
      case "sndr" -> direct + correction / weightSum;
      default -> direct + correction;
    };
  }

  @ParameterizedTest
  @CsvSource({
    "dm,dm,1", "ips,ips,1e300", "ips@1.5,ips,1.5", "snips,snips,1e300", "snips@2,snips,2",
    "dr,dr,1e300", "dr@3,dr,3", "sndr,sndr,1e300", "sndr@1,sndr,1", "switch-dr@2,switch-dr,2",
    "dros@4,dros,4", "sub-gaussian@0.3,sub-gaussian,0.3", "sub-gaussian@1,sub-gaussian,1"
  })
  void equalsTheFormulaOfTheLiterature(String name, String family, double parameter) {
    assertThat(Estimator.named(name).value(rounds))
        .isCloseTo(oracle(family, parameter), within(1e-12));
    assertThat(Estimator.named(name).name()).isEqualTo(name);
  }

  /** Over all that the logging policy can draw, the mean estimate of one round is the truth. */
  @ParameterizedTest
  @ValueSource(strings = {"ips", "dr", "ips@1e9", "switch-dr@1e9", "sub-gaussian@0"})
  void withoutBiasWhereTheLogSupportsTheTarget(String name) {
    double[] paid = {0.2, -1.5, 3};
    double[] p = {0.7, 0.2, 0.1};
    double[] e = {0.1, 0.3, 0.6};
    double[] wrongModel = {5, -2, 0.3};
    double mean = 0;
    double truth = 0;
    for (int a = 0; a < 3; a++) {
      LoggedRounds one =
          LoggedRounds.of(3, new int[] {a}, new double[] {paid[a]}, new double[] {p[a]});
      OffPolicyRounds seen =
          OffPolicyRounds.of(
              one, new ActionProbabilities(3, e), new RewardPredictions(3, wrongModel));
      mean += p[a] * Estimator.named(name).value(seen);
      truth += e[a] * paid[a];
    }
    assertThat(mean).isCloseTo(truth, within(1e-9));
  }

  @ParameterizedTest
  @ValueSource(strings = {"snips", "snips@2"})
  void selfNormalisedEstimatesMoveWithTheRewardsZero(String name) {
    double[] shifted = log.rewards().clone();
    for (int i = 0; i < N; i++) {
      shifted[i] += 100;
    }
    LoggedRounds moved = LoggedRounds.of(K, log.actions(), shifted, log.propensities());
    Estimator estimator = Estimator.named(name);
    OffPolicyRounds seen = OffPolicyRounds.of(moved, target, null);
    assertThat(estimator.value(seen)).isCloseTo(100 + estimator.value(rounds), within(1e-9));
    // So does their spread: it does not know where zero is.
    assertThat(MeanBounds.variance(estimator.roundValues(seen)))
        .isCloseTo(MeanBounds.variance(estimator.roundValues(rounds)), within(1e-9));
  }

  /**
   * The linearised spread against the jack-knife, which recomputes the ratio without each round.
   */
  @ParameterizedTest
  @ValueSource(strings = {"snips", "sndr", "snips@2"})
  void linearisedSpreadIsTheJackKnifes(String name) {
    Estimator estimator = Estimator.named(name);
    // Uniform logging: where weights are heavy the two differ by more than a linearisation should.
    LoggedRounds log = Logs.log(random, ActionProbabilities.uniform(N, K));
    RewardPredictions model = RewardModel.ridge(1).crossFit(log, 3, 1);
    OffPolicyRounds rounds = OffPolicyRounds.of(log, target, model);
    double[] without = new double[N];
    for (int left = 0; left < N; left++) {
      int[] others = new int[N - 1];
      for (int i = 0; i < N - 1; i++) {
        others[i] = i < left ? i : i + 1;
      }
      without[left] =
          estimator.value(
              OffPolicyRounds.of(log.select(others), target.select(others), model.select(others)));
    }
    double jackKnife = Math.sqrt(MeanBounds.variance(without) * (N - 1.0) / N * (N - 1));
    double linearised = Math.sqrt(MeanBounds.variance(estimator.roundValues(rounds)) / N);
    assertThat(linearised / jackKnife).isBetween(0.95, 1.05);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ips@7", "switch-dr@7", "dros@9", "dros@1000", "sub-gaussian@0.2", "ips", "dm"})
  void noWeightIsAboveItsBound(String name) {
    WeightRule rule = Estimator.named(name).weights();
    double largest = 0;
    for (double w = 0; w <= 20; w += 1e-3) {
      largest = Math.max(largest, rule.apply(w));
    }
    assertThat(rule.bound(20)).isCloseTo(largest, within(2e-3));
  }

  @Test
  void roundValuesLieInTheRange() {
    EvaluationOptions.Bounds bounds = new EvaluationOptions.Bounds(0, 1, largest());
    for (String name : new String[] {"dm", "ips", "dr", "dr@2", "switch-dr@2", "dros@4"}) {
      double[] values = Estimator.named(name).roundValues(rounds);
      double lo = Double.POSITIVE_INFINITY;
      double hi = Double.NEGATIVE_INFINITY;
      for (double value : values) {
        lo = Math.min(lo, value);
        hi = Math.max(hi, value);
      }
      assertThat(hi - lo)
          .as(name)
          .isLessThanOrEqualTo(Estimator.named(name).range(0, 1, bounds.maxWeight()) + 1e-12);
    }
    assertThatThrownBy(() -> Estimator.named("snips").range(0, 1, 10))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("snips has no range");
  }

  private double largest() {
    double largest = 0;
    for (double w : rounds.weights()) {
      largest = Math.max(largest, w);
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource({
    "ipz,there is no estimator 'ipz'",
    "dm@3,there is no estimator 'dm@3'",
    "ips@ten,must be a number",
    "ips@0,must be > 0",
    "ips@-2,must be > 0",
    "dros@NaN,must be > 0",
    "sub-gaussian@1.5,in 0..1",
    "switch-dr,there is no estimator"
  })
  void refusesNamesThatMeanNothing(String name, String complaint) {
    assertThatThrownBy(() -> Estimator.named(name))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void refusesAModelsEstimatorWithoutModel() {
    OffPolicyRounds bare = OffPolicyRounds.of(log, target, null);
    assertThatThrownBy(() -> Estimator.named("dr").value(bare))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("dr needs a reward model");
  }
}
