package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.SparseRows;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.DenseScores;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.SparseBatch;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What retrieval with a pool costs on this machine, in milliseconds for 1,000 users: a part for
 * each strategy, which a pool without it saves, and a part that any pool has, the selection of the
 * best items. The re-score of stage 2 comes on top; it depends on the number of candidates and
 * hardly on the strategies.
 *
 * <p>Thread safety: immutable.
 *
 * @param strategies by name, in the pool's order: queries, inner products and sparse scores
 * @param selection what is the same for all pools
 */
public record PoolCost(Map<String, Double> strategies, double selection) {

  private static final int RUNS = 5;
  private static final int BATCH = 512;
  private static final int K = 100;

  public PoolCost {
    strategies = Collections.unmodifiableMap(new LinkedHashMap<>(strategies));
    strategies.forEach((name, millis) -> check("strategy '" + name + "'", millis));
    check("selection", selection);
  }

  /**
   * Measures: each strategy ranks the catalogue for the users alone, and the time that selection
   * takes without any scores is taken off. Strategies take turns, after one turn that does not
   * count, and the median of five turns is the result.
   *
   * <p>Takes about six times what the pool's strategies need for the users, one after the other.
   * What else the machine does meanwhile is in the result.
   *
   * @param users a sample of those who are to be served, with their histories: some hundreds
   * @throws InvalidInputException if there is none
   */
  public static PoolCost measure(StrategyPool pool, List<UserState> users) {
    return measure(pool, users, System::nanoTime);
  }

  static PoolCost measure(StrategyPool pool, List<UserState> users, LongSupplier nanoTime) {
    if (users.isEmpty()) {
      throw new InvalidInputException("costs are measured on users but there are none");
    }
    double[][] millis = new double[pool.size() + 1][RUNS];
    TensorThreads.run(
        () -> {
          try (TopK topK = new TopK()) {
            for (int run = -1; run < RUNS; run++) {
              for (int m = 0; m <= pool.size(); m++) {
                long start = nanoTime.getAsLong();
                rank(pool, m, topK, users);
                double passed = (nanoTime.getAsLong() - start) * 1e-6;
                if (run >= 0) {
                  millis[m][run] = passed * 1000 / users.size();
                }
              }
            }
          }
        });
    double selection = median(millis[pool.size()]);
    Map<String, Double> strategies = new LinkedHashMap<>();
    for (int m = 0; m < pool.size(); m++) {
      strategies.put(pool.names().get(m), Math.max(0, median(millis[m]) - selection));
    }
    return new PoolCost(strategies, selection);
  }

  /**
   * What a pool of these strategies costs.
   *
   * @throws InvalidInputException if one was not measured
   */
  public double of(Collection<String> names) {
    double sum = selection;
    for (String name : names) {
      Double millis = strategies.get(name);
      if (millis == null) {
        throw new InvalidInputException(
            "the cost of strategy '%s' was not measured (measured: %s)"
                .formatted(name, strategies.keySet()));
      }
      sum += millis;
    }
    return sum;
  }

  /** Ranks with one strategy; with none where the index is the pool's size. */
  private static void rank(StrategyPool pool, int strategy, TopK topK, List<UserState> users) {
    for (int first = 0; first < users.size(); first += BATCH) {
      List<UserState> batch = users.subList(first, Math.min(users.size(), first + BATCH));
      try (Scope request = Scope.open(pool.device())) {
        FittedStrategy fitted =
            strategy < pool.size() ? pool.members().get(strategy).fitted() : null;
        DenseScores dense = fitted == null ? null : fitted.dense().orElse(null);
        SparseRows sparse =
            fitted == null
                ? null
                : fitted
                    .sparse()
                    .map(part -> SparseBatch.of(part, pool.numItems(), batch))
                    .orElse(null);
        NDArray queries =
            dense == null
                ? request.manager().zeros(new Shape(batch.size(), 1))
                : dense.queries(request, batch);
        NDArray items =
            dense == null
                ? request.manager().zeros(new Shape(pool.numItems(), 1))
                : dense.itemVectors();
        topK.search(queries, items, K, ExcludedItems.NONE, sparse);
      }
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static void check(String what, double millis) {
    if (!(millis >= 0 && Double.isFinite(millis))) {
      throw new InvalidInputException(
          "the cost of %s must be finite and >= 0 but was %s".formatted(what, millis));
    }
  }
}
