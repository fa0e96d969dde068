package io.sextant.meta;

import java.util.List;

/**
 * Why an output of the policy is what it is: its difference from the output for a user, or an item,
 * with mean features, split by features with integrated gradients (Sundararajan, Taly and Yan,
 * "Axiomatic Attribution for Deep Networks", ICML 2017).
 *
 * <p>Thread safety: immutable.
 *
 * @param output the strategy whose weight is meant, {@link #BIAS} or {@link #SCORE}
 * @param value the output: of a strategy its tilt t in (-1, 1), which multiplies the weight by
 *     exp(kappa c t) with c the trust in the length of the user's history; of the bias its share of
 *     the bound; of the score what the policy's networks make of the item's given strategy scores
 * @param reference the output at mean features
 * @param effects by feature, in the policy's order; their sum is value - reference but for {@link
 *     #gap}
 */
public record Attribution(
    String output, double value, double reference, List<FeatureEffect> effects) {

  /** The additive term. */
  public static final String BIAS = "bias";

  /** The item's score. */
  public static final String SCORE = "score";

  public Attribution {
    effects = List.copyOf(effects);
  }

  /** What the numerical integration has missed. */
  public double gap() {
    return value - reference - effects.stream().mapToDouble(FeatureEffect::effect).sum();
  }

  /**
   * A feature and its effect.
   *
   * @param feature its name
   * @param value in standard deviations from the mean
   * @param effect signed, in the output's unit
   */
  public record FeatureEffect(String feature, double value, double effect) {}
}
