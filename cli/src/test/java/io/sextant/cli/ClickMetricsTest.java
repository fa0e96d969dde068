package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.eval.Interval;
import io.sextant.eval.PredictionMetrics;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClickMetricsTest {

  private static final int USERS = 300;

  /** Rounded, so that there are equal scores, and with the positives a little above. */
  private static float[] random(long seed, double lead) {
    Random random = new Random(seed);
    float[] p = new float[2 * USERS];
    for (int i = 0; i < p.length; i++) {
      double z = random.nextGaussian() + (i % 2 == 0 ? lead : 0);
      p[i] = Math.round(100 / (1 + Math.exp(-z))) / 100f;
    }
    return p;
  }

  private static double value(Map<String, Interval> intervals, String metric) {
    Interval interval = intervals.get(metric);
    return interval == null ? Double.NaN : interval.value();
  }

  @Test
  void valuesAreThoseOfAllPredictionsAveragedOverSeeds() {
    float[] labels = new float[2 * USERS];
    for (int u = 0; u < USERS; u++) {
      labels[2 * u] = 1;
    }
    float[] first = random(1, 1);
    float[] second = random(2, 0.5);
    ClickMetrics metrics = ClickMetrics.of(List.of(first, second));
    Map<String, Interval> intervals = metrics.intervals(7);
    Map<String, Double> a = PredictionMetrics.of(first, labels).toMap();
    Map<String, Double> b = PredictionMetrics.of(second, labels).toMap();
    for (String name : List.of("accuracy", "auc", "logLoss", "calibrationRatio")) {
      double expected = (a.getOrDefault(name, 0.0) + b.getOrDefault(name, 0.0)) / 2;
      assertThat(value(intervals, name)).as(name).isCloseTo(expected, within(1e-9));
    }
    for (String name : List.of("baseRate", "calibrationError")) {
      double expected = (a.getOrDefault(name, 0.0) + b.getOrDefault(name, 0.0)) / 2;
      assertThat(metrics.json(7).get(name)).as(name).isEqualTo(Map.of("value", expected));
    }
  }

  /** The width against the normal approximation of DeLong et al., computed by loops over pairs. */
  @Test
  void theIntervalOfTheAucIsAsWideAsItsTheoryHasIt() {
    float[] p = random(3, 1);
    double[] placements = new double[USERS];
    double auc = 0;
    for (int u = 0; u < USERS; u++) {
      for (int v = 0; v < USERS; v++) {
        placements[u] +=
            wins(p[2 * u], p[2 * v + 1]) / USERS + wins(p[2 * v], p[2 * u + 1]) / USERS;
        auc += wins(p[2 * u], p[2 * v + 1]) / USERS / USERS;
      }
    }
    double variance = 0;
    for (double placement : placements) {
      variance += (placement - 2 * auc) * (placement - 2 * auc) / USERS / USERS;
    }
    Interval interval = ClickMetrics.of(List.of(p)).intervals(1).get("auc");
    if (interval == null) {
      throw new AssertionError("there is no interval of the AUC");
    }
    double width = 2 * 1.96 * Math.sqrt(variance);
    assertThat(interval.hi() - interval.lo()).isCloseTo(width, within(0.15 * width));
  }

  private static double wins(float positive, float negative) {
    return positive > negative ? 1 : positive == negative ? 0.5 : 0;
  }

  @Test
  void differencesArePaired() {
    ClickMetrics good = ClickMetrics.of(List.of(random(1, 2)));
    ClickMetrics poor = ClickMetrics.of(List.of(random(2, 0)));
    Map<String, Interval> difference = good.differenceTo(poor, 1);
    assertThat(value(difference, "auc"))
        .isCloseTo(
            value(good.intervals(1), "auc") - value(poor.intervals(1), "auc"), within(1e-12));
    assertThat(difference.get("auc")).matches(i -> i.isAbove(0));
    assertThat(difference.get("logLoss")).matches(i -> i.isBelow(0));
    assertThat(good.differenceTo(good, 1).values()).containsOnly(new Interval(0, 0, 0));
  }
}
