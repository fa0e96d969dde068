package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * Something that can be learned by gradient steps: examples, parameters, and a loss that is a pure
 * function of (parameter values, batch). The loop, the optimizers and the policy that steers them
 * know nothing else of a model.
 *
 * <p>Thread safety: used by one thread at a time.
 *
 * @param <B> its batches
 */
public interface LearningTask<B extends Batch> {

  /** How many examples an epoch has. */
  int numExamples();

  /** All parameters that are learned. */
  List<NamedParameter> parameters();

  /**
   * Makes a batch of these examples. All random draws depend on (seed, step) alone.
   *
   * @param scope the step's lifetime
   * @param examples indices of examples, from 0 to numExamples
   * @param step how many steps were made before, over all epochs
   */
  B prepare(Scope scope, int[] examples, long step);

  /** The loss of each example (B,), without weights and without regularisation. */
  NDArray loss(ParameterStore values, B batch);
}
