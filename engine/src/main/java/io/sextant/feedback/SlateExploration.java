package io.sextant.feedback;

/**
 * How slates are drawn from scored candidates, with exact probabilities. {@link SlateSampler} draws
 * without replacement: only probabilities given the slots above are known. {@link
 * StratifiedSampler} draws slots on their own: whether an item is shown has a known probability,
 * and weights of a later evaluation do not multiply over the slots.
 *
 * <p>Thread safety: implementations are immutable.
 */
public sealed interface SlateExploration permits SlateSampler, StratifiedSampler {

  /** How many slots a slate has, L. */
  int slots();

  /** Only so many best candidates may be drawn. */
  int pool();

  /**
   * Draws a slate.
   *
   * @param scores (M) of the candidates, finite
   * @param seed of the service
   * @param decision the number of the decision: the same number draws the same slate again
   */
  SlateDraw draw(double[] scores, long seed, long decision);

  /**
   * With which probability each slot of a slate would have been drawn, given the slots above it: 0
   * where it could not have.
   *
   * @param scores (M) what this policy thinks of the candidates, finite
   * @param slate the positions of the slate's items among the scores, all different
   */
  default double[] propensities(double[] scores, int[] slate) {
    double[][] conditionals = conditionals(scores, slate);
    double[] propensities = new double[slate.length];
    for (int slot = 0; slot < slate.length; slot++) {
      propensities[slot] = conditionals[slot][slate[slot]];
    }
    return propensities;
  }

  /**
   * With which probability each candidate would be drawn into each slot of a slate, given the
   * slate's items above that slot.
   *
   * @param scores (M) what this policy thinks of the candidates, finite
   * @param slate the positions of the slate's items among the scores, all different
   * @return (slots of the slate, M)
   */
  double[][] conditionals(double[] scores, int[] slate);

  /**
   * What a {@link Decision} logs of each candidate that is not shown: the probability with which it
   * would have been drawn into the first place, or, where slots are drawn on their own, into its
   * slot.
   *
   * @param scores (M) finite
   */
  double[] firstPropensities(double[] scores);
}
