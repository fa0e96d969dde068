package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.ParameterValues;
import io.sextant.tensor.Scope;
import java.util.Map;

/**
 * One step as a hook sees it: the batch, the values at which the model stands, and the loss at
 * these or any other values.
 *
 * <p>Thread safety: belongs to the training thread, during the call of a hook.
 *
 * @param <B> the task's batches
 */
public final class TrainingStep<B extends Batch> {

  private final LearningTask<B> task;
  private final Scope scope;
  private final B batch;
  private final ModelParameters.Leaves leaves;
  private final long number;

  TrainingStep(
      LearningTask<B> task, Scope scope, B batch, ModelParameters.Leaves leaves, long number) {
    this.task = task;
    this.scope = scope;
    this.batch = batch;
    this.leaves = leaves;
    this.number = number;
  }

  /** How many steps were made before. */
  public long number() {
    return number;
  }

  /** The step's lifetime. */
  public Scope scope() {
    return scope;
  }

  /** The batch. */
  public B batch() {
    return batch;
  }

  /** The values at which the model stands. */
  public ParameterValues values() {
    return leaves.values();
  }

  /**
   * The leaves behind the values, by parameter name: rows (K, D) of tables in the order of {@link
   * Batch#rows()}, and dense weights. A gradient can be taken with respect to them.
   */
  public Map<String, NDArray> leaves() {
    return Map.copyOf(leaves.byName());
  }

  /** The loss of each example (B,) at the given values. */
  public NDArray loss(ParameterValues values) {
    return task.loss(values, batch);
  }
}
