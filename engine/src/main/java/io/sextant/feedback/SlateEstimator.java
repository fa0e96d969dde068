package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.eval.Interval;
import org.jspecify.annotations.Nullable;

/**
 * Off-policy estimators of a slate's reward, the sum over its slots. They differ in what a slot's
 * reward is taken to depend on: the more, the less bias and the more variance. With v_l the ratio
 * of target and logging probability of slot l, given the items above:
 *
 * <table>
 * <caption>The value of one round</caption>
 * <tr><th>name</th><th>reward of a slot depends on</th><th>round value</th></tr>
 * <tr><td>SIPS</td><td>the whole slate</td><td>(v_0 ... v_{L-1}) sum_l r_l</td></tr>
 * <tr><td>IIPS</td><td>its own item (Li et al., KDD 2018)</td><td>sum_l v_l r_l</td></tr>
 * <tr><td>RIPS</td><td>the items down to it (McInerney et al., KDD 2020)</td>
 *     <td>sum_l (v_0 ... v_l) r_l</td></tr>
 * <tr><td>CASCADE_DR</td><td>as RIPS, with a model Q (Kiyohara et al., WSDM 2022)</td>
 *     <td>sum_l (v_0 ... v_l) (r_l - Q_l) + (v_0 ... v_{l-1}) E_target[Q_l]</td></tr>
 * </table>
 *
 * <p>IIPS needs the marginal probabilities of an item in a slot; where slots are drawn one after
 * the other the conditional ones make it biased. Slates that are log-likely under one policy have
 * ratios that multiply: watch {@link #overlap}.
 *
 * <p>Thread safety: stateless.
 */
public enum SlateEstimator {
  /** The ratio of whole slates. */
  SIPS,
  /** Slots on their own. */
  IIPS,
  /** Slots given those above. */
  RIPS,
  /** RIPS with a reward model: unbiased as RIPS is, with less variance. */
  CASCADE_DR;

  private static final double TAIL = 0.025;

  /**
   * One value for each round, whose mean is the estimate.
   *
   * @param model the reward model for {@link #CASCADE_DR}; others do not look at it
   * @throws InvalidInputException if the model is needed and missing, or of another size
   */
  public double[] roundValues(LoggedSlates log, @Nullable SlateModel model) {
    if (this == CASCADE_DR && model == null) {
      throw new InvalidInputException("CASCADE_DR needs a slate model: give one or choose RIPS");
    }
    if (this == CASCADE_DR && model != null && model.atLogged().length != log.rewards().length) {
      throw new InvalidInputException(
          "the slate model is for %d slots but the log has %d"
              .formatted(model.atLogged().length, log.rewards().length));
    }
    double[] values = new double[log.size()];
    for (int i = 0; i < values.length; i++) {
      double above = 1;
      double sum = 0;
      for (int l = 0; l < log.slots(); l++) {
        double down = above * log.ratio(i, l);
        sum +=
            switch (this) {
              case SIPS -> log.reward(i, l);
              case IIPS -> log.ratio(i, l) * log.reward(i, l);
              case RIPS -> down * log.reward(i, l);
              case CASCADE_DR -> corrected(log, model, i, l, above, down);
            };
        above = down;
      }
      values[i] = this == SIPS ? above * sum : sum;
    }
    return values;
  }

  /** The estimate with its 95 % Student-t interval. */
  public Interval estimate(LoggedSlates log, @Nullable SlateModel model) {
    double[] values = roundValues(log, model);
    double value = MeanBounds.mean(values);
    double half = MeanBounds.studentHalfWidth(values, TAIL);
    return new Interval(value, value - half, value + half);
  }

  /**
   * How far the log speaks of the target, by the widest weights that the estimator uses: those of
   * whole slates, or for {@link #IIPS}, which counts slots as rounds, those of single slots.
   */
  public Overlap overlap(LoggedSlates log) {
    int slots = log.slots();
    double[] weights = new double[this == IIPS ? log.size() * slots : log.size()];
    for (int i = 0; i < log.size(); i++) {
      double product = 1;
      for (int l = 0; l < slots; l++) {
        product *= log.ratio(i, l);
        if (this == IIPS) {
          weights[i * slots + l] = log.ratio(i, l);
        }
      }
      if (this != IIPS) {
        weights[i] = product;
      }
    }
    return Overlap.of(weights, new WeightRule(WeightRule.Kind.PLAIN, 0), 0);
  }

  private static double corrected(
      LoggedSlates log,
      @Nullable SlateModel model,
      int round,
      int slot,
      double above,
      double down) {
    if (model == null) {
      return down * log.reward(round, slot);
    }
    int at = round * log.slots() + slot;
    return down * (log.reward(round, slot) - model.atLogged()[at])
        + above * model.underTarget()[at];
  }
}
