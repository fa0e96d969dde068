package io.sextant.cli;

import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Metrics with 95 % bootstrap intervals over users, as text and as JSON. */
final class Intervals {

  static final int RESAMPLES = 1000;

  private Intervals() {}

  static Map<String, Object> json(Map<String, Interval> intervals) {
    Map<String, Object> json = new LinkedHashMap<>();
    intervals.forEach(
        (name, i) -> json.put(name, Map.of("value", i.value(), "lo", i.lo(), "hi", i.hi())));
    return json;
  }

  static Map<String, Object> of(MetricTable table, long seed) {
    return json(table.intervals(RESAMPLES, seed));
  }

  static Map<String, Interval> difference(MetricTable a, MetricTable b, long seed) {
    return a.differenceTo(b, RESAMPLES, seed);
  }

  static void print(PrintStream out, Map<String, MetricTable> tables, long seed) {
    tables.forEach((name, table) -> print(out, name, table.intervals(RESAMPLES, seed)));
  }

  static void print(PrintStream out, String name, Map<String, Interval> intervals) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "  %-34s", name));
    intervals.forEach(
        (metric, i) ->
            line.append(
                String.format(
                    Locale.ROOT, " %s %.4f [%.4f, %.4f]", metric, i.value(), i.lo(), i.hi())));
    out.println(line);
  }
}
