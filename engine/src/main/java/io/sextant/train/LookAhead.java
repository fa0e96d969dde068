package io.sextant.train;

import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * What a weight of each example of a batch would change: the model takes one step on the weighted
 * batch, {@code theta' = theta - alpha D grad mean(w l)}, and is judged there by the loss of other
 * examples, the meta batch. By the chain rule, with D (the optimizer's diagonal) held fixed,
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
   * The look-ahead of a two-tower model: in closed form where it can.
   *
   * @param meta the task that judges
   * @param guard the task that judges again; null for none
   */
  static LookAhead of(
      Scope session,
      TwoTowerTask task,
      TwoTowerTask meta,
      @Nullable TwoTowerTask guard,
      ModelParameters parameters) {
    FactorForm form = task.closedForm();
    FactorForm metaForm = meta.closedForm();
    FactorForm guardForm = guard == null ? null : guard.closedForm();
    return form != null && metaForm != null
        ? new FactorLookAhead(form, metaForm, guardForm, parameters)
        : new RecordedLookAhead<>(session, task, meta, guard, parameters);
  }

  /**
   * The derivative for each example.
   *
   * @param weights (n) the weights at which to differentiate, on top of the examples' own
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
   * The derivative for each example of the same step, judged by the guard: directly after {@link
   * #slopes}, with which it shares the step.
   */
  Slopes guardSlopes();

  /** The loss of each example (n) at the present parameters, without weights. */
  float[] losses(int[] examples, long step);

  /**
   * The result.
   *
   * @param perExample (n) derivative of the meta loss by each weight; all zero where the two
   *     batches share no parameter
   * @param metaLoss the mean meta loss after the step; not finite if it could not be computed
   */
  @SuppressWarnings("ArrayRecordComponent") // Slopes are handed over, not compared.
  record Slopes(float[] perExample, double metaLoss) {}
}
