package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.GuidedRates;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.StepPolicyOptions;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Step sizes that a policy learns from starts ten times too low and too high, beside a grid: matrix
 * factorisation with the BPR loss on a part of MovieLens-1M's users. The grid's best pair of rates,
 * of user and item rows, is that with the best NDCG@10 on the validation slice. From a tenth and
 * from ten times these the policy learns rates on the meta slice; they are kept where they rank the
 * guard slice at least as well as the engine's default rates. The learned ones, the default ones
 * and the grid's best are judged by the test slice, once. Each seed draws slices and models anew.
 *
 * @param users about so many
 * @param firstSeed the seeds are this and those that follow
 * @param validateOnly whether the validation slice is ranked in the place of the test slice
 */
record RatesProtocol(int users, int epochs, int seeds, long firstSeed, boolean validateOnly) {

  private static final RankingMetric METRIC = RankingMetric.ndcg(10);

  /** By which the guard judges, as for {@code train}: less noisy than short lists. */
  private static final RankingMetric GUARD_METRIC = RankingMetric.ndcg(100);

  private static final List<Float> GRID = List.of(0.05f, 0.1f, 0.2f, 0.4f, 0.8f);
  private static final List<Float> STARTS = List.of(0.1f, 10f);
  private static final int RUNS = 6;

  /** How much worse than the grid's best learned rates may be. */
  private static final double TOLERANCE = 0.02;

  /** What is learned from, and what judges: 5 % each but for the test slice, which is 10 %. */
  private record World(
      Interactions train,
      Interactions metaSet,
      Interactions guard,
      Interactions validation,
      Interactions test) {

    static World of(Interactions all, int users, long seed) {
      int[] userOf = all.userOfRow();
      int every = Math.max(1, all.numUsers() / users);
      Interactions some = all.filter(row -> userOf[row] % every == 0);
      int n = some.size();
      int[] order = new int[n];
      Arrays.setAll(order, i -> i);
      new CounterRandom(seed, "rates-split", 0).shuffle(order);
      byte[] part = new byte[n];
      for (int i = 0; i < n; i++) {
        long percent = 100L * i / n;
        part[order[i]] =
            (byte) (percent < 5 ? 1 : percent < 10 ? 2 : percent < 15 ? 3 : percent < 25 ? 4 : 0);
      }
      return new World(
          some.filter(row -> part[row] == 0),
          some.filter(row -> part[row] == 1),
          some.filter(row -> part[row] == 2),
          some.filter(row -> part[row] == 3),
          some.filter(row -> part[row] == 4));
    }
  }

  /** What became of one start. */
  private record Start(Map<String, Object> json, double toBest, boolean kept, boolean holds) {}

  /** One seed at work. */
  private final class Run {
    private final long seed;
    private final World world;
    private final FitContext context;
    private final Ranker ranker;

    Run(long seed, World world, Device device, Ranker ranker) {
      this.seed = seed;
      this.world = world;
      this.ranker = ranker;
      context = FitContext.of(device, Dataset.of(world.train())).withValidation(world.validation());
    }

    TwoTowerStrategy model(float user, float item) {
      return TwoTowerStrategy.of(
          TwoTowerOptions.builder().dimension(32).biases(true).initStd(0.05f).build(),
          SamplingOptions.builder().objective(Objective.BPR).negatives(4).build(),
          TrainingOptions.builder()
              .epochs(epochs)
              .batchSize(4096)
              .userLearningRate(user)
              .itemLearningRate(item)
              .l2(0.015f)
              .patience(0)
              .seed(seed)
              .build());
    }

    double onValidation(FittedStrategy fitted) {
      return ranker
          .evaluate(fitted, world.train(), world.validation(), List.of(METRIC))
          .mean(METRIC);
    }

    double inTheEnd(FittedStrategy fitted) {
      if (validateOnly) {
        return onValidation(fitted);
      }
      Interactions known =
          world.train().concat(world.metaSet()).concat(world.guard()).concat(world.validation());
      return ranker.evaluate(fitted, known, world.test(), List.of(METRIC)).mean(METRIC);
    }

