package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Metrics user by user of each strategy alone and of each mixer, on the same users.
 *
 * <p>Thread safety: immutable.
 *
 * @param strategies by name, in the pool's order
 * @param mixers by mixer
 * @param users dense index of each evaluated user, in the order of the lists
 */
public record MetaReport(
    Map<String, MetricTable> strategies, Map<Mixer, MetricTable> mixers, int[] users) {

  private static final int BATCH = 512;

  /**
   * Evaluates over the full catalogue without the items of the user's history.
   *
   * @param history what users are known by
   * @param truth what they did afterwards
   * @param progress hears how many users are done
   */
  public static MetaReport of(
      MetaStrategy meta,
      Interactions history,
      Interactions truth,
      List<RankingMetric> metrics,
      IntConsumer progress) {
    int[] users = Ranker.usersWith(truth);
    int k = metrics.stream().mapToInt(RankingMetric::k).max().orElse(10);
    StrategyPool pool = meta.scorer().pool();
    Map<String, List<MetricTable>> strategies = new LinkedHashMap<>();
    Map<Mixer, List<MetricTable>> mixers = new EnumMap<>(Mixer.class);
    pool.names().forEach(name -> strategies.put(name, new ArrayList<>()));
    for (Mixer mixer : Mixer.values()) {
      mixers.put(mixer, new ArrayList<>());
    }
    TensorThreads.run(
        () -> {
          for (int start = 0; start < users.length; start += BATCH) {
            int[] batch = Arrays.copyOfRange(users, start, Math.min(users.length, start + BATCH));
            evaluate(meta, history, truth, metrics, k, batch, strategies, mixers);
            progress.accept(start + batch.length);
          }
        });
    Map<String, MetricTable> byStrategy = new LinkedHashMap<>();
    strategies.forEach((name, tables) -> byStrategy.put(name, MetricTable.concat(tables)));
    Map<Mixer, MetricTable> byMixer = new EnumMap<>(Mixer.class);
    mixers.forEach((mixer, tables) -> byMixer.put(mixer, MetricTable.concat(tables)));
    return new MetaReport(byStrategy, byMixer, users);
  }

  /** The table of one strategy. */
  public MetricTable strategy(String name) {
    return required(strategies.get(name), name);
  }

  /** The table of one mixer. */
  public MetricTable mixer(Mixer mixer) {
    return required(mixers.get(mixer), mixer.key());
  }

  /** The strategy with the greatest mean of a metric. */
  public String best(RankingMetric metric) {
    return strategies.entrySet().stream()
        .max((a, b) -> Double.compare(a.getValue().mean(metric), b.getValue().mean(metric)))
        .orElseThrow()
        .getKey();
  }

  private static MetricTable required(@Nullable MetricTable table, String name) {
    if (table == null) {
      throw new InvalidInputException("the report has nothing of '%s'".formatted(name));
    }
    return table;
  }

  private static void evaluate(
      MetaStrategy meta,
      Interactions history,
      Interactions truth,
      List<RankingMetric> metrics,
      int k,
      int[] batch,
      Map<String, List<MetricTable>> strategies,
      Map<Mixer, List<MetricTable>> mixers) {
    List<UserState> states = new ArrayList<>(batch.length);
    int[][] seen = new int[batch.length][];
    int[][] relevant = new int[batch.length][];
    for (int i = 0; i < batch.length; i++) {
      states.add(new UserState(batch[i], history.historyOf(batch[i])));
      seen[i] = history.seenOf(batch[i]);
      relevant[i] = truth.seenOf(batch[i]);
    }
    ExcludedItems excluded = ExcludedItems.of(seen);
    FusedScorer scorer = meta.scorer();
    try (Scope request = Scope.open(scorer.pool().device())) {
      PoolScores scores = scorer.score(request, states);
      int m = 0;
      for (List<MetricTable> tables : strategies.values()) {
        RankedLists lists = scorer.rankSingle(request, scores, m++, k, excluded);
        tables.add(RankingEvaluation.perUser(lists, relevant, metrics));
      }
      mixers.forEach(
          (mixer, tables) ->
              tables.add(
                  RankingEvaluation.perUser(
                      meta.rank(request, mixer, states, scores, k, excluded), relevant, metrics)));
    }
  }
}
