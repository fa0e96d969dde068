package io.sextant.cli;

import ai.djl.ndarray.NDArray;
import io.sextant.store.TensorSource;
import io.sextant.strategy.DenseScores;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.List;
import java.util.Optional;

/**
 * A comparison: the item vectors of another strategy, and as a user's vector the mean of those of
 * the user's events.
 *
 * @param items whose vectors are taken; closed with this
 * @param vectors (I, D) the same vectors
 */
record MeanPooling(FittedStrategy items, float[] vectors) implements FittedStrategy, DenseScores {

  static MeanPooling over(FittedStrategy items) {
    return new MeanPooling(items, HostArrays.toFloats(items.dense().orElseThrow().itemVectors()));
  }

  @Override
  public String type() {
    return "mean-pooling";
  }

  @Override
  public int numItems() {
    return items.numItems();
  }

  @Override
  public Optional<DenseScores> dense() {
    return Optional.of(this);
  }

  @Override
  public NDArray itemVectors() {
    return items.dense().orElseThrow().itemVectors();
  }

  @Override
  public NDArray queries(Scope scope, List<UserState> users) {
    int width = vectors.length / numItems();
    float[] queries = new float[users.size() * width];
    for (int u = 0; u < users.size(); u++) {
      int[] history = users.get(u).history();
      for (int item : history) {
        for (int d = 0; d < width; d++) {
          queries[u * width + d] += vectors[item * width + d] / history.length;
        }
      }
    }
    return HostArrays.floats(scope.manager(), queries, users.size(), width);
  }

  @Override
  public String configJson() {
    return items.configJson();
  }

  @Override
  public List<TensorSource> tensors() {
    return items.tensors();
  }

  @Override
  public void close() {
    items.close();
  }
}
