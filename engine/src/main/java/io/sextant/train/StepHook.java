package io.sextant.train;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;

/**
 * What steers or watches training steps. Policy-guided training is a hook: it evaluates the model
 * at shifted parameters through {@link TrainingStep} and returns weights; it needs no loop of its
 * own.
 *
 * <p>Thread safety: called on the training thread.
 */
public interface StepHook {

  /**
   * Called before the gradient is computed.
   *
   * @return weights (B,) by which the losses are multiplied on top of the batch's own, or null for
   *     none
   */
  default @Nullable NDArray exampleWeights(TrainingStep<?> step) {
    return null;
  }

  /** Called after the parameters were updated, with the mean loss of the step. */
  default void afterStep(TrainingStep<?> step, float loss) {}
}
