package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.RankedLists;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.SparseRows;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * Ranks the whole catalogue for many users with one fitted strategy, in batches, and judges the
 * lists.
 *
 * <p>Thread safety: safe.
 */
public final class Ranker implements AutoCloseable {

  private static final int BATCH = 1024;
  private static final int PAIR_BATCH = 4096;

  private final TopK topK = new TopK();

  /**
   * The best k items of each user, without those of the user's history.
   *
   * @param users any number: one batch
   */
  public RankedLists rank(FittedStrategy strategy, List<UserState> users, int k) {
    int[][] seen = new int[users.size()][];
    for (int u = 0; u < seen.length; u++) {
      seen[u] = distinct(users.get(u).history());
    }
    return rank(strategy, users, k, ExcludedItems.of(seen));
  }

  /** The best k items of each user, without the excluded ones. */
  public RankedLists rank(
      FittedStrategy strategy, List<UserState> users, int k, ExcludedItems excluded) {
    SparseRows added =
        strategy
            .sparse()
            .map(part -> SparseBatch.of(part, strategy.numItems(), users))
            .orElse(null);
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(strategy.device())) {
            DenseScores dense = strategy.dense().orElse(null);
            return dense == null
                ? topK.search(
                    scope.manager().zeros(new Shape(users.size(), 1)),
                    scope.manager().zeros(new Shape(strategy.numItems(), 1)),
                    k,
                    excluded,
                    added)
                : topK.search(dense.queries(scope, users), dense.itemVectors(), k, excluded, added);
          }
        });
  }

  /**
   * Metrics of every user who has truth: the catalogue is ranked without the items of the user's
   * history.
   *
   * @param history what users are known by, and what is not recommended again
   * @param truth what they did afterwards, over the same users and items
   * @param metrics all at the same or different k
   */
  public MetricTable evaluate(
      FittedStrategy strategy,
      Interactions history,
      Interactions truth,
      List<RankingMetric> metrics) {
    return evaluate(strategy, history, truth, metrics, usersWith(truth), true);
  }

  /**
   * Metrics of these users.
   *
   * @param users dense indices
   * @param known whether the strategy may use what it learned of the user in training; otherwise
   *     the user is served as one never seen, by history alone
   */
  public MetricTable evaluate(
      FittedStrategy strategy,
      Interactions history,
      Interactions truth,
      List<RankingMetric> metrics,
      int[] users,
      boolean known) {
    List<MetricTable> tables = new ArrayList<>();
    rankAll(
        strategy,
        history,
        users,
        known,
        metrics.stream().mapToInt(RankingMetric::k).max().orElse(10),
        (batch, lists) -> {
          int[][] relevant = new int[batch.length][];
          for (int i = 0; i < batch.length; i++) {
            relevant[i] = truth.seenOf(batch[i]);
          }
          tables.add(RankingEvaluation.perUser(lists, relevant, metrics));
        });
    return MetricTable.concat(tables);
  }

  /** Ranks for these users in batches and hands each batch with its lists to the consumer. */
  public void rankAll(
      FittedStrategy strategy,
      Interactions history,
      int[] users,
      boolean known,
      int k,
      BiConsumer<int[], RankedLists> consumer) {
    for (int start = 0; start < users.length; start += BATCH) {
      int[] batch = Arrays.copyOfRange(users, start, Math.min(users.length, start + BATCH));
      List<UserState> states = new ArrayList<>(batch.length);
      int[][] seen = new int[batch.length][];
      for (int i = 0; i < batch.length; i++) {
        states.add(new UserState(known ? batch[i] : -1, history.historyOf(batch[i])));
        seen[i] = history.seenOf(batch[i]);
      }
      consumer.accept(batch, rank(strategy, states, k, ExcludedItems.of(seen)));
    }
  }

  /**
   * The score of each pair.
   *
   * @param history what the users are known by
   * @param pairs rows of users and items, the same as in training
   */
  public static float[] scores(FittedStrategy strategy, Interactions history, Interactions pairs) {
    float[] scores = new float[pairs.size()];
    int[] users = pairs.userOfRow();
    for (int start = 0; start < scores.length; start += PAIR_BATCH) {
      int size = Math.min(PAIR_BATCH, scores.length - start);
      List<UserState> states = new ArrayList<>(size);
      int[] items = new int[size];
      for (int i = 0; i < size; i++) {
        int user = users[start + i];
        states.add(new UserState(user, history.historyOf(user)));
        items[i] = pairs.itemAt(start + i);
      }
      float[] batch = scores(strategy, states, items);
      System.arraycopy(batch, 0, scores, start, size);
    }
    return scores;
  }

  /** The score of one item for each user, (B). */
  static float[] scores(FittedStrategy strategy, List<UserState> users, int[] items) {
    float[] scores =
        strategy
            .dense()
            .map(part -> products(part, users, items))
            .orElseGet(() -> new float[items.length]);
    strategy
        .sparse()
        .ifPresent(
            part -> {
              ScoreSums sums = new ScoreSums(strategy.numItems());
              for (int i = 0; i < items.length; i++) {
                part.score(users.get(i), sums);
                scores[i] += sums.get(items[i]);
                sums.clear();
              }
            });
    return scores;
  }

  private static float[] products(DenseScores part, List<UserState> users, int[] items) {
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(part.itemVectors().getDevice())) {
            NDArray vectors =
                RowOptimizer.gather(
                    part.itemVectors(), HostArrays.longs(request.manager(), items, items.length));
            NDArray products = part.queries(request, users).mul(vectors);
            return HostArrays.toFloats(products.sum(new int[] {1}));
          }
        });
  }

  /** The users that have rows, ascending. */
  public static int[] usersWith(Interactions interactions) {
    return IntStream.range(0, interactions.numUsers())
        .filter(user -> interactions.degree(user) > 0)
        .toArray();
  }

  private static int[] distinct(int[] items) {
    return Arrays.stream(items).sorted().distinct().toArray();
  }

  @Override
  public void close() {
    topK.close();
  }
}
