package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.CostFrontier;
import io.sextant.meta.MetaReport;
import io.sextant.meta.Mixer;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.ToDoubleFunction;

/**
 * A pool of strategies and all ways to mix it, on a published protocol. Settings, the best single
 * strategy and the policies are chosen on the validation world; the test world is looked at once
 * for each seed. Of several seeds it reports each user's mean.
 *
 * @param worlds of the protocol by seed; the test world's truth is the same for all seeds
 * @param strategies of the pool by seed
 * @param metrics at one k; the last is the one by which strategies are compared
 * @param seeds of the runs
 * @param validateOnly whether the test world is left alone
 * @param frontier whether quality is weighed against cost
 */
record PoolProtocol(
    LongFunction<PoolWorld.Pair> worlds,
    LongFunction<List<Strategy>> strategies,
    List<RankingMetric> metrics,
    List<Long> seeds,
    boolean validateOnly,
    boolean frontier) {

  private static final int QUARTILES = 4;
  private static final double Z_99 = 2.576;

  Map<String, Object> run(Device device) {
    List<PoolRun> runs = new ArrayList<>();
    for (long seed : seeds) {
      if (seeds.size() > 1) {
        System.err.println("seed " + seed);
      }
      runs.add(
          PoolRun.of(
              device,
              worlds.apply(seed),
              strategies.apply(seed),
              metrics,
              seed,
              validateOnly,
              frontier));
    }
    return describe(runs);
  }

  private Map<String, Object> describe(List<PoolRun> runs) {
    Map<String, Object> result = new LinkedHashMap<>();
    List<String> names = names(runs);
    String best = best(names, runs);
    Map<String, Object> byStrategy = new LinkedHashMap<>();
    for (String name : names) {
      MetricTable table = mean(runs, report -> report.strategy(name));
      Map<String, Object> entry = new LinkedHashMap<>(Intervals.of(table, seed()));
      double seconds = median(runs, name, PoolRun.Fit::seconds);
      entry.put("seconds", seconds);
      entry.put("peakMb", median(runs, name, PoolRun.Fit::peakMb));
      entry.put("modelMb", median(runs, name, PoolRun.Fit::modelMb));
      double millis = median(runs, name, PoolRun.Fit::millisPer1000Users);
      entry.put("millisPer1000Users", millis);
      byStrategy.put(name, entry);
      print(String.format(Locale.ROOT, "%s (%.1f s, %.0f ms)", name, seconds, millis), table);
    }
    Map<String, Object> byMixer = new LinkedHashMap<>();
    for (Mixer mixer : Mixer.values()) {
      MetricTable table = mixer(runs, mixer);
      byMixer.put(mixer.key(), Intervals.of(table, seed()));
      print(mixer.key(), table);
    }
    Map<String, Object> differences = new LinkedHashMap<>();
    MetricTable policy = mixer(runs, Mixer.POLICY);
    MetricTable global = mixer(runs, Mixer.GLOBAL);
    MetricTable gate = mixer(runs, Mixer.USER_GATE);
    MetricTable control = mixer(runs, Mixer.CONTROL);
    MetricTable single = mean(runs, report -> report.strategy(best));
    difference(differences, "policy-bestSingle", policy, single);
    difference(differences, "policy-global", policy, global);
    difference(differences, "userGate-global", gate, global);
    difference(differences, "userGate-control", gate, control);
    difference(differences, "global-bestSingle", global, single);
    result.put("seeds", seeds);
    result.put("policySeconds", runs.stream().map(PoolRun::policySeconds).toList());
    result.put("quartiles", quartiles(runs.get(0), policy, global));
    result.put("strategies", byStrategy);
    result.put("bestSingle", best);
    result.put("mixers", byMixer);
    result.put("differences", differences);
    result.put("bySeed", bySeed(runs));
    CostFrontier costs = runs.get(0).frontier();
    if (costs != null) {
      Frontiers.print(costs, Double.POSITIVE_INFINITY);
      result.put("frontier", Frontiers.json(costs));
    }
    result.put(
        "warnings", runs.stream().flatMap(run -> run.warnings().stream()).distinct().toList());
    return result;
  }

  /** The strategies that could be fitted with every seed. */
  private static List<String> names(List<PoolRun> runs) {
    List<String> names = new ArrayList<>(runs.get(0).reported().strategies().keySet());
    runs.forEach(run -> names.retainAll(run.reported().strategies().keySet()));
    runs.forEach(run -> names.retainAll(run.judged().strategies().keySet()));
    return names;
  }

  /** The strategy that is best on the validation worlds. */
  private String best(List<String> names, List<PoolRun> runs) {
    return names.stream()
        .max(
            Comparator.comparingDouble(
                name ->
                    runs.stream()
                        .mapToDouble(run -> run.judged().strategy(name).mean(judge()))
                        .sum()))
        .orElseThrow();
  }

  private static MetricTable mean(List<PoolRun> runs, Function<MetaReport, MetricTable> table) {
    return MetricTable.mean(runs.stream().map(run -> table.apply(run.reported())).toList());
  }

  private static MetricTable mixer(List<PoolRun> runs, Mixer mixer) {
    return mean(runs, report -> report.mixer(mixer));
  }

  private static double median(
      List<PoolRun> runs, String name, ToDoubleFunction<PoolRun.Fit> value) {
    double[] sorted =
        runs.stream()
            .mapToDouble(run -> value.applyAsDouble(run.fits().get(name)))
            .sorted()
            .toArray();
    return sorted[sorted.length / 2];
  }

  /** Means of the mixers for each seed, without intervals. */
  private List<Map<String, Object>> bySeed(List<PoolRun> runs) {
    List<Map<String, Object>> bySeed = new ArrayList<>();
    for (int run = 0; run < runs.size(); run++) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("seed", seeds.get(run));
      for (Mixer mixer : Mixer.values()) {
        MetricTable table = runs.get(run).reported().mixer(mixer);
        Map<String, Double> means = new LinkedHashMap<>();
        metrics.forEach(metric -> means.put(metric.name(), table.mean(metric)));
        entry.put(mixer.key(), means);
      }
      bySeed.add(entry);
    }
    return bySeed;
  }

  private RankingMetric judge() {
    return metrics.get(metrics.size() - 1);
  }

  /** Of the intervals' resamples. */
  private long seed() {
    return seeds.get(0);
  }

  /** By history length, whether the policy is worse than global weights: 99 % intervals. */
  private List<Map<String, Object>> quartiles(
      PoolRun run, MetricTable policyTable, MetricTable globalTable) {
    RankingMetric judge = judge();
    Interactions history = run.history();
    int[] users = run.reported().users();
    double[] policy = policyTable.values(judge);
    double[] global = globalTable.values(judge);
    int[] lists = policyTable.lists();
    Integer[] byLength = new Integer[lists.length];
    Arrays.setAll(byLength, i -> i);
    Arrays.sort(byLength, Comparator.comparingInt(i -> history.degree(users[lists[i]])));
    List<Map<String, Object>> quartiles = new ArrayList<>();
    for (int q = 0; q < QUARTILES; q++) {
      int from = q * byLength.length / QUARTILES;
      int to = (q + 1) * byLength.length / QUARTILES;
      if (from == to) {
        continue;
      }
      double sum = 0;
      double squares = 0;
      for (int i = from; i < to; i++) {
        double difference = policy[byLength[i]] - global[byLength[i]];
        sum += difference;
        squares += difference * difference;
      }
      double mean = sum / (to - from);
      double half =
          Z_99 * Math.sqrt(Math.max(0, squares / (to - from) - mean * mean) / (to - from));
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("minHistory", history.degree(users[lists[byLength[from]]]));
      entry.put("maxHistory", history.degree(users[lists[byLength[to - 1]]]));
      entry.put("users", to - from);
      entry.put(judge.name(), Map.of("value", mean, "lo", mean - half, "hi", mean + half));
      quartiles.add(entry);
      System.out.printf(
          Locale.ROOT,
          "  policy-global, histories of %s to %s items: %s %+.4f [%+.4f, %+.4f] (99 %%)%n",
          entry.get("minHistory"),
          entry.get("maxHistory"),
          judge.name(),
          mean,
          mean - half,
          mean + half);
    }
    return quartiles;
  }

  private void print(String name, MetricTable table) {
    Intervals.print(System.out, name, table.intervals(Intervals.RESAMPLES, seed()));
  }

  private void difference(
      Map<String, Object> differences, String name, MetricTable a, MetricTable b) {
    Map<String, Interval> intervals = Intervals.difference(a, b, seed());
    differences.put(name, Intervals.json(intervals));
    Intervals.print(System.out, name, intervals);
  }
}
