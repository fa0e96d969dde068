package io.sextant.cli;

import io.sextant.eval.Bootstrap;
import io.sextant.eval.Interval;
import io.sextant.eval.PredictionMetrics;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The quality of click predictions, where each user has one positive and one negative example,
 * averaged over seeds, with intervals over users.
 *
 * <p>Accuracy, log loss and predicted rate are means over users. AUC is one too: a user's part is
 * the share of all negatives below their positive plus the share of all positives above their
 * negative, less the AUC itself (the placements of DeLong et al., Biometrics 1988), so that
 * resampling users gives its interval.
 */
final class ClickMetrics {

  /** What is a mean over users, by the metric's name. */
  private final Map<String, double[]> perUser = new LinkedHashMap<>();

  /** What is not. */
  private final Map<String, Double> plain = new LinkedHashMap<>();

  private ClickMetrics() {}

  /**
   * Metrics of the same users under several seeds.
   *
   * @param probabilities for each seed (2 U), a user's positive and negative next to each other
   */
  static ClickMetrics of(List<float[]> probabilities) {
    ClickMetrics metrics = new ClickMetrics();
    int users = probabilities.get(0).length / 2;
    for (String name : List.of("accuracy", "auc", "logLoss", "calibrationRatio")) {
      metrics.perUser.put(name, new double[users]);
    }
    double share = 1.0 / probabilities.size();
    for (float[] seed : probabilities) {
      metrics.addSeed(seed, share);
    }
    return metrics;
  }

  private void addSeed(float[] p, double share) {
    int users = p.length / 2;
    float[] labels = new float[p.length];
    float[] positives = new float[users];
    float[] negatives = new float[users];
    for (int u = 0; u < users; u++) {
      labels[2 * u] = 1;
      positives[u] = p[2 * u];
      negatives[u] = p[2 * u + 1];
    }
    PredictionMetrics all = PredictionMetrics.of(p, labels);
    for (String name : List.of("baseRate", "calibrationError")) {
      plain.merge(name, share * all.toMap().getOrDefault(name, Double.NaN), Double::sum);
    }
    Arrays.sort(positives);
    Arrays.sort(negatives);
    for (int u = 0; u < users; u++) {
      float[] pair = {p[2 * u], p[2 * u + 1]};
      PredictionMetrics own = PredictionMetrics.of(pair, new float[] {1, 0});
      add("accuracy", u, share * own.accuracy());
      add("logLoss", u, share * own.logLoss());
      add("calibrationRatio", u, share * own.calibrationRatio());
      double placements = below(negatives, pair[0]) + 1 - below(positives, pair[1]);
      add("auc", u, share * (placements - all.auc()));
    }
  }

  private void add(String name, int user, double value) {
    column(name)[user] += value;
  }

  private double[] column(String name) {
    double[] column = perUser.get(name);
    if (column == null) {
      throw new IllegalArgumentException("no metric " + name);
    }
    return column;
  }

  /** The share of the ascending values that are below x, equal ones counting one half. */
  private static double below(float[] ascending, float x) {
    return (countBelow(ascending, x) + countBelow(ascending, Math.nextUp(x)))
        / (2.0 * ascending.length);
  }

  private static int countBelow(float[] ascending, float x) {
    int low = 0;
    int high = ascending.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ascending[middle] < x) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Every metric with its interval. */
  Map<String, Interval> intervals(long seed) {
    Map<String, Interval> intervals = new LinkedHashMap<>();
    perUser.forEach(
        (name, values) -> intervals.put(name, Bootstrap.mean(values, Intervals.RESAMPLES, seed)));
    return intervals;
  }

  /** As the JSON result has them; the base rate and the calibration error have no interval. */
  Map<String, Object> json(long seed) {
    Map<String, Object> json = new LinkedHashMap<>(Intervals.json(intervals(seed)));
    plain.forEach((name, value) -> json.put(name, Map.of("value", value)));
    return json;
  }

  /** How much better these predictions are than others of the same users and examples. */
  Map<String, Interval> differenceTo(ClickMetrics other, long seed) {
    Map<String, Interval> differences = new LinkedHashMap<>();
    for (String name : List.of("accuracy", "auc", "logLoss")) {
      differences.put(
          name,
          Bootstrap.pairedDifference(column(name), other.column(name), Intervals.RESAMPLES, seed));
    }
    return differences;
  }
}
