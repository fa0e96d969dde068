package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;

/** Where the negatives of a {@link ResidentForm} come from. */
@FunctionalInterface
interface ResidentNegatives {

  /**
   * Negatives of examples that follow each other.
   *
   * @param step owns the result
   * @param users (M,) int64
   * @param firstExample how many examples were drawn for before these, in the whole training
   * @return (M, n) int64
   */
  NDArray draw(Scope step, NDArray users, long firstExample);
}
