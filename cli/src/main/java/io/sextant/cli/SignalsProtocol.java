package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.Bootstrap;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.GuidedTraining;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Weights learned from what real events carry, beside weights set by hand: matrix factorisation
 * with the BPR loss and weighted ALS learn from the same events with equal weights ({@code equal}),
 * with the best of many hand-set weights ({@code handSet}), with weights that a policy has learned
 * ({@code learned}, some share of the events with the least weights left out) and with these as
 * they are where the guard lets them pass, equal ones elsewhere ({@code kept}: what {@code train}
 * does).
 *
 * <p>Both hand-set weights and the share that is left out are chosen for each strategy and seed by
 * how they rank the two trusted slices together. No method learns strategies from these. All are
 * judged by full ranking of the test part. Each seed draws slices and models anew; intervals are
 * over users, each with the mean over the seeds.
 *
 * @param firstSeed the seeds are this and those that follow
 * @param validateOnly whether the guard is ranked in the place of the test part
 */
record SignalsProtocol(SignalsData data, int seeds, long firstSeed, boolean validateOnly) {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.ndcg(10), RankingMetric.ndcg(100));

  /** What hand-set weights are chosen by, and the guard judges by: less noisy than short lists. */
  private static final RankingMetric CRITERION = RankingMetric.ndcg(100);

  private static final List<String> METHODS = List.of("equal", "handSet", "learned", "kept");

  /** What one strategy gave with one seed. */
  private record Run(
      Map<String, MetricTable> tables,
      int[] users,
      Map<String, String> chosen,
      GuidedTraining.Result guided) {}

  Map<String, Object> run(Interactions all, Device device) {
    Map<String, List<Run>> runs = new LinkedHashMap<>();
    List<Object> bySeed = new ArrayList<>();
    for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
      SignalsWorld world = SignalsWorld.of(data, all, seed);
      Map<String, Run> now = runOnce(world, seed, device);
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("seed", seed);
      long which = seed;
      now.forEach(
          (strategy, run) -> {
            runs.computeIfAbsent(strategy, name -> new ArrayList<>()).add(run);
            json.put(strategy, json(run));
            System.err.println(summary(which, strategy, run));
          });
      now.values().stream()
          .findFirst()
          .ifPresent(run -> json.put("policy", WeightRecord.of(run.guided().report())));
      bySeed.add(json);
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("data", data.toString());
    result.put("seeds", seeds);
    result.put("part", validateOnly ? "guard" : "test");
    Map<String, Object> strategies = new LinkedHashMap<>();
    runs.forEach((name, list) -> strategies.put(name, summary(list, all.numUsers())));
    result.put("strategies", strategies);
    result.put("bySeed", bySeed);
    return result;
  }

  private Map<String, Run> runOnce(SignalsWorld world, long seed, Device device) {
    Map<String, Run> runs = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker();
        ConsoleListener listener = new ConsoleListener("seed " + seed)) {
      FitContext context =
          FitContext.of(device, Dataset.of(world.train())).withValidation(world.guard());
      GuidedTraining training =
          GuidedTraining.of(SignalsSettings.learner(seed), SignalsSettings.weighting(seed));
      GuidedTraining.Learned learned =
          training.learn(
              context.withListener(listener), world.features(), world.metaSet(), world.guard());
      for (Strategy strategy : SignalsSettings.strategies(data, seed)) {
        runs.put(strategy.name(), judge(world, ranker, context, training, learned, strategy));
      }
    }
    return runs;
  }

  private Run judge(
      SignalsWorld world,
      Ranker ranker,
      FitContext context,
      GuidedTraining training,
      GuidedTraining.Learned learned,
      Strategy strategy) {
    Interactions truth = validateOnly ? world.guard() : world.test();
    Interactions known = validateOnly ? world.train().concat(world.metaSet()) : world.known();
    Map<String, MetricTable> tables = new LinkedHashMap<>();
    Map<String, String> chosen = new LinkedHashMap<>();
    Map<String, List<RowWeights>> choices = new LinkedHashMap<>();
    choices.put("handSet", RowWeights.handSet(data, world.train()));
    choices.put("learned", RowWeights.learned(world.train(), learned.weights()));
    choices.forEach(
        (method, candidates) -> {
          double best = Double.NEGATIVE_INFINITY;
          for (RowWeights weights : candidates) {
            try (FittedStrategy fitted =
                strategy.fit(context.withInteractions(weights.weighed(world.train())))) {
              double value =
                  evaluate(ranker, fitted, weights, world.train(), world.trusted()).mean(CRITERION);
              if (value > best) {
                best = value;
                chosen.put(method, weights.name());
                tables.put(method, evaluate(ranker, fitted, weights, known, truth));
              }
            }
          }
        });
    RowWeights equal = RowWeights.equal(world.train());
    GuidedTraining.Result guided =
        training.retrain(
            strategy, context, null, learned, world.train().concat(world.metaSet()), world.guard());
    try (guided) {
      tables.put("equal", evaluate(ranker, guided.fits().plain(), equal, known, truth));
      tables.put("kept", evaluate(ranker, guided.fits().kept(), equal, known, truth));
    }
    return new Run(tables, Ranker.usersWith(truth), chosen, guided);
  }

  /** Ranks all that users do not have, whatever part of it the weights let them be known by. */
  private static MetricTable evaluate(
      Ranker ranker,
      FittedStrategy fitted,
      RowWeights weights,
      Interactions known,
      Interactions truth) {
    Interactions histories = weights.histories().apply(known);
    int[] users = Ranker.usersWith(truth);
    List<UserState> states = new ArrayList<>();
    int[][] seen = new int[users.length][];
    int[][] relevant = new int[users.length][];
    for (int u = 0; u < users.length; u++) {
      states.add(new UserState(users[u], histories.historyOf(users[u])));
      seen[u] = known.seenOf(users[u]);
      relevant[u] = truth.seenOf(users[u]);
    }
    return RankingEvaluation.perUser(
        ranker.rank(fitted, states, CRITERION.k(), ExcludedItems.of(seen)), relevant, METRICS);
  }

  private Map<String, Object> summary(List<Run> runs, int numUsers) {
    Map<String, Object> json = new LinkedHashMap<>();
    for (String method : METHODS) {
      Map<String, Interval> intervals = new LinkedHashMap<>();
      for (RankingMetric metric : METRICS) {
        intervals.put(
            metric.toString(),
            Bootstrap.mean(
                perUser(runs, method, metric, numUsers), Intervals.RESAMPLES, firstSeed));
      }
      json.put(method, Intervals.json(intervals));
    }
    Map<String, Object> differences = new LinkedHashMap<>();
    for (String better : List.of("learned", "kept", "handSet")) {
      for (String than : List.of("equal", "handSet")) {
        if (!better.equals(than)) {
          Map<String, Interval> intervals = new LinkedHashMap<>();
          for (RankingMetric metric : METRICS) {
            intervals.put(
                metric.toString(),
                Bootstrap.pairedDifference(
                    perUser(runs, better, metric, numUsers),
                    perUser(runs, than, metric, numUsers),
                    Intervals.RESAMPLES,
                    firstSeed));
          }
          differences.put(better + "-" + than, Intervals.json(intervals));
        }
      }
    }
    json.put("differences", differences);
    return json;
  }

  private static double[] perUser(
      List<Run> runs, String method, RankingMetric metric, int numUsers) {
    return SeedMeans.of(runs, Run::users, run -> table(run, method).values(metric), numUsers);
  }

  private static MetricTable table(Run run, String method) {
    MetricTable table = run.tables().get(method);
    if (table == null) {
      throw new IllegalStateException("nothing was measured of " + method);
    }
    return table;
  }

  private static Map<String, Object> json(Run run) {
    Map<String, Object> json = new LinkedHashMap<>();
    for (String method : METHODS) {
      Map<String, Object> values = new LinkedHashMap<>();
      METRICS.forEach(metric -> values.put(metric.toString(), table(run, method).mean(metric)));
      json.put(method, values);
    }
    json.put("chosen", run.chosen());
    json.put("pays", run.guided().fits().pays());
    json.put("onGuard", Intervals.json(run.guided().fits().differences()));
    return json;
  }

  private static String summary(long seed, String strategy, Run run) {
    StringBuilder line = new StringBuilder("seed " + seed + ", " + strategy + ":");
    for (String method : METHODS) {
      line.append(String.format(Locale.ROOT, " %s", method));
      METRICS.forEach(
          metric ->
              line.append(String.format(Locale.ROOT, " %.4f", table(run, method).mean(metric))));
    }
    return line.append("; chosen ")
        .append(run.chosen())
        .append(run.guided().fits().pays() ? "; kept" : "; not kept")
        .toString();
  }
}
