package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;

/** Where negatives that all examples of a step share come from, on the device. */
@FunctionalInterface
interface SharedNegatives {

  /**
   * Negatives of steps that follow each other; an item may come more than once.
   *
   * @param scope owns the result
   * @param firstStep how many steps there were before
   * @return (steps, N) int64
   */
  NDArray draw(Scope scope, long firstStep, int steps);
}
