package io.sextant.train;

import io.sextant.tensor.RowGradient;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loss and gradient of whole batches by formulas, where recording operations and differentiating
 * them would cost more than the mathematics does. It must agree with the recorded step within
 * rounding: same examples, same draws, same loss. Nobody can look into such a step, so the loop
 * uses it only where no hook wants to.
 *
 * <p>Thread safety: used by one thread at a time.
 */
interface ClosedForm {

  /**
   * Computes the mean loss of a batch, and its gradients if the loss is finite.
   *
   * @param factors (B) by which the examples' own weights are multiplied; null for none
   */
  Result compute(int[] examples, float @Nullable [] factors, long step);

  /** A task that may have a closed form. */
  interface Task {
    /** The closed form of this task, or null if it has none. */
    @Nullable ClosedForm closedForm();
  }

  /**
   * What a batch came to.
   *
   * @param loss the mean loss with the examples' own weights
   * @param gradients by parameter name, valid until the next batch
   */
  record Result(float loss, Map<String, RowGradient> gradients) {}
}
