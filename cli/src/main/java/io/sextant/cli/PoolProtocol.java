package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaReport;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.Mixer;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A pool of strategies and all ways to mix it, on a published protocol. Settings, the best single
 * strategy and the policies are chosen on the validation world; the test world is looked at once.
 *
 * @param worlds of the protocol
 * @param strategies of the pool
 * @param metrics at one k; the last is the one by which strategies are compared
 * @param seed of every random draw
 * @param validateOnly whether the test world is left alone
 */
record PoolProtocol(
    PoolWorld.Pair worlds,
    List<Strategy> strategies,
    List<RankingMetric> metrics,
    long seed,
    boolean validateOnly) {

  private static final int QUARTILES = 4;
  private static final double Z_99 = 2.576;

  Map<String, Object> run(Device device) {
    RankingMetric judge = metrics.get(metrics.size() - 1);
    PoolWorld validation = worlds.validation();
    PoolWorld test = worlds.test();
    try (TopK topK = new TopK()) {
      StrategyPool pool = fit(device, validation);
      MetaOptions options = MetaOptions.builder().k(judge.k()).seed(seed).build();
      MetaTrainer trainer = new MetaTrainer(options, line -> System.err.println("meta: " + line));
      Map<String, Object> result = new LinkedHashMap<>();
      long start = System.nanoTime();
      try (MetaPolicy policy =
          trainer.fit(
              pool,
              topK,
              validation.train().interactions(),
              validation.history(),
              validation.truth())) {
        result.put("policySeconds", seconds(start));
        MetaReport judged;
        try (MetaStrategy meta = policy.over(pool, topK)) {
          judged = report(meta, validation, "validation");
        }
        String best = judged.best(judge);
        if (validateOnly) {
          describe(result, judged, validation.history(), pool, best);
        } else {
          if (worlds.refits()) {
            pool.close();
            pool = fit(device, test);
          }
          try (MetaStrategy meta = policy.over(pool, topK, test.train().interactions())) {
            describe(result, report(meta, test, "test"), test.history(), pool, best);
          }
        }
      } finally {
        pool.close();
      }
      return result;
    }
  }

  private StrategyPool fit(Device device, PoolWorld world) {
    return StrategyPool.fit(
        strategies,
        strategy -> {
          System.err.println("fitting " + strategy.name());
          return FitContext.of(device, world.train());
        });
  }

  private MetaReport report(MetaStrategy meta, PoolWorld world, String part) {
    return MetaReport.of(
        meta,
        world.history(),
        world.truth(),
        metrics,
        done -> {
          if (done % 8192 == 0) {
            System.err.printf(Locale.ROOT, "%s: %d users%n", part, done);
          }
        });
  }

  private void describe(
      Map<String, Object> result,
      MetaReport report,
      Interactions history,
      StrategyPool pool,
      String best) {
    Map<String, Object> byStrategy = new LinkedHashMap<>();
    for (StrategyPool.Member member : pool.members()) {
      MetricTable table = report.strategy(member.name());
      Map<String, Object> entry = new LinkedHashMap<>(Intervals.of(table, seed));
      entry.put("seconds", member.fitSeconds());
      byStrategy.put(member.name(), entry);
      print(
          String.format(Locale.ROOT, "%s (fit %.1f s)", member.name(), member.fitSeconds()), table);
    }
    Map<String, Object> byMixer = new LinkedHashMap<>();
    report
        .mixers()
        .forEach(
            (mixer, table) -> {
              byMixer.put(mixer.key(), Intervals.of(table, seed));
              print(mixer.key(), table);
            });
    Map<String, Object> differences = new LinkedHashMap<>();
    MetricTable policy = report.mixer(Mixer.POLICY);
    MetricTable global = report.mixer(Mixer.GLOBAL);
    MetricTable gate = report.mixer(Mixer.USER_GATE);
    MetricTable control = report.mixer(Mixer.CONTROL);
    MetricTable single = report.strategy(best);
    difference(differences, "policy-bestSingle", policy, single);
    difference(differences, "policy-global", policy, global);
    difference(differences, "userGate-global", gate, global);
    difference(differences, "userGate-control", gate, control);
    difference(differences, "global-bestSingle", global, single);
    result.put("quartiles", quartiles(report, history));
    result.put("strategies", byStrategy);
    result.put("bestSingle", best);
    result.put("mixers", byMixer);
    result.put("differences", differences);
    result.put("warnings", pool.warnings());
  }

  /** By history length, whether the policy is worse than global weights: 99 % intervals. */
  private List<Map<String, Object>> quartiles(MetaReport report, Interactions history) {
    RankingMetric judge = metrics.get(metrics.size() - 1);
    double[] policy = report.mixer(Mixer.POLICY).values(judge);
    double[] global = report.mixer(Mixer.GLOBAL).values(judge);
    int[] lists = report.mixer(Mixer.POLICY).lists();
    Integer[] byLength = new Integer[lists.length];
    Arrays.setAll(byLength, i -> i);
    Arrays.sort(byLength, Comparator.comparingInt(i -> history.degree(report.users()[lists[i]])));
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
      entry.put("minHistory", history.degree(report.users()[lists[byLength[from]]]));
      entry.put("maxHistory", history.degree(report.users()[lists[byLength[to - 1]]]));
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
    Intervals.print(System.out, name, table.intervals(Intervals.RESAMPLES, seed));
  }

  private void difference(
      Map<String, Object> differences, String name, MetricTable a, MetricTable b) {
    Map<String, Interval> intervals = Intervals.difference(a, b, seed);
    differences.put(name, Intervals.json(intervals));
    Intervals.print(System.out, name, intervals);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }
}
