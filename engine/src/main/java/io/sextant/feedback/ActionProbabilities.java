package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * What a policy would do in each of n rounds: the probability of each of K actions.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array, which is not copied.
 *
 * @param numActions K
 * @param values (n * K) probabilities, round after round; each round's add up to 1
 */
public record ActionProbabilities(int numActions, double[] values) {

  /** Sums of K rounded probabilities, also of ones that were written as text, miss 1 by less. */
  private static final double SUM_TOLERANCE = 1e-6;

  public ActionProbabilities {
    if (numActions < 1 || values.length % numActions != 0) {
      throw new InvalidInputException(
          "%d probabilities are no whole number of rounds of %d actions"
              .formatted(values.length, numActions));
    }
    for (int start = 0; start < values.length; start += numActions) {
      double sum = 0;
      for (int a = 0; a < numActions; a++) {
        double probability = values[start + a];
        if (!(probability >= 0 && probability <= 1 + SUM_TOLERANCE)) {
          throw new InvalidInputException(
              "round %d: the probability of action %d must lie in 0..1 but was %s"
                  .formatted(start / numActions, a, probability));
        }
        sum += probability;
      }
      if (Math.abs(sum - 1) > SUM_TOLERANCE) {
        throw new InvalidInputException(
            "round %d: the probabilities of the %d actions must add up to 1 but made %s"
                .formatted(start / numActions, numActions, sum));
      }
    }
  }

  /** Every action alike in each of n rounds. */
  public static ActionProbabilities uniform(int rounds, int numActions) {
    double[] values = new double[Math.multiplyExact(rounds, numActions)];
    Arrays.fill(values, 1.0 / numActions);
    return new ActionProbabilities(numActions, values);
  }

  /** How many rounds there are, n. */
  public int size() {
    return values.length / numActions;
  }

  /** The probability of an action in a round. */
  public double of(int round, int action) {
    return values[round * numActions + action];
  }

  /** The probabilities in some of the rounds, in the order given. */
  public ActionProbabilities select(int[] rounds) {
    return new ActionProbabilities(numActions, LoggedRounds.selectRows(values, numActions, rounds));
  }
}
