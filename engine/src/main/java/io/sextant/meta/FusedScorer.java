package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.IndexedItems;
import io.sextant.retrieve.ItemIndex;
import io.sextant.retrieve.SparseRows;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.DenseScores;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ScoreSums;
import io.sextant.strategy.SparseBatch;
import io.sextant.strategy.UserState;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scores with all strategies of a pool at once: one inner product, whatever the weights.
 *
 * <p>Design. The mixture {@code S(h, j) = sum_m w_m(h) (s_m(h, j) - mu_m(h)) / sigma_m(h)} is, but
 * for a constant of the user, the inner product of {@code Q(h) = [w_m / sigma_m q_m]_m} and {@code
 * V_j = [v_mj]_m}, plus the sparse parts times {@code w_m / sigma_m}. {@link ScoreMoments} knows
 * mean and deviation.
 *
 * <p>Items can be added after training ({@link AddedItems}): they have the places I and up in
 * lists. Means and deviations stay those of the I items.
 *
 * <p>Memory: a copy of all item vectors (I, D) beside the strategies' own.
 *
 * <p>Thread safety: {@link #score}, {@link #rank} and {@link #raw} may be called from several
 * tensor threads, each with a scope of its own.
 */
final class FusedScorer implements AutoCloseable {

  /** Gathered item vectors of one chunk stay below this. */
  private static final long GATHER_BYTES = 24L << 20;

  private final StrategyPool pool;
  private final TopK topK;
  private final Scope model;
  private final int[] offsets;
  private final AddedItems added;
  private final @Nullable NDArray vectors;
  private final ScoreMoments moments;
  private final @Nullable ItemIndex index;
  private final @Nullable NDArray blocks;

  /**
   * Copies the item vectors and computes their moments, O(I sum D_m^2).
   *
   * @param pool lent; must stay open longer than this
   * @param topK lent
   */
  FusedScorer(StrategyPool pool, TopK topK) {
    this(pool, topK, 0);
  }

  /**
   * The same with room for items that are added later.
   *
   * @param spare how many
   */
  FusedScorer(StrategyPool pool, TopK topK, int spare) {
    this(pool, topK, spare, ExactIndex.with(topK));
  }

  /**
   * The same with an index for the search of all strategies at once. What it finds only nearly, as
   * {@link io.sextant.retrieve.GraphIndex}, is nearly the best of the mixture; all scores, means
   * and deviations stay right.
   */
  FusedScorer(StrategyPool pool, TopK topK, int spare, IndexBuilder builder) {
    this.pool = pool;
    this.topK = topK;
    this.added = new AddedItems(pool.numItems(), spare);
    this.offsets = new int[pool.size() + 1];
    this.model = Scope.open(pool.device());
    List<NDArray> parts = new ArrayList<>();
    for (int m = 0; m < pool.size(); m++) {
      DenseScores dense = dense(m);
      int width = 0;
      if (dense != null) {
        parts.add(dense.itemVectors());
        width = (int) dense.itemVectors().getShape().get(1);
      }
      offsets[m + 1] = offsets[m] + width;
    }
    if (parts.isEmpty()) {
      vectors = null;
      moments = new ScoreMoments(pool, offsets, null, model);
      blocks = null;
      index = null;
      return;
    }
    NDArray all = TensorThreads.call(() -> concat(parts, spare));
    vectors = all;
    moments = TensorThreads.call(() -> new ScoreMoments(pool, offsets, all, model));
    blocks = TensorThreads.call(this::blockIndicator);
    try {
      index = builder.build(new IndexedItems(all, pool.numItems(), moments.columnScales()));
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** How many places for items there are: those of training and those for added ones. */
  int numPlaces() {
    return pool.numItems() + added.capacity();
  }

  /**
   * Puts an item into a place that is free and that no search may find yet.
   *
   * @param slot from 0 on
   */
  void place(int slot, AddedItems.Kin kin) {
    NDArray all = vectors;
    if (all != null) {
      TensorThreads.run(
          () -> {
            try (Scope step = model.child()) {
              int n = kin.items().length;
              NDArray rows =
                  step.adopt(
                      RowOptimizer.gather(all, HostArrays.longs(step.manager(), kin.items(), n)));
              NDArray row =
                  step.adopt(HostArrays.floats(step.manager(), kin.weights(), 1, n).matMul(rows));
              int place = pool.numItems() + slot;
              all.set(new NDIndex("{}:{}", place, place + 1), row);
            }
          });
    }
    added.put(slot, kin);
  }

  /**
   * Refuses vectors that hold NaN or infinite values.
   *
   * @throws InvalidInputException with the strategy's name
   */
  void requireFinite() {
    for (int m = 0; m < pool.size(); m++) {
      for (int d = offsets[m]; d < offsets[m + 1]; d++) {
        if (!Float.isFinite(moments.meanVector()[d])) {
          throw new InvalidInputException(
              "strategy '%s' cannot be served: its item vectors hold NaN or infinite values; has its training diverged?"
                  .formatted(pool.names().get(m)));
        }
      }
    }
  }

  /** How many numbers {@link #directions} gives for an item. */
  int directionWidth() {
    return ItemDirections.width(offsets);
  }

  /** Unit vectors (items * width) whose inner products say how alike items are. */
  float[] directions(int[] items) {
    NDArray all = vectors;
    if (all == null || directionWidth() == 0) {
      return new float[0];
    }
    float[] gathered =
        TensorThreads.call(
            () -> {
              try (Scope step = model.child()) {
                NDArray index = HostArrays.longs(step.manager(), items, items.length);
                return HostArrays.toFloats(step.adopt(RowOptimizer.gather(all, index)));
              }
            });
    return new ItemDirections(offsets, moments.meanVector(), moments.scales()).of(gathered);
  }

  /** What each item of the history adds to one strategy's score of an item; empty if unknown. */
  float[] historyParts(FittedStrategy fitted, UserState user, int item) {
    return fitted
        .byHistory()
        .map(
            scores -> {
              AddedItems.Kin kin = added.kinOf(item);
              if (kin == null) {
                return scores.parts(user, item);
              }
              float[] parts = new float[user.history().length];
              for (int i = 0; i < kin.items().length; i++) {
                float[] own = scores.parts(user, kin.items()[i]);
                for (int place = 0; place < parts.length; place++) {
                  parts[place] += kin.weights()[i] * own[place];
                }
              }
              return parts;
            })
        .orElseGet(() -> new float[0]);
  }

  /** The sum of the dense parts' dimensions, D. */
  int dimension() {
    return offsets[pool.size()];
  }

  StrategyPool pool() {
    return pool;
  }

  /** What the strategies say of these users, in the memory of the scope. */
  PoolScores score(Scope scope, List<UserState> users) {
    int size = users.size();
    int numStrategies = pool.size();
    SparseRows[] sparse = new SparseRows[numStrategies];
    for (int m = 0; m < numStrategies; m++) {
      var part = pool.members().get(m).fitted().sparse();
      if (part.isPresent()) {
        sparse[m] = SparseBatch.of(part.get(), pool.numItems(), users);
      }
    }
    NDArray queries = vectors == null ? null : queries(scope, users);
    return moments.of(scope, size, queries, sparse);
  }

  /**
   * The best k items of the weighted sum of standardised scores. The scores of the lists are S
   * exactly, constants included.
   *
   * @param weights (B * M)
   */
  RankedLists rank(Scope scope, PoolScores scores, float[] weights, int k, ExcludedItems excluded) {
    int numStrategies = pool.size();
    float[] factors = new float[weights.length];
    double[] constants = new double[scores.size()];
    for (int i = 0; i < weights.length; i++) {
      if (scores.deviations()[i] > 0) {
        factors[i] = weights[i] / scores.deviations()[i];
        constants[i / numStrategies] += (double) factors[i] * scores.means()[i];
      }
    }
    SparseRows sparse = combine(scores, factors);
    RankedLists lists;
    try (Scope step = scope.child()) {
      if (scores.queries() == null || index == null || blocks == null) {
        lists =
            topK.search(
                step.manager().zeros(new Shape(scores.size(), 1)),
                step.manager().zeros(new Shape(numPlaces(), 1)),
                k,
                excluded,
                sparse);
      } else {
        NDArray scale =
            step.adopt(
                HostArrays.floats(step.manager(), factors, scores.size(), numStrategies)
                    .matMul(blocks)); // (B, D)
        NDArray fused = step.adopt(scores.queries().mul(scale));
        lists = index.search(fused, k, excluded, sparse);
      }
    }
    float[] shifted = lists.scores().clone();
    for (int list = 0; list < lists.size(); list++) {
      for (int at = list * k; at < list * k + lists.lengths()[list]; at++) {
        shifted[at] -= (float) constants[list];
      }
    }
    return new RankedLists(k, lists.items(), shifted, lists.lengths());
  }

  /** The best k items of one strategy alone. */
  RankedLists rankSingle(
      Scope scope, PoolScores scores, int strategy, int k, ExcludedItems excluded) {
    DenseScores dense = dense(strategy);
    SparseRows sparse = scores.sparse()[strategy];
    if (sparse != null && added.capacity() > 0) {
      float[] only = new float[scores.size() * pool.size()];
      for (int user = 0; user < scores.size(); user++) {
        only[user * pool.size() + strategy] = 1;
      }
      sparse = combine(scores, only);
    }
    try (Scope step = scope.child()) {
      if (dense == null || scores.queries() == null || vectors == null) {
        return topK.search(
            step.manager().zeros(new Shape(scores.size(), 1)),
            step.manager().zeros(new Shape(numPlaces(), 1)),
            k,
            excluded,
            sparse);
      }
      if (pool.size() == 1 && index != null) {
        return index.search(scores.queries(), k, excluded, sparse);
      }
      NDArray queries = step.adopt(block(scores.queries(), strategy));
      NDArray items =
          added.capacity() == 0 ? dense.itemVectors() : step.adopt(block(vectors, strategy));
      return topK.search(queries, items, k, excluded, sparse);
    }
  }

  /**
   * The raw score of each strategy for each candidate.
   *
   * @param candidates (B * N) items; negative ones are padding
   * @return (B * N * M); 0 at padding
   */
  float[] raw(Scope scope, PoolScores scores, int[] candidates) {
    int numStrategies = pool.size();
    int n = candidates.length / Math.max(1, scores.size());
    float[] raw = new float[candidates.length * numStrategies];
    if (scores.queries() != null && vectors != null) {
      addDense(scope, scores.queries(), candidates, n, raw);
    }
    for (int m = 0; m < numStrategies; m++) {
      SparseRows rows = scores.sparse()[m];
      if (rows == null) {
        continue;
      }
      for (int at = 0; at < candidates.length; at++) {
        if (candidates[at] >= 0) {
          raw[at * numStrategies + m] += added.sparseScore(rows, at / n, candidates[at]);
        }
      }
    }
    return raw;
  }

  @Override
  public void close() {
    if (index != null) {
      index.close();
    }
    model.close();
  }

  private @Nullable DenseScores dense(int strategy) {
    return pool.members().get(strategy).fitted().dense().orElse(null);
  }

  /** The vectors side by side, and rows of zeros for added items below them. */
  private NDArray concat(List<NDArray> parts, int spare) {
    if (spare == 0) {
      // A single part is copied, too: this scope must not own what belongs to the strategy.
      return model.adopt(
          parts.size() == 1 ? parts.get(0).duplicate() : NDArrays.concat(new NDList(parts), 1));
    }
    NDArray all = model.manager().zeros(new Shape(numPlaces(), dimension()));
    int column = 0;
    for (NDArray part : parts) {
      int width = (int) part.getShape().get(1);
      all.set(new NDIndex("0:{}, {}:{}", pool.numItems(), column, column + width), part);
      column += width;
    }
    return all;
  }

  /** (M, D) with ones where a dimension belongs to the strategy. */
  private NDArray blockIndicator() {
    int width = dimension();
    float[] indicator = new float[pool.size() * width];
    for (int m = 0; m < pool.size(); m++) {
      for (int d = offsets[m]; d < offsets[m + 1]; d++) {
        indicator[m * width + d] = 1;
      }
    }
    return HostArrays.floats(model.manager(), indicator, pool.size(), width);
  }

  private NDArray block(NDArray wide, int strategy) {
    return moments.block(wide, strategy);
  }

  private NDArray queries(Scope scope, List<UserState> users) {
    NDList parts = new NDList();
    try (Scope step = scope.child()) {
      for (int m = 0; m < pool.size(); m++) {
        DenseScores dense = dense(m);
        if (dense != null) {
          parts.add(dense.queries(step, users));
        }
      }
      return scope.adopt(parts.size() == 1 ? parts.get(0).duplicate() : NDArrays.concat(parts, 1));
    }
  }

  private @Nullable SparseRows combine(PoolScores scores, float[] factors) {
    boolean any = false;
    for (SparseRows rows : scores.sparse()) {
      any |= rows != null;
    }
    if (!any) {
      return null;
    }
    int numStrategies = pool.size();
    return SparseBatch.of(
        numPlaces(),
        scores.size(),
        (int user, ScoreSums into) -> {
          for (int m = 0; m < numStrategies; m++) {
            SparseRows rows = scores.sparse()[m];
            float factor = factors[user * numStrategies + m];
            if (rows != null && factor != 0) {
              into.addAll(
                  rows.items(),
                  rows.values(),
                  rows.starts()[user],
                  rows.starts()[user + 1],
                  factor);
            }
          }
          added.addTo(into);
        });
  }

  /** Adds the inner products of queries and gathered candidates, strategy by strategy. */
  private void addDense(Scope scope, NDArray queries, int[] candidates, int n, float[] raw) {
    int users = n == 0 ? 0 : candidates.length / n;
    int width = dimension();
    int numStrategies = pool.size();
    if (vectors == null || blocks == null || users == 0) {
      return;
    }
    int chunk = (int) Math.max(1, GATHER_BYTES / ((long) n * width * Float.BYTES));
    NDArray columns = scope.adopt(blocks.transpose()); // (D, M)
    for (int first = 0; first < users; first += chunk) {
      int end = Math.min(users, first + chunk);
      int rows = (end - first) * n;
      int[] items = new int[rows];
      for (int i = 0; i < rows; i++) {
        items[i] = Math.max(0, candidates[first * n + i]);
      }
      try (Scope step = scope.child()) {
        NDArray gathered =
            step.adopt(RowOptimizer.gather(vectors, HostArrays.longs(step.manager(), items, rows)));
        NDArray q = step.adopt(queries.get("%d:%d".formatted(first, end)));
        NDArray products =
            step.adopt(gathered.reshape(end - first, n, width))
                .muli(step.adopt(q.reshape(end - first, 1, width)));
        float[] sums =
            HostArrays.toFloats(
                step.adopt(step.adopt(products.reshape(rows, width)).matMul(columns))); // (rows, M)
        int at = first * n * numStrategies;
        for (int i = 0; i < sums.length; i++) {
          raw[at + i] = candidates[first * n + i / numStrategies] >= 0 ? sums[i] : 0;
        }
      }
    }
  }
}
