package io.sextant.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What the interactions themselves tell of an item at the cut, the moment of the latest of them:
 * how popular it is, all the time and lately, and how old. Computed from the training part alone,
 * they are known at the time of a recommendation and leak nothing.
 */
public final class ItemStatistics {

  private static final double HALF_LIFE_DAYS = 45;

  private ItemStatistics() {}

  /**
   * Numeric columns for every item: log(1 + count) over all time and, where there are times, over
   * the last 7 and 30 days and with a half-life of 45 days, and log(1 + days) since the first and
   * the last interaction.
   */
  public static List<FeatureColumn.Numeric> columns(Interactions train) {
    int items = train.numItems();
    float[] all = new float[items];
    int[] counts = train.itemCounts();
    for (int i = 0; i < items; i++) {
      all[i] = (float) Math.log1p(counts[i]);
    }
    List<FeatureColumn.Numeric> columns = new ArrayList<>();
    columns.add(new FeatureColumn.Numeric("logCount", all));
    if (train.hasTimes()) {
      columns.addAll(timed(train));
    }
    return columns;
  }

  private static List<FeatureColumn.Numeric> timed(Interactions train) {
    int items = train.numItems();
    double day = TimeUnit.DAYS.toMillis(1);
    double[] week = new double[items];
    double[] month = new double[items];
    double[] decayed = new double[items];
    double[] first = new double[items];
    double[] last = new double[items];
    Arrays.fill(first, Double.NaN);
    Arrays.fill(last, Double.NaN);
    for (int row = 0; row < train.size(); row++) {
      int item = train.itemAt(row);
      double age = (train.maxTime() - train.timeAt(row)) / day;
      week[item] += age < 7 ? 1 : 0;
      month[item] += age < 30 ? 1 : 0;
      decayed[item] += Math.pow(0.5, age / HALF_LIFE_DAYS);
      first[item] = Double.isNaN(first[item]) ? age : Math.max(first[item], age);
      last[item] = Double.isNaN(last[item]) ? age : Math.min(last[item], age);
    }
    return List.of(
        log1p("logCount7Days", week),
        log1p("logCount30Days", month),
        log1p("logDecayedCount", decayed),
        log1p("logDaysSinceFirst", first),
        log1p("logDaysSinceLast", last));
  }

  /** An item that never occurred keeps NaN, which is a missing value. */
  private static FeatureColumn.Numeric log1p(String name, double[] values) {
    float[] logs = new float[values.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log1p(values[i]);
    }
    return new FeatureColumn.Numeric(name, logs);
  }
}
