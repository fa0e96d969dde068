package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * What a reward model expects of each of K actions in each of n rounds. Estimates that use them are
 * honest only if no prediction was learned from the round that it is for: see {@link
 * RewardModel#crossFit}.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array, which is not copied.
 *
 * @param numActions K
 * @param values (n * K) expected rewards, round after round, finite
 */
public record RewardPredictions(int numActions, double[] values) {

  public RewardPredictions {
    if (numActions < 1 || values.length % numActions != 0) {
      throw new InvalidInputException(
          "%d predictions are no whole number of rounds of %d actions"
              .formatted(values.length, numActions));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new InvalidInputException(
            "round %d: the prediction for action %d must be finite but was %s"
                .formatted(i / numActions, i % numActions, values[i]));
      }
    }
  }

  /** How many rounds there are, n. */
  public int size() {
    return values.length / numActions;
  }

  /** The expected reward of an action in a round. */
  public double of(int round, int action) {
    return values[round * numActions + action];
  }

  /** The predictions for some of the rounds, in the order given. */
  public RewardPredictions select(int[] rounds) {
    return new RewardPredictions(numActions, LoggedRounds.selectRows(values, numActions, rounds));
  }
}
