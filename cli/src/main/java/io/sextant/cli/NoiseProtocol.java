package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.Bootstrap;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.GuidedTraining;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import io.sextant.train.WeightReport;
import io.sextant.train.WeightingOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Policy-guided training under corrupted positives: matrix factorisation with the BPR loss learns
 * from what is observed with equal weights ({@code plain}), with the weights that a policy has
 * learned and the guard has let pass ({@code weighted}), from the clean rows alone ({@code oracle})
 * and from data that were never corrupted ({@code clean}). All stop by the guard slice and are
 * judged by full ranking of the test slice. Each seed draws split, corruption, features and models
 * anew; intervals are over users, each with the mean over the seeds.
 *
 * @param rate share of corrupt rows
 * @param informative whether a feature tells them from clean ones
 * @param firstSeed the seeds are this and those that follow
 * @param validateOnly whether the guard is ranked in the place of the test slice
 */
record NoiseProtocol(
    double rate, boolean informative, int seeds, long firstSeed, boolean validateOnly) {

  private static final RankingMetric METRIC = RankingMetric.ndcg(10);

  /** The epoch that is best on the guard is kept; its NDCG@10 would be too noisy to tell. */
  private static final String VALIDATION = "ndcg@50";

  private static final int EPOCHS = 20;
  private static final int LEARNER_EPOCHS = 4;
  private static final List<String> METHODS = List.of("plain", "weighted", "oracle", "clean");

  /** What one seed gave. */
  private record Run(
      Map<String, MetricTable> tables,
      int[] users,
      GuidedTraining.Result guided,
      WeightReport.@Nullable Separation separation) {}

  Map<String, Object> run(Interactions all, Device device) {
    List<Run> runs = new ArrayList<>();
    for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
      runs.add(runOnce(NoiseWorld.of(all, rate, informative, seed), seed, device));
      System.err.println(summary(seed, runs.get(runs.size() - 1)));
    }
    return result(runs, all.numUsers());
  }

  private Run runOnce(NoiseWorld world, long seed, Device device) {
    Interactions truth = validateOnly ? world.guard() : world.test();
    Interactions known = validateOnly ? world.knownBeforeGuard() : world.knownBeforeTest();
    Map<String, MetricTable> tables = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker();
        ConsoleListener listener = new ConsoleListener("seed " + seed)) {
      FitContext context =
          FitContext.of(device, Dataset.of(world.observed()))
              .withValidation(world.guard())
              .withListener(listener);
      GuidedTraining training =
          GuidedTraining.of(
              model(seed, LEARNER_EPOCHS), WeightingOptions.builder().seed(seed).build());
      GuidedTraining.Result guided =
          training.fit(
              model(seed, EPOCHS), context, world.features(), world.metaSet(), world.guard());
      try (guided) {
        tables.put("plain", judge(ranker, guided.fits().plain(), known, truth));
        tables.put("weighted", judge(ranker, guided.fits().kept(), known, truth));
      }
      for (String method : METHODS.subList(2, METHODS.size())) {
        Interactions train = method.equals("oracle") ? world.oracle() : world.clean();
        // Where nothing was corrupted all learn from the same rows.
        tables.put(
            method,
            rate == 0 ? table(tables, "plain") : fit(ranker, context, train, seed, known, truth));
      }
      boolean both = rate > 0;
      return new Run(
          tables,
          Ranker.usersWith(truth),
          guided,
          both
              ? WeightReport.separation(world.observed(), guided.weights(), world.corrupt())
              : null);
    }
  }

  private static MetricTable fit(
      Ranker ranker,
      FitContext context,
      Interactions train,
      long seed,
      Interactions known,
      Interactions truth) {
    try (FittedStrategy fitted = model(seed, EPOCHS).fit(context.withInteractions(train))) {
      return judge(ranker, fitted, known, truth);
    }
  }

  private static MetricTable judge(
      Ranker ranker, FittedStrategy fitted, Interactions known, Interactions truth) {
    return ranker.evaluate(fitted, known, truth, List.of(METRIC));
  }

  /** Settings chosen on the guard slices of seeds that are not reported. */
  private static TwoTowerStrategy model(long seed, int epochs) {
    return TwoTowerStrategy.of(
            TwoTowerOptions.builder().dimension(32).biases(true).initStd(0.05f).build(),
            SamplingOptions.builder().objective(Objective.BPR).negatives(4).build(),
            TrainingOptions.builder()
                .epochs(epochs)
                .batchSize(4096)
                .userLearningRate(0.1f)
                .itemLearningRate(0.1f)
                .l2(0.015f)
                .patience(0)
                .seed(seed)
                .build())
        .withValidationMetric(VALIDATION);
  }

  private Map<String, Object> result(List<Run> runs, int numUsers) {
    Map<String, double[]> perUser = new LinkedHashMap<>();
    for (String method : METHODS) {
      perUser.put(
          method,
          SeedMeans.of(runs, Run::users, run -> table(run, method).values(METRIC), numUsers));
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("rate", rate);
    result.put("informative", informative);
    result.put("seeds", seeds);
    result.put("part", validateOnly ? "guard" : "test");
    for (String method : METHODS) {
      Interval interval = Bootstrap.mean(values(perUser, method), Intervals.RESAMPLES, firstSeed);
      result.put(method, Intervals.json(Map.of(METRIC.toString(), interval)));
    }
    Map<String, Object> differences = new LinkedHashMap<>();
    for (String method : METHODS.subList(1, METHODS.size())) {
      Interval interval =
          Bootstrap.pairedDifference(
              values(perUser, method), values(perUser, "plain"), Intervals.RESAMPLES, firstSeed);
      differences.put(method + "-plain", Intervals.json(Map.of(METRIC.toString(), interval)));
    }
    result.put("differences", differences);
    double plain = mean(values(perUser, "plain"));
    double oracle = mean(values(perUser, "oracle"));
    result.put(
        "recovered",
        rate == 0 ? Double.NaN : (mean(values(perUser, "weighted")) - plain) / (oracle - plain));
    if (runs.get(0).separation() != null) {
      result.put(
          "weightAuc",
          runs.stream().mapToDouble(NoiseProtocol::weightAuc).average().orElse(Double.NaN));
      result.put(
          "popularityAuc",
          runs.stream().mapToDouble(NoiseProtocol::popularityAuc).average().orElse(Double.NaN));
    }
    List<Object> bySeed = new ArrayList<>();
    for (int r = 0; r < runs.size(); r++) {
      bySeed.add(json(firstSeed + r, runs.get(r)));
    }
    result.put("bySeed", bySeed);
    return result;
  }

  private static double weightAuc(Run run) {
    WeightReport.Separation separation = run.separation();
    return separation == null ? Double.NaN : separation.weightAuc();
  }

  private static double popularityAuc(Run run) {
    WeightReport.Separation separation = run.separation();
    return separation == null ? Double.NaN : separation.popularityAuc();
  }

  private static MetricTable table(Run run, String method) {
    return table(run.tables(), method);
  }

  private static MetricTable table(Map<String, MetricTable> tables, String method) {
    MetricTable table = tables.get(method);
    if (table == null) {
      throw new IllegalStateException("nothing was measured of " + method);
    }
    return table;
  }

  private static double[] values(Map<String, double[]> perUser, String method) {
    return perUser.getOrDefault(method, new double[0]);
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(Double.NaN);
  }

  private static Map<String, Object> json(long seed, Run run) {
    WeightReport report = run.guided().report();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("seed", seed);
    for (String method : METHODS) {
      json.put(method, table(run, method).mean(METRIC));
    }
    json.put("weightAuc", weightAuc(run));
    json.put("popularityAuc", popularityAuc(run));
    json.put("pays", run.guided().fits().pays());
    json.put("onGuard", Intervals.json(run.guided().fits().differences()));
    Map<String, Object> policy = WeightRecord.of(report);
    WeightReport.Separation separation = run.separation();
    if (separation != null) {
      policy.putAll(WeightRecord.of(separation));
    }
    json.put("policy", policy);
    return json;
  }

  private static String summary(long seed, Run run) {
    StringBuilder line = new StringBuilder("seed " + seed + ":");
    for (String method : METHODS) {
      line.append(String.format(Locale.ROOT, " %s %.4f", method, table(run, method).mean(METRIC)));
    }
    return line.append(
            String.format(
                Locale.ROOT,
                ", weights' AUC %.3f beside popularity's %.3f, %s",
                weightAuc(run),
                popularityAuc(run),
                run.guided().fits().pays() ? "kept" : "not kept"))
        .toString();
  }
}
