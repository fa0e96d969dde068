package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * The log of slates as a structure of arrays: n rounds, in each of which L slots were filled from
 * the top down and each paid a reward. Probabilities are conditional: of the item in slot l given
 * the items above it.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param slots L
 * @param rewards (n * L) what each slot paid, finite
 * @param propensities (n * L) with which probability the logging policy drew the slot's item, in
 *     (0, 1]
 * @param targets (n * L) with which probability the target policy would, in [0, 1]
 */
public record LoggedSlates(int slots, double[] rewards, double[] propensities, double[] targets) {

  public LoggedSlates {
    if (slots < 1 || rewards.length == 0 || rewards.length % slots != 0) {
      throw new InvalidInputException(
          "%d rewards are no whole number (> 0) of slates of %d slots"
              .formatted(rewards.length, slots));
    }
    if (propensities.length != rewards.length || targets.length != rewards.length) {
      throw new InvalidInputException(
          "%d slots need as many propensities and target probabilities but had %d and %d"
              .formatted(rewards.length, propensities.length, targets.length));
    }
    for (int i = 0; i < rewards.length; i++) {
      String what = null;
      if (!Double.isFinite(rewards[i])) {
        what = "the reward must be finite but was " + rewards[i];
      } else if (!(propensities[i] > 0 && propensities[i] <= 1)) {
        what = "the propensity must be > 0 and <= 1 but was " + propensities[i];
      } else if (!(targets[i] >= 0 && targets[i] <= 1)) {
        what = "the target probability must lie in 0..1 but was " + targets[i];
      }
      if (what != null) {
        throw new InvalidInputException(
            "round %d, slot %d: %s".formatted(i / slots, i % slots, what));
      }
    }
  }

  /** How many slates there are, n. */
  public int size() {
    return rewards.length / slots;
  }

  /** The ratio of the target's to the logging probability at a slot. */
  double ratio(int round, int slot) {
    return targets[round * slots + slot] / propensities[round * slots + slot];
  }

  double reward(int round, int slot) {
    return rewards[round * slots + slot];
  }
}
