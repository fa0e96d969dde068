package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;

/**
 * Alternates between users and items. Both implementations compute the same function up to
 * rounding.
 *
 * <p>Thread safety: none.
 */
sealed interface AlsSolver permits AlsOnHost, AlsOnDevice {

  /** Solves for all users, then for all items. */
  void epoch();

  /** What is minimised, for the present factors. */
  double objective();

  /** The item factors (I, D), in the memory of the scope. */
  NDArray itemVectors(Scope scope);
}
