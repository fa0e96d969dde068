package io.sextant.train;

import io.sextant.tensor.Scope;
import java.util.Map;

/**
 * The loss of trusted examples, the meta batch, at the present parameters, with its gradient and
 * the values behind it: what a policy needs to see where the steps since some moment have led. The
 * same examples at the same step read the same rows, so that what is read at two moments can be
 * compared number by number.
 *
 * <p>Thread safety: belongs to the training thread.
 */
interface MetaGradient {

  /** The meta gradient of a model: in closed form where it can. */
  static <B extends Batch> MetaGradient of(
      Scope session, LearningTask<B> meta, ModelParameters parameters) {
    FactorForm form =
        meta instanceof TwoTowerTask twoTower && !parameters.cached()
            ? twoTower.closedForm()
            : null;
    return form != null
        ? new FactorMetaGradient(form)
        : new RecordedMetaGradient<>(session, meta, parameters);
  }

  /** The present values (K D) of what the examples read, by parameter name. */
  Map<String, float[]> values(int[] examples, long step);

  /** The loss and its gradient, valid until the next call. */
  Result compute(int[] examples, long step);

  /** The mean loss alone. */
  double loss(int[] examples, long step);

  /**
   * The result.
   *
   * @param loss the mean loss; not finite if it could not be computed, then without parts
   * @param parts by parameter name
   */
  record Result(double loss, Map<String, Part> parts) {}

  /**
   * One parameter's part; the arrays may be longer than the size.
   *
   * @param size K D
   */
  @SuppressWarnings("ArrayRecordComponent") // Lent, not compared.
  record Part(int size, float[] values, float[] gradient) {}
}
