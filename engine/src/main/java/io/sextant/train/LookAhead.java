package io.sextant.train;

import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * What a weight of each row that a batch learns from would change: the model takes one step on the
 * weighted batch, {@code theta' = theta - alpha D grad (1/n) sum_i w_i l_i}, and is judged there by
 * the loss of other examples, the meta batch. By the chain rule, with D (the optimizer's diagonal)
 * held fixed,
 *
 * <pre>
 *   dL_meta(theta') / dw_i = -(1/n) &lt;grad l_i(theta), alpha D v&gt;,   v = grad L_meta(theta')
 * </pre>
 *
 * <p>which needs first derivatives only (Shu et al., "Meta-Weight-Net", NeurIPS 2019). Nothing is
 * changed by looking.
 *
 * <p>Thread safety: belongs to the training thread.
 */
interface LookAhead {

  /**
   * The look-ahead of a model: in closed form where it can.
   *
   * @param meta the task that judges
   * @param guard the task that judges again; null for none
   */
  static <B extends Batch> LookAhead of(
      Scope session,
      InteractionTask<B> task,
      InteractionTask<B> meta,
      @Nullable InteractionTask<B> guard,
      ModelParameters parameters) {
    FactorForm form = parameters.cached() ? null : formOf(task);
    FactorForm metaForm = formOf(meta);
    FactorForm guardForm = guard == null ? null : formOf(guard);
    return form != null && metaForm != null
        ? new FactorLookAhead(form, metaForm, guardForm, parameters)
        : new RecordedLookAhead<>(session, task, meta, guard, parameters);
  }

  private static @Nullable FactorForm formOf(LearningTask<?> task) {
    return task instanceof TwoTowerTask twoTower ? twoTower.closedForm() : null;
  }

  /**
   * The derivative for each row of the examples.
   *
   * @param weights (P) the weights at which to differentiate, on top of the rows' own
   * @param metaExamples which examples judge
   * @param guardExamples which examples of the guard will judge; empty for none
   * @param step whose draws are made
   * @param factor on the step sizes of the optimizers
   */
  Slopes slopes(
      int[] examples,
      float[] weights,
      int[] metaExamples,
      int[] guardExamples,
      long step,
      float factor);

  /**
   * The derivative for each row of the same step, judged by the guard: directly after {@link
   * #slopes}, with which it shares the step.
   */
  Slopes guardSlopes();

  /**
   * The loss of each row at the present parameters, without weights; NaN for rows that no example
   * learns from.
   */
  float[] losses(int[] rows, long step);

  /**
   * The result.
   *
   * @param perRow (P) derivative of the meta loss by each weight; all zero where the two batches
   *     share no parameter
   * @param metaLoss the mean meta loss after the step; not finite if it could not be computed
   */
  @SuppressWarnings("ArrayRecordComponent") // Slopes are handed over, not compared.
  record Slopes(float[] perRow, double metaLoss) {}
}
