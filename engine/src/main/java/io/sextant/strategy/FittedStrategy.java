package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * A strategy that has learned: it turns users into queries (B, D) such that a score is the inner
 * product of a query and an item's vector.
 *
 * <p>Thread safety: {@link #queries} may be called from several tensor threads at the same time;
 * {@link #close} after all of them have returned.
 */
public interface FittedStrategy extends AutoCloseable {

  /** Which kind of strategy it is: the name under which its loader is found. */
  String type();

  /** The item vectors (I, D) on the strategy's device. Owned by the strategy. */
  NDArray itemVectors();

  /**
   * Queries (B, D) of users, in the memory of {@code scope}.
   *
   * @param scope the request's lifetime, on the strategy's device
   */
  NDArray queries(Scope scope, List<UserState> users);

  /** The configuration from which, with {@link #tensors}, the strategy can be loaded: JSON. */
  String configJson();

  /** The weights, to be written while the strategy is open. */
  List<TensorSource> tensors();

  /** Frees the weights. */
  @Override
  void close();
}
