package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.eval.Interval;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OffPolicyEvaluatorTest {

  /** Two-sided 95 % and other quantiles from printed tables. */
  @Test
  void studentsQuantiles() {
    assertThat(StudentT.quantile(0.975, 1)).isCloseTo(12.7062047362, within(1e-8));
    assertThat(StudentT.quantile(0.975, 10)).isCloseTo(2.2281388520, within(1e-9));
    assertThat(StudentT.quantile(0.99, 3)).isCloseTo(4.5407028586, within(1e-9));
    assertThat(StudentT.quantile(0.975, 9_999)).isCloseTo(1.9602012636, within(1e-8));
    assertThat(StudentT.quantile(0.025, 10)).isCloseTo(-2.2281388520, within(1e-9));
    assertThat(StudentT.quantile(0.5, 4)).isCloseTo(0, within(1e-9));
    // Two degrees of freedom have a formula.
    double p = 0.9999;
    assertThat(StudentT.quantile(p, 2))
        .isCloseTo((2 * p - 1) / Math.sqrt(2 * p * (1 - p)), within(1e-7));
  }

  @Test
  void bernsteinIsTheFormula() {
    double[] values = {0, 0, 1, 3};
    double half =
        7 * 5 * Math.log(2 / 0.025) / (3 * 3) + Math.sqrt(2 * Math.log(2 / 0.025) * 2 / 4);
    assertThat(MeanBounds.variance(values)).isCloseTo(2, within(1e-12));
    assertThat(MeanBounds.bernsteinHalfWidth(values, 5, 0.025)).isCloseTo(half, within(1e-12));
  }

  private static final class World {
    final ActionProbabilities logging;
    final ActionProbabilities target;
    final LoggedRounds log;
    final double truth;

    /** Logging near the target: all estimators should cover. */
    World(int n, long seed) {
      CounterRandom random = new CounterRandom(seed, "world", 0);
      int k = 4;
      double[] b = new double[n * k];
      double[] e = new double[n * k];
      for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
          b[i * k + a] = 0.25;
          e[i * k + a] = 0.1 * (a + 1);
        }
      }
      logging = new ActionProbabilities(k, b);
      target = new ActionProbabilities(k, e);
      log = Logs.log(random, logging);
      truth = truth();
    }

    /** The integral over standard normal contexts, by the midpoint rule. */
    private static double truth() {
      double sum = 0;
      double mass = 0;
      for (double x = -8; x < 8; x += 0.01) {
        double density = Math.exp(-x * x / 2);
        mass += density;
        for (int a = 0; a < 4; a++) {
          sum += density * 0.1 * (a + 1) * Logs.clickRate(a, 4, x);
        }
      }
      return sum / mass;
    }
  }

  /**
   * 400 logs; a right 95 % interval covers in 372 to 388 or so: outside of 366..394 (five errors of
   * 4.4) with a chance below 1e-5 for each of the estimators. Bernstein is wider by design.
   */
  @Test
  void intervalsCoverTheTruth() {
    List<String> names = List.of("ips", "snips", "dr", "sndr", "switch-dr@10", "dros@1000");
    int[] student = new int[names.size()];
    int[] bootstrap = new int[names.size()];
    int[] bernstein = new int[names.size()];
    EvaluationOptions options =
        new EvaluationOptions(
            names, IntervalMethod.STUDENT_T, RewardModel.ridge(1), 2, null, 200, 1);
    EvaluationOptions.Bounds bounds = new EvaluationOptions.Bounds(0, 1, 1.6);
    int logs = 400;
    for (int seed = 0; seed < logs; seed++) {
      World world = new World(250, seed);
      for (int e = 0; e < names.size(); e++) {
        EvaluationOptions one = options.withEstimators(List.of(names.get(e)));
        student[e] += covers(one, world);
        bootstrap[e] += covers(one.withMethod(IntervalMethod.BOOTSTRAP), world);
        if (!names.get(e).startsWith("sn")) {
          bernstein[e] += covers(one.withBernstein(bounds), world);
        }
      }
    }
    for (int e = 0; e < names.size(); e++) {
      assertThat(student[e]).as("t of " + names.get(e)).isBetween(358, 398);
      assertThat(bootstrap[e]).as("bootstrap of " + names.get(e)).isBetween(358, 398);
      if (!names.get(e).startsWith("sn")) {
        assertThat(bernstein[e]).as("Bernstein of " + names.get(e)).isGreaterThan(390);
      }
    }
  }

  private static int covers(EvaluationOptions options, World world) {
    OffPolicyReport report =
        new OffPolicyEvaluator(options).evaluate(world.log, world.logging, world.target);
    Estimate estimate = report.estimates().get(0);
    Interval interval = estimate.interval();
    assertThat(estimate.trusted()).as(estimate.warnings().toString()).isTrue();
    return interval.lo() <= world.truth && world.truth <= interval.hi() ? 1 : 0;
  }

  @Test
  void theLoggingPolicysOwnValueIsTheMeanReward() {
    World world = new World(500, 3);
    OffPolicyReport report =
        new OffPolicyEvaluator(
                EvaluationOptions.defaults().withEstimators(List.of("ips", "snips", "ips@1")))
            .evaluate(world.log, world.logging, world.logging);
    for (Estimate estimate : report.estimates()) {
      assertThat(estimate.interval().value()).isCloseTo(world.log.meanReward(), within(1e-12));
    }
    assertThat(report.overlap().effectiveSampleSize()).isCloseTo(500, within(1e-6));
    assertThat(report.overlap().trusted()).isTrue();
  }

  @Test
  void computesAllThatIsAskedForByDefault() {
    World world = new World(300, 4);
    OffPolicyReport report =
        new OffPolicyEvaluator(EvaluationOptions.defaults()).evaluate(world.log, world.target);
    assertThat(report.estimates())
        .extracting(Estimate::name)
        .containsExactlyElementsOf(EvaluationOptions.DEFAULT_ESTIMATORS);
    assertThat(report.estimate("dr@slope").estimator().name()).startsWith("dr");
    assertThat(report.estimate("dm").trusted()).isFalse();
  }

  /** Rare propensities: the weights say that the sample does not show the tail. */
  @Test
  void warnsOfHeavyWeights() {
    int n = 1000;
    double[] weights = new double[n];
    Arrays.fill(weights, 0.9);
    weights[3] = 90;
    Overlap overlap = Overlap.of(weights, new WeightRule(WeightRule.Kind.PLAIN, 0), 0);
    assertThat(overlap.maxWeight()).isEqualTo(90);
    assertThat(overlap.meanWeight()).isCloseTo((999 * 0.9 + 90) / n, within(1e-12));
    double sum = 999 * 0.9 + 90;
    assertThat(overlap.effectiveSampleSize())
        .isCloseTo(sum * sum / (999 * 0.81 + 8100), within(1e-9));
    assertThat(overlap.warnings()).hasSize(1).first().asString().contains("largest weight is 90.0");
    // Clipped, the same weights are fit to be used.
    assertThat(Overlap.of(weights, new WeightRule(WeightRule.Kind.CLIPPED, 10), 0).trusted())
        .isTrue();
    // A mean weight that is not 1 is a sign of wrong propensities.
    Arrays.fill(weights, 0.8);
    assertThat(Overlap.of(weights, new WeightRule(WeightRule.Kind.PLAIN, 0), 0).warnings())
        .anyMatch(w -> w.contains("mean weight is 0.8000"));
    // Nor are a few rounds many, nor is clipping free.
    assertThat(Overlap.of(new double[] {1, 1}, new WeightRule(WeightRule.Kind.PLAIN, 0), 0))
        .matches(o -> o.warnings().toString().contains("worth only 2.0"));
    Arrays.fill(weights, 2);
    assertThat(Overlap.of(weights, new WeightRule(WeightRule.Kind.CLIPPED, 1), 0).warnings())
        .anyMatch(w -> w.contains("50 % of the weight"));
  }

  /** The log happens to hold no heavy weight, but the policies allow one: it was missed. */
  @Test
  void warnsOfWeightsThatWereNotDrawn() {
    int n = 300;
    double[] logging = new double[2 * n];
    double[] target = new double[2 * n];
    double[] propensities = new double[n];
    Arrays.fill(propensities, 0.999);
    for (int i = 0; i < n; i++) {
      logging[2 * i] = 0.999;
      logging[2 * i + 1] = 0.001;
      target[2 * i] = 0.95;
      target[2 * i + 1] = 0.05;
    }
    OffPolicyReport report =
        new OffPolicyEvaluator(EvaluationOptions.defaults().withEstimators(List.of("ips")))
            .evaluate(
                LoggedRounds.of(2, new int[n], new double[n], propensities),
                new ActionProbabilities(2, logging),
                new ActionProbabilities(2, target));
    assertThat(report.overlap().largestPossibleWeight()).isCloseTo(50, within(1e-9));
    assertThat(report.estimates().get(0).warnings())
        .anyMatch(w -> w.contains("weights up to 50.0 (above 25) are possible"))
        .anyMatch(w -> w.contains("weights are so skewed"));
    // Two values have the skewness of a coin, whatever they are.
    assertThat(report.overlap().weightSkewness())
        .isCloseTo(0.998 / Math.sqrt(0.001 * 0.999), within(1e-6));
  }

  /** Clipping that moves the estimate out of its own interval is said. */
  @Test
  void warnsOfBias() {
    int n = 1000;
    int[] actions = new int[n];
    double[] rewards = new double[n];
    double[] propensities = new double[n];
    for (int i = 0; i < n; i++) {
      actions[i] = i % 10 == 0 ? 1 : 0;
      rewards[i] = actions[i];
      propensities[i] = actions[i] == 1 ? 0.1 : 0.9;
    }
    LoggedRounds log = LoggedRounds.of(2, actions, rewards, propensities);
    OffPolicyReport report =
        new OffPolicyEvaluator(
                EvaluationOptions.defaults().withEstimators(List.of("ips@4", "ips@5", "ips@3.9")))
            .evaluate(log, new ActionProbabilities(2, half(n)));
    assertThat(report.estimate("ips@5").trusted()).isTrue();
    assertThat(report.estimate("ips@3.9").warnings())
        .anyMatch(w -> w.contains("with plain weights the estimate is 0.5"));
  }

  /** Cochran's rule: 50 rounds bear a skewness of 1.41, not that of 5 clicks. */
  @Test
  void warnsOfSkewedRounds() {
    for (int clicks : new int[] {5, 25}) {
      int n = 50;
      double[] rewards = new double[n];
      Arrays.fill(rewards, 0, clicks, 1);
      double[] propensities = new double[n];
      Arrays.fill(propensities, 1);
      LoggedRounds log = LoggedRounds.of(1, new int[n], rewards, propensities);
      OffPolicyReport report =
          new OffPolicyEvaluator(EvaluationOptions.defaults().withEstimators(List.of("ips")))
              .evaluate(log, ActionProbabilities.uniform(n, 1));
      assertThat(report.estimate("ips").warnings().toString().contains("so skewed"))
          .isEqualTo(clicks == 5);
      double p = clicks / (double) n;
      assertThat(MeanBounds.skewness(rewards))
          .isCloseTo((1 - 2 * p) / Math.sqrt(p * (1 - p)), within(1e-12));
    }
  }

  private static double[] half(int n) {
    double[] values = new double[2 * n];
    Arrays.fill(values, 0.5);
    return values;
  }

  @Test
  void refusesBoundsThatTheLogBreaks() {
    World world = new World(100, 5);
    EvaluationOptions ips = EvaluationOptions.defaults().withEstimators(List.of("ips"));
    assertThatThrownBy(
            () ->
                new OffPolicyEvaluator(ips.withBernstein(new EvaluationOptions.Bounds(0, 0.5, 2)))
                    .evaluate(world.log, world.target))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("outside of the declared range 0.0..0.5");
    assertThatThrownBy(
            () ->
                new OffPolicyEvaluator(ips.withBernstein(new EvaluationOptions.Bounds(0, 1, 1)))
                    .evaluate(world.log, world.target))
        .hasMessageContaining("above the declared bound");
    assertThatThrownBy(() -> ips.withMethod(IntervalMethod.EMPIRICAL_BERNSTEIN))
        .hasMessageContaining("bounds that were known beforehand");
    assertThatThrownBy(
            () ->
                new OffPolicyEvaluator(ips).evaluate(world.log, ActionProbabilities.uniform(99, 4)))
        .hasMessageContaining("is for 99 rounds");
  }
}