    Map<String, Object> run(List<Start> all) {
      float bestUser = 0;
      float bestItem = 0;
      double best = Double.NEGATIVE_INFINITY;
      for (float user : GRID) {
        for (float item : GRID) {
          try (FittedStrategy fitted = model(user, item).fit(context)) {
            double value = onValidation(fitted);
            if (value > best) {
              best = value;
              bestUser = user;
              bestItem = item;
            }
          }
        }
      }
      double reference;
      try (FittedStrategy fitted = model(bestUser, bestItem).fit(context)) {
        reference = inTheEnd(fitted);
      }
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("seed", seed);
      json.put(
          "gridBest",
          Map.of("user", bestUser, "item", bestItem, "validation", best, "ndcg", reference));
      System.err.printf(
          Locale.ROOT,
          "seed %d: grid's best %.2f, %.2f with %.4f, in the end %.4f%n",
          seed,
          bestUser,
          bestItem,
          best,
          reference);
      List<Object> starts = new ArrayList<>();
      for (float times : STARTS) {
        Start start = from(times, times * bestUser, times * bestItem, reference);
        all.add(start);
        starts.add(start.json());
      }
      json.put("starts", starts);
      return json;
    }

    private Start from(float times, float user, float item, double reference) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("times", times);
      try (FittedStrategy fitted = model(user, item).fit(context)) {
        json.put("ndcgOfStart", inTheEnd(fitted));
      }
      StepPolicyOptions policy = StepPolicyOptions.builder().objectives(false).seed(seed).build();
      GuidedRates training =
          new GuidedRates(
              policy, RUNS, GuidedRates.ratesOf(TrainingOptions.builder().build()), GUARD_METRIC);
      try (GuidedRates.Result result =
          training.fit(model(user, item), context, world.metaSet(), world.guard())) {
        double learned = inTheEnd(result.fits().guided());
        double byDefault = inTheEnd(result.fits().plain());
        boolean kept = result.outcome() == GuidedRates.Outcome.KEPT;
        json.putAll(RateRecord.of(result));
        json.put("ndcgOfLearned", learned);
        json.put("ndcgOfDefault", byDefault);
        json.put("learnedToGridBest", learned / reference);
        json.put("keptToGridBest", (kept ? learned : byDefault) / reference);
        boolean holds = !kept || learned >= (1 - TOLERANCE) * reference;
        json.put("holds", holds);
        System.err.printf(
            Locale.ROOT,
            "seed %d, start x %s: learned %.3f, %.3f with %.4f (%.1f %% of the grid's best), default %.4f: %s%n",
            seed,
            times,
            result.learned().user(),
            result.learned().item(),
            learned,
            100 * learned / reference,
            byDefault,
            result.outcome());
        return new Start(json, learned / reference, kept, holds);
      }
    }
  }

  Map<String, Object> run(Interactions all, Device device) {
    List<Object> bySeed = new ArrayList<>();
    List<Start> starts = new ArrayList<>();
    try (Ranker ranker = new Ranker()) {
      for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
        bySeed.add(new Run(seed, World.of(all, users, seed), device, ranker).run(starts));
      }
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("users", users);
    result.put("epochs", epochs);
    result.put("seeds", seeds);
    result.put("firstSeed", firstSeed);
    result.put("part", validateOnly ? "validation" : "test");
    result.put("grid", GRID);
    result.put("runs", RUNS);
    result.put("starts", starts.size());
    result.put("holds", starts.stream().filter(Start::holds).count());
    result.put("kept", starts.stream().filter(Start::kept).count());
    result.put(
        "meanLearnedToGridBest",
        starts.stream().mapToDouble(Start::toBest).average().orElse(Double.NaN));
    result.put("bySeed", bySeed);
    return result;
  }
}
