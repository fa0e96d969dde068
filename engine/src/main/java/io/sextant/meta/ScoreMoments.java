package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import io.sextant.retrieve.SparseRows;
import io.sextant.strategy.DenseScores;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Mean and standard deviation of each strategy's scores over the whole catalogue, for any user.
 *
 * <p>Design. The dense part needs no pass over the items: {@code mu = <q, vbar>} and {@code sigma^2
 * = q' C q} with the catalogue's mean vector and covariance matrix, which are computed once. The
 * sparse part's come from its entries.
 *
 * <p>Thread safety: safe.
 */
final class ScoreMoments {

  /** A strategy whose scores spread less than this share of their size says nothing. */
  private static final double RELATIVE_FLOOR = 1e-6;

  private final StrategyPool pool;
  private final int[] offsets;
  private final @Nullable NDArray mean;
  private final float[] meanVector;
  private final NDArray[] covariances;
  private final float[] scales;

  /**
   * Computes the moments of the items, O(I sum D_m^2).
   *
   * @param offsets (M + 1) where each strategy's columns begin
   * @param vectors (I or more, D) of which the first I count; null if there are none
   * @param model owns what is computed
   */
  ScoreMoments(StrategyPool pool, int[] offsets, @Nullable NDArray vectors, Scope model) {
    this.pool = pool;
    this.offsets = offsets;
    covariances = new NDArray[pool.size()];
    scales = new float[pool.size()];
    if (vectors == null) {
      mean = null;
      meanVector = new float[0];
      return;
    }
    NDArray trained = model.adopt(vectors.get("0:" + pool.numItems()));
    mean = model.adopt(trained.mean(new int[] {0}, true));
    meanVector = HostArrays.toFloats(mean);
    covariances(trained, model);
  }

  /** The mean of the item vectors (D). */
  float[] meanVector() {
    return meanVector;
  }

  /** Of each strategy one divided by the root of its covariance's trace; 0 where that is 0. */
  float[] scales() {
    return scales;
  }

  /** The scale of the strategy to which each column belongs (D). */
  float[] columnScales() {
    float[] columns = new float[offsets[pool.size()]];
    for (int m = 0; m < pool.size(); m++) {
      Arrays.fill(columns, offsets[m], offsets[m + 1], scales[m]);
    }
    return columns;
  }

  /** A strategy's columns; the caller owns the view. */
  NDArray block(NDArray wide, int strategy) {
    return wide.get(":, %d:%d".formatted(offsets[strategy], offsets[strategy + 1]));
  }

  /**
   * The scores' moments beside what they were computed from.
   *
   * @param size how many users, B
   * @param queries (B, D); null without dense parts
   * @param sparse for each strategy its rows; null for none
   */
  PoolScores of(Scope scope, int size, @Nullable NDArray queries, @Nullable SparseRows[] sparse) {
    int numStrategies = pool.size();
    double[] means = new double[size * numStrategies];
    double[] variances = new double[size * numStrategies];
    if (queries != null) {
      denseMoments(scope, queries, means, variances);
    }
    for (int m = 0; m < numStrategies; m++) {
      SparseRows rows = sparse[m];
      if (rows != null) {
        addSparseMoments(scope, m, rows, queries, means, variances);
      }
    }
    float[] floatMeans = new float[means.length];
    float[] deviations = new float[means.length];
    for (int i = 0; i < means.length; i++) {
      floatMeans[i] = (float) means[i];
      double deviation = Math.sqrt(Math.max(0, variances[i]));
      deviations[i] = deviation <= RELATIVE_FLOOR * Math.abs(means[i]) ? 0 : (float) deviation;
    }
    return new PoolScores(size, queries, sparse, floatMeans, deviations);
  }

  private void covariances(NDArray all, Scope model) {
    long numItems = pool.numItems();
    for (int m = 0; m < pool.size(); m++) {
      if (offsets[m] == offsets[m + 1] || mean == null) {
        continue;
      }
      try (Scope step = model.child()) {
        NDArray centred = step.adopt(step.adopt(block(all, m)).sub(step.adopt(block(mean, m))));
        NDArray covariance = step.adopt(centred.transpose()).matMul(centred).divi(numItems);
        covariances[m] = model.adopt(covariance);
        float[] values = HostArrays.toFloats(covariance);
        int width = offsets[m + 1] - offsets[m];
        double trace = 0;
        for (int d = 0; d < width; d++) {
          trace += values[d * width + d];
        }
        scales[m] = trace > 0 ? (float) (1 / Math.sqrt(trace)) : 0;
      }
    }
  }

  private void denseMoments(Scope scope, NDArray queries, double[] means, double[] variances) {
    int numStrategies = pool.size();
    int size = (int) queries.getShape().get(0);
    try (Scope step = scope.child()) {
      for (int m = 0; m < numStrategies; m++) {
        if (offsets[m] == offsets[m + 1] || mean == null) {
          continue;
        }
        NDArray q = step.adopt(block(queries, m));
        float[] mu =
            HostArrays.toFloats(step.adopt(q.mul(step.adopt(block(mean, m)))).sum(new int[] {1}));
        float[] variance =
            HostArrays.toFloats(
                step.adopt(step.adopt(q.matMul(covariances[m])).mul(q)).sum(new int[] {1}));
        for (int u = 0; u < size; u++) {
          means[u * numStrategies + m] = mu[u];
          variances[u * numStrategies + m] = variance[u];
        }
      }
    }
  }

  /** Adds mean and variance of sparse entries, and twice their covariance with the dense part. */
  private void addSparseMoments(
      Scope scope,
      int m,
      SparseRows rows,
      @Nullable NDArray queries,
      double[] means,
      double[] variances) {
    int numStrategies = pool.size();
    double numItems = pool.numItems();
    boolean both = queries != null && offsets[m] < offsets[m + 1];
    double[] cross = new double[rows.size()];
    if (both && queries != null) {
      crossMoments(scope, m, rows, queries, cross);
    }
    for (int u = 0; u < rows.size(); u++) {
      double sum = 0;
      double squares = 0;
      for (int at = rows.starts()[u]; at < rows.starts()[u + 1]; at++) {
        double value = rows.values()[at];
        sum += value;
        squares += value * value;
      }
      int i = u * numStrategies + m;
      double mu = sum / numItems;
      // sum_j e_j (d_j - dbar) / I, e the sparse entries and d the dense scores.
      double covariance = both ? (cross[u] - sum * means[i]) / numItems : 0;
      variances[i] += squares / numItems - mu * mu + 2 * covariance;
      means[i] += mu;
    }
  }

  /** For each user sum_j e_j d_j, over the entries e of the sparse part. */
  private void crossMoments(Scope scope, int m, SparseRows rows, NDArray queries, double[] cross) {
    DenseScores dense = dense(m);
    if (dense == null) {
      return;
    }
    for (int u = 0; u < rows.size(); u++) {
      int from = rows.starts()[u];
      int count = rows.starts()[u + 1] - from;
      if (count == 0) {
        continue;
      }
      try (Scope step = scope.child()) {
        int[] items = Arrays.copyOfRange(rows.items(), from, from + count);
        float[] values = Arrays.copyOfRange(rows.values(), from, from + count);
        NDArray gathered =
            step.adopt(
                RowOptimizer.gather(
                    dense.itemVectors(), HostArrays.longs(step.manager(), items, count)));
        NDArray sum =
            step.adopt(HostArrays.floats(step.manager(), values, 1, count).matMul(gathered));
        NDArray q = step.adopt(step.adopt(block(queries, m)).get("%d:%d".formatted(u, u + 1)));
        cross[u] = step.adopt(sum.mul(q)).sum().getFloat();
      }
    }
  }

  private @Nullable DenseScores dense(int strategy) {
    return pool.members().get(strategy).fitted().dense().orElse(null);
  }
}
