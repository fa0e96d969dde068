package io.sextant.train;

import ai.djl.training.ParameterStore;
import io.sextant.data.Interactions;
import io.sextant.tensor.Scope;

/**
 * A task whose loss is a sum over interactions, so that a policy can weigh each of them: an example
 * learns from one row or from several (the targets of a sequence). With l the losses of the P rows
 * of a batch of B examples and o their own weights, the mean loss of the batch is
 *
 * <pre>(1/B) sum_p o_p l_p</pre>
 *
 * <p>Thread safety: used by one thread at a time.
 *
 * @param <B> its batches
 */
interface InteractionTask<B extends Batch> extends LearningTask<B> {

  /** The interactions that are learned from. */
  Interactions interactions();

  /** The rows that examples learn from (P), example after example. */
  int[] rowsOf(int[] examples);

  /** The examples that learn from rows, each once; rows that none learns from are passed over. */
  int[] examplesOf(int[] rows);

  /** The own weights of the rows of a batch (P), in the order of {@link #rowsOf}. */
  float[] rowWeights(B batch);

  /** The loss of each row of a batch (P), without weights; not to be differentiated. */
  float[] rowLosses(ParameterStore values, B batch);

  /**
   * The same batch with other weights on top of the rows' own.
   *
   * @param scope the step's lifetime
   * @param factors (P)
   */
  B weighed(Scope scope, B batch, float[] factors);

  /**
   * The same model learning from other rows over the same users and items, with draws of its own:
   * what look-ahead steps judge it by.
   */
  InteractionTask<B> over(Interactions other, long seed);
}
