package io.sextant.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/**
 * Median, least and greatest of several measurements. Thread safety: immutable.
 *
 * @param median the middle, or the mean of the two that lie there
 */
record Spread(double median, double min, double max) {

  static Spread of(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return new Spread((sorted[(n - 1) / 2] + sorted[n / 2]) / 2, sorted[0], sorted[n - 1]);
  }

  /** Of the quotients of what was measured in the same turn. */
  static Spread ofRatios(double[] values, double[] others) {
    double[] ratios = new double[values.length];
    Arrays.setAll(ratios, i -> values[i] / others[i]);
    return of(ratios);
  }

  /** As JSON. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "{\"median\": %.3f, \"min\": %.3f, \"max\": %.3f}", median, min, max);
  }
}
