package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * The part of a strategy's scores that is an inner product: of a query (D) that is made from the
 * user's state and a vector (D) of the item.
 *
 * <p>Thread safety: {@link #queries} may be called from several tensor threads at the same time.
 */
public interface DenseScores {

  /** The item vectors (I, D), float32, on the strategy's device. Owned by the strategy. */
  NDArray itemVectors();

  /**
   * Queries (B, D), float32, of users, in the memory of {@code scope}.
   *
   * @param scope the request's lifetime, on the strategy's device
   */
  NDArray queries(Scope scope, List<UserState> users);
}
