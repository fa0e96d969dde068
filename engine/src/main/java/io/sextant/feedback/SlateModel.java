package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * What a reward model expects of a slate from each slot downwards: Q_l, the sum of the rewards of
 * slots l..L-1 given the items in slots 0..l. Estimates that use it are honest only if no
 * prediction was learned from the slate that it is for: see {@link SlateRewardModel#crossFit}.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param atLogged (n * L) Q_l of the items that were logged
 * @param underTarget (n * L) the mean of Q_l if the target policy drew slot l below the logged
 *     items
 */
public record SlateModel(double[] atLogged, double[] underTarget) {

  public SlateModel {
    if (atLogged.length != underTarget.length) {
      throw new InvalidInputException(
          "a slate model needs two predictions a slot but had %d and %d"
              .formatted(atLogged.length, underTarget.length));
    }
    for (int i = 0; i < atLogged.length; i++) {
      if (!Double.isFinite(atLogged[i]) || !Double.isFinite(underTarget[i])) {
        throw new InvalidInputException(
            "predictions must be finite but number %d was %s and %s"
                .formatted(i, atLogged[i], underTarget[i]));
      }
    }
  }
}
