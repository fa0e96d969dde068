package io.sextant.feedback;

/**
 * A slate with what a log needs of it.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param items (L) the positions of the drawn candidates among the scores; fewer if there were
 *     fewer candidates
 * @param propensities (L) with which probability each was drawn into its slot, given those above it
 */
public record SlateDraw(int[] items, double[] propensities) {

  /** The probability of the slate as a whole. */
  public double propensity() {
    double product = 1;
    for (double propensity : propensities) {
      product *= propensity;
    }
    return product;
  }
}
