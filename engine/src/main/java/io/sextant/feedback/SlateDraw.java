package io.sextant.feedback;

import io.sextant.InvalidInputException;

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

  /** Refuses a slate that is too long to have been drawn. */
  static void checkLength(int[] slate, int slots, int candidates) {
    if (slate.length > Math.min(slots, candidates)) {
      throw new InvalidInputException(
          "a slate of %d items was not drawn for %d slots from %d candidates"
              .formatted(slate.length, slots, candidates));
    }
  }
}
