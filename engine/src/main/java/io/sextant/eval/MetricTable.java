package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Ranking metrics user by user: one row for each evaluated list, one column for each metric. Lists
 * without anything relevant have no row; {@link #numEmptyTruth()} counts them.
 *
 * <p>Thread safety: immutable.
 */
public final class MetricTable {

  private final List<RankingMetric> metrics;
  private final double[][] columns;
  private final int[] lists;
  private final int numLists;

  /**
   * Takes over the arrays.
   *
   * @param columns one array of values for each metric
   * @param lists the index of the list behind each row, ascending
   * @param numLists how many lists there were, with and without truth
   */
  MetricTable(List<RankingMetric> metrics, double[][] columns, int[] lists, int numLists) {
    this.metrics = List.copyOf(metrics);
    this.columns = columns;
    this.lists = lists;
    this.numLists = numLists;
  }

  /** The metrics, in the order in which they were asked for. */
  public List<RankingMetric> metrics() {
    return metrics;
  }

  /** How many users were evaluated: the number of rows. */
  public int numUsers() {
    return lists.length;
  }

  /** How many lists were left out because their user has no relevant item. */
  public int numEmptyTruth() {
    return numLists - lists.length;
  }

  /** The index of the list behind each row, ascending; a copy. */
  public int[] lists() {
    return lists.clone();
  }

  /**
   * The values of one metric, one for each row; a copy.
   *
   * @throws InvalidInputException if the table does not have the metric
   */
  public double[] values(RankingMetric metric) {
    return column(metric).clone();
  }

  /** The mean of one metric over the evaluated users; NaN if there are none. */
  public double mean(RankingMetric metric) {
    double[] column = column(metric);
    return column.length == 0 ? Double.NaN : Bootstrap.plainMean(column);
  }

  /**
   * The mean of one metric with its 95 % bootstrap interval over users.
   *
   * @throws InvalidInputException if no user was evaluated
   */
  public Interval interval(RankingMetric metric, int resamples, long seed) {
    return Bootstrap.mean(column(metric), resamples, seed);
  }

  /** {@link #interval} of every metric, by metric name, in the order of {@link #metrics()}. */
  public Map<String, Interval> intervals(int resamples, long seed) {
    Map<String, Interval> result = new LinkedHashMap<>();
    for (RankingMetric metric : metrics) {
      result.put(metric.name(), interval(metric, resamples, seed));
    }
    return result;
  }

  /**
   * How much better this table is than another one of the same users: the mean of the differences
   * with its paired bootstrap interval, by metric name.
   *
   * @throws InvalidInputException if the tables differ in their users or in their metrics
   */
  public Map<String, Interval> differenceTo(MetricTable other, int resamples, long seed) {
    if (numLists != other.numLists || !Arrays.equals(lists, other.lists)) {
      throw new InvalidInputException(
          ("a paired comparison needs the same users in both tables but one has %d of %d lists and"
                  + " the other %d of %d, or they are other lists: evaluate both on the same truth")
              .formatted(lists.length, numLists, other.lists.length, other.numLists));
    }
    Map<String, Interval> result = new LinkedHashMap<>();
    for (RankingMetric metric : metrics) {
      result.put(
          metric.name(),
          Bootstrap.pairedDifference(column(metric), other.column(metric), resamples, seed));
    }
    return result;
  }

  /**
   * Puts the tables of several batches of lists behind each other.
   *
   * @throws InvalidInputException if there is no table or the tables' metrics differ
   */
  public static MetricTable concat(List<MetricTable> tables) {
    if (tables.isEmpty()) {
      throw new InvalidInputException("there are no metric tables to put together");
    }
    List<RankingMetric> metrics = tables.get(0).metrics;
    int rows = 0;
    for (MetricTable table : tables) {
      if (!table.metrics.equals(metrics)) {
        throw new InvalidInputException(
            "metric tables can only be put together if they have the same metrics but had %s and %s"
                .formatted(metrics, table.metrics));
      }
      rows += table.lists.length;
    }
    double[][] columns = new double[metrics.size()][rows];
    int[] lists = new int[rows];
    int row = 0;
    int firstList = 0;
    for (MetricTable table : tables) {
      for (int m = 0; m < columns.length; m++) {
        System.arraycopy(table.columns[m], 0, columns[m], row, table.lists.length);
      }
      for (int list : table.lists) {
        lists[row++] = firstList + list;
      }
      firstList += table.numLists;
    }
    return new MetricTable(metrics, columns, lists, firstList);
  }

  /**
   * The mean of several runs, user by user: its intervals are over users, of what a run gives on
   * average.
   *
   * @throws InvalidInputException if there is no table or the tables differ in their users or
   *     metrics
   */
  public static MetricTable mean(List<MetricTable> runs) {
    if (runs.isEmpty()) {
      throw new InvalidInputException("there are no metric tables to take the mean of");
    }
    MetricTable first = runs.get(0);
    double[][] columns = new double[first.columns.length][first.lists.length];
    for (MetricTable run : runs) {
      if (!run.metrics.equals(first.metrics)
          || run.numLists != first.numLists
          || !Arrays.equals(run.lists, first.lists)) {
        throw new InvalidInputException(
            "the mean of metric tables needs the same users and metrics in all of them but had %s and %s"
                .formatted(first, run));
      }
      for (int m = 0; m < columns.length; m++) {
        for (int row = 0; row < columns[m].length; row++) {
          columns[m][row] += run.columns[m][row] / runs.size();
        }
      }
    }
    return new MetricTable(first.metrics, columns, first.lists, first.numLists);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("MetricTable[users=").append(lists.length);
    for (RankingMetric metric : metrics) {
      text.append(", ").append(metric).append('=').append(mean(metric));
    }
    return text.append(']').toString();
  }

  private double[] column(RankingMetric metric) {
    int index = metrics.indexOf(metric);
    if (index < 0) {
      throw new InvalidInputException(
          "the table has no metric %s, only %s".formatted(metric, metrics));
    }
    return columns[index];
  }
}
