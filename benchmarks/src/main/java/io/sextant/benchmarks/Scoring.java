package io.sextant.benchmarks;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;

/** Random users and a random catalogue whose best k are searched by every peer. Not thread-safe. */
final class Scoring implements AutoCloseable {

  private final Scope scope;
  private final TopK topK = new TopK();
  private final NDArray queries;
  private final NDArray catalogue;
  private final int k;

  Scoring(int users, int items, int dimension, int k, Device device) {
    this.k = k;
    scope = Scope.open(device);
    queries = normal(users, dimension);
    catalogue = normal(items, dimension);
  }

  private NDArray normal(long rows, long columns) {
    return TensorThreads.call(
        () -> scope.manager().randomNormal(0, 1, new Shape(rows, columns), DataType.FLOAT32));
  }

  /**
   * Compares the scores of both peers' lists.
   *
   * @throws IllegalStateException if they differ by more than rounding can explain
   */
  void checkThatPeersAgree() {
    float[] ours = TensorThreads.call(() -> Peer.SEXTANT.search(this));
    float[] plain = TensorThreads.call(() -> Peer.PLAIN_DJL.search(this));
    if (ours.length != plain.length) {
      throw new IllegalStateException(
          "%d scores differ from %d scores".formatted(ours.length, plain.length));
    }
    for (int i = 0; i < ours.length; i++) {
      // D products of numbers of the order of 1, each rounded to 2^-24: 1e-4 is a hundred times
      // that.
      if (!(Math.abs(ours[i] - plain[i]) <= 1e-4 * (1 + Math.abs(plain[i])))) {
        throw new IllegalStateException(
            "place %d of list %d: the engine scores %f and plain DJL %f"
                .formatted(i % k, i / k, ours[i], plain[i]));
      }
    }
  }

  /** The scores of the engine's exact search (B, k). */
  float[] searchInTiles() {
    return topK.search(queries, catalogue, k).scores();
  }

  /** The scores of a search in the whole product of all users and items (B, k). */
  float[] searchAtOnce() {
    return PlainDjl.topK(queries, catalogue, k);
  }

  @Override
  public void close() {
    topK.close();
    scope.close();
  }
}
