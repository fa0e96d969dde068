package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.CostFrontier;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaReport;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.PoolCost;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.Strategy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One run of a pool with one seed: strategies and policies fitted to the validation world and
 * judged there, then judged on the test world.
 *
 * @param judged on the validation world
 * @param reported on the test world; on the validation world if test is left alone
 * @param history what the reported users were known by
 * @param fits what the reported strategies took
 * @param warnings which strategies were left out
 * @param policySeconds what the policies took
 * @param frontier what parts of the pool give for what cost, on the validation world; null if it
 *     was not asked for
 */
record PoolRun(
    MetaReport judged,
    MetaReport reported,
    Interactions history,
    Map<String, Fit> fits,
    List<String> warnings,
    double policySeconds,
    @Nullable CostFrontier frontier) {

  /**
   * What a strategy takes.
   *
   * @param seconds of its fit
   * @param peakMb how far resident memory grew during the fit, garbage included; -1 if unknown
   * @param modelMb what it has learned, as a bundle holds it
   * @param millisPer1000Users of serving
   */
  record Fit(double seconds, long peakMb, double modelMb, double millisPer1000Users) {}

  /**
   * Runs.
   *
   * @param metrics at one k
   * @param validateOnly whether the test world is left alone
   * @param withFrontier whether the frontier is searched
   */
  static PoolRun of(
      Device device,
      PoolWorld.Pair worlds,
      List<Strategy> strategies,
      List<RankingMetric> metrics,
      long seed,
      boolean validateOnly,
      boolean withFrontier) {
    PoolWorld validation = worlds.validation();
    PoolWorld test = worlds.test();
    int k = metrics.stream().mapToInt(RankingMetric::k).max().orElse(10);
    MetaTrainer trainer =
        new MetaTrainer(
            MetaOptions.builder().k(k).strength(worlds.strength()).seed(seed).build(),
            line -> System.err.println("meta: " + line));
    Map<String, Long> peaks = new LinkedHashMap<>();
    try (TopK topK = new TopK()) {
      StrategyPool pool = fit(device, strategies, validation, peaks);
      long start = System.nanoTime();
      try (MetaPolicy policy =
          trainer.fit(
              pool,
              topK,
              validation.train().interactions(),
              validation.history(),
              validation.truth())) {
        double policySeconds = (System.nanoTime() - start) * 1e-9;
        MetaReport judged;
        try (MetaStrategy meta = policy.over(pool, topK)) {
          judged = report(meta, validation, metrics, "validation");
        }
        CostFrontier frontier =
            withFrontier
                ? Frontiers.of(
                    trainer,
                    pool,
                    topK,
                    validation.train().interactions(),
                    validation.history(),
                    validation.truth(),
                    seed)
                : null;
        MetaReport reported = judged;
        PoolWorld last = validateOnly ? validation : test;
        if (!validateOnly) {
          if (worlds.refits()) {
            pool.close();
            pool = fit(device, strategies, test, peaks);
          }
          try (MetaStrategy meta = policy.over(pool, topK, test.train().interactions())) {
            reported = report(meta, test, metrics, "test");
          }
        }
        return new PoolRun(
            judged,
            reported,
            last.history(),
            fits(pool, peaks, Frontiers.costs(pool, last.history(), last.truth(), seed)),
            pool.warnings(),
            policySeconds,
            frontier);
      } finally {
        pool.close();
      }
    }
  }

  private static StrategyPool fit(
      Device device, List<Strategy> strategies, PoolWorld world, Map<String, Long> peaks) {
    try (Watch watch = new Watch(peaks)) {
      return StrategyPool.fit(
          strategies,
          strategy -> {
            System.err.println("fitting " + strategy.name());
            watch.next(strategy.name());
            return FitContext.of(device, world.train());
          });
    }
  }

  private static Map<String, Fit> fits(StrategyPool pool, Map<String, Long> peaks, PoolCost costs) {
    Map<String, Fit> fits = new LinkedHashMap<>();
    for (StrategyPool.Member member : pool.members()) {
      long bytes =
          member.fitted().tensors().stream().mapToLong(tensor -> tensor.spec().bytes()).sum();
      fits.put(
          member.name(),
          new Fit(
              member.fitSeconds(),
              peaks.getOrDefault(member.name(), -1L),
              bytes / 0x1p20,
              costs.strategies().getOrDefault(member.name(), Double.NaN)));
    }
    return fits;
  }

  private static MetaReport report(
      MetaStrategy meta, PoolWorld world, List<RankingMetric> metrics, String part) {
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

  /** Notes how far memory grows during each fit; each ends when the next begins. */
  private static final class Watch implements AutoCloseable {
    private final Map<String, Long> peaks;
    private @Nullable String name;
    private ResidentMemory.Growth growth = () -> -1;

    Watch(Map<String, Long> peaks) {
      this.peaks = peaks;
    }

    void next(String strategy) {
      close();
      name = strategy;
      growth = ResidentMemory.watch();
    }

    @Override
    public void close() {
      String watched = name;
      if (watched != null) {
        peaks.put(watched, growth.megabytes());
      }
    }
  }
}
