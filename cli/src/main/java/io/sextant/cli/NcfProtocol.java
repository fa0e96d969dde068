package io.sextant.cli;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.eval.SampledRanking;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MovieLens-1M as in neural collaborative filtering (He et al., WWW 2017): each user's last item
 * among 99 given negatives, of which 156 equal the positive and are skipped. The training file has
 * no order, so settings were chosen on one random item of each user, which is easier to foresee
 * than the last one.
 *
 * @param data folder of the data set, which holds ncf-loo
 * @param seed of every random draw
 * @param validateOnly whether the test part is left alone
 */
record NcfProtocol(Path data, long seed, boolean validateOnly) {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.hr(10), RankingMetric.ndcg(10));
  private static final int NEGATIVES = 99;

  Map<String, Object> run(Device device) {
    Path folder = data.resolve("ncf-loo");
    Interactions all =
        new EventCleaner(
                CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build())
            .clean(
                EventReaders.open(
                    folder.resolve("ml-1m.train.pairs.tsv.gz"),
                    EventFormat.PAIRS,
                    ColumnMapping.DEFAULT))
            .interactions();
    boolean[] held = oneOfEachUser(all);
    Interactions train = validateOnly ? all.filter(row -> !held[row]) : all;
    Map<String, Object> results = new LinkedHashMap<>();
    for (Strategy strategy : List.of(Popularity.allTime(), model())) {
      try (ConsoleListener listener = new ConsoleListener(strategy.name());
          FittedStrategy fitted =
              strategy.fit(FitContext.of(device, Dataset.of(train)).withListener(listener))) {
        MetricTable table =
            validateOnly
                ? validate(fitted, train, all.filter(row -> held[row]))
                : judge(fitted, train, folder.resolve("ml-1m.test.negative"));
        results.put(strategy.name(), Intervals.of(table, seed));
      }
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("strategies", results);
    result.put(
        "published",
        Map.of(
            "Pop", Map.of("hr@10", .4538, "ndcg@10", .2545),
            "NeuMF", Map.of("hr@10", .73, "ndcg@10", .445),
            "iALS", Map.of("hr@10", .731, "ndcg@10", .453)));
    return result;
  }

  /**
   * The catalogue is small and dense: against overfitting the model needs much L2, and seen items
   * stay negatives, which validates no worse than leaving them out and spares the look-ups.
   */
  private TwoTowerStrategy model() {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(128).initStd(0.05f).build(),
        SamplingOptions.builder().negatives(256).excludeSeen(false).build(),
        TrainingOptions.builder()
            .epochs(8)
            .batchSize(512)
            .userLearningRate(0.3f)
            .itemLearningRate(0.3f)
            .l2(0.045f)
            .schedule(Schedule.LINEAR)
            .patience(0)
            .seed(seed)
            .build());
  }

  /** Marks one random row of every user who has at least two. */
  private boolean[] oneOfEachUser(Interactions all) {
    boolean[] held = new boolean[all.size()];
    for (int user = 0; user < all.numUsers(); user++) {
      if (all.degree(user) >= 2) {
        CounterRandom random = new CounterRandom(seed, "ncf-held", user);
        held[all.start(user) + random.nextInt(all.degree(user))] = true;
      }
    }
    return held;
  }

  /** The validation item of each user against 99 random unseen items. */
  private MetricTable validate(FittedStrategy fitted, Interactions train, Interactions validation) {
    int[] users = Ranker.usersWith(validation);
    int[][] candidates = new int[users.length][];
    for (int u = 0; u < users.length; u++) {
      CounterRandom random = new CounterRandom(seed, "ncf-validation", users[u]);
      int positive = validation.itemAt(validation.start(users[u]));
      int[] seen = train.seenOf(users[u]);
      int[] list = new int[NEGATIVES + 1];
      list[0] = positive;
      for (int n = 1; n <= NEGATIVES; n++) {
        do {
          list[n] = random.nextInt(validation.numItems());
        } while (list[n] == positive || Arrays.binarySearch(seen, list[n]) >= 0);
      }
      candidates[u] = list;
    }
    return rank(fitted, train, users, candidates);
  }

  private static MetricTable judge(FittedStrategy fitted, Interactions train, Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw new InvalidInputException("test file " + file + " cannot be read: " + e, e);
    }
    int[] users = new int[lines.size()];
    int[][] candidates = new int[lines.size()][];
    for (int i = 0; i < users.length; i++) {
      String[] fields = lines.get(i).split("\t", -1);
      String[] pair = fields[0].replaceAll("[()]", "").split(",", -1);
      users[i] = train.users().indexOf(pair[0]);
      fields[0] = pair[1];
      candidates[i] = Arrays.stream(fields).mapToInt(train.items()::indexOf).toArray();
      if (users[i] < 0) {
        throw new InvalidInputException(
            "%s, line %d: user %s is not in the training file".formatted(file, i + 1, pair[0]));
      }
    }
    return rank(fitted, train, users, candidates);
  }

  /**
   * The first candidate of each user is the positive. An item that the training file does not have
   * (-1) is ranked behind all others: a miss if it is the positive.
   */
  private static MetricTable rank(
      FittedStrategy fitted, Interactions history, int[] users, int[][] candidates) {
    int[] positives = new int[users.length];
    float[] positiveScores = new float[users.length];
    int[][] negatives = new int[users.length][];
    float[][] negativeScores = new float[users.length][];
    Map<Integer, Integer> place = new LinkedHashMap<>();
    Interactions.Builder pairs = Interactions.builder(history.users(), history.items());
    for (int u = 0; u < users.length; u++) {
      place.put(users[u], u);
      for (int item : candidates[u]) {
        if (item < 0) {
          continue;
        }
        pairs.add(
            users[u],
            item,
            EventType.VIEW,
            Float.NaN,
            1,
            Event.NO_TIME,
            InteractionFeatures.UNKNOWN);
      }
    }
    Interactions rows = pairs.build();
    float[] scores = Ranker.scores(fitted, history, rows);
    place.forEach(
        (user, u) -> {
          int row = rows.start(user);
          float[] ranked = new float[candidates[u].length];
          for (int c = 0; c < ranked.length; c++) {
            ranked[c] = candidates[u][c] < 0 ? Float.NEGATIVE_INFINITY : scores[row++];
          }
          positives[u] = candidates[u][0];
          positiveScores[u] = ranked[0];
          negatives[u] = Arrays.copyOfRange(candidates[u], 1, ranked.length);
          negativeScores[u] = Arrays.copyOfRange(ranked, 1, ranked.length);
        });
    return SampledRanking.perUser(
        positives,
        positiveScores,
        negatives,
        negativeScores,
        SampledRanking.Ties.EXPECTED,
        METRICS);
  }
}
