package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * The log of a bandit as a structure of arrays: n rounds, in each of which one of K actions was
 * drawn with a known probability and paid a reward.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param numActions K
 * @param actions (n) the action of each round, in 0..K-1
 * @param rewards (n) what the action paid, finite
 * @param propensities (n) the probability with which the logging policy drew the action, in (0, 1]
 * @param contextDimension d, 0 without contexts
 * @param contexts (n * d) what was known before the action was drawn, round after round, finite
 */
public record LoggedRounds(
    int numActions,
    int[] actions,
    double[] rewards,
    double[] propensities,
    int contextDimension,
    double[] contexts) {

  public LoggedRounds {
    int n = actions.length;
    if (n == 0) {
      throw new InvalidInputException("the log has no rounds: there is nothing to evaluate");
    }
    if (numActions < 1) {
      throw new InvalidInputException("numActions must be > 0 but was " + numActions);
    }
    if (rewards.length != n || propensities.length != n) {
      throw new InvalidInputException(
          "%d rounds need as many rewards and propensities but had %d and %d"
              .formatted(n, rewards.length, propensities.length));
    }
    if (contextDimension < 0 || contexts.length != (long) n * contextDimension) {
      throw new InvalidInputException(
          "%d rounds with contexts of %d numbers need %d numbers but had %d"
              .formatted(n, contextDimension, (long) n * contextDimension, contexts.length));
    }
    for (int i = 0; i < n; i++) {
      if (actions[i] < 0 || actions[i] >= numActions) {
        throw new InvalidInputException(
            "round %d: the action must lie in 0..%d but was %d"
                .formatted(i, numActions - 1, actions[i]));
      }
      if (!Double.isFinite(rewards[i])) {
        throw new InvalidInputException(
            "round %d: the reward must be finite but was %s".formatted(i, rewards[i]));
      }
      checkPropensity(i, propensities[i]);
    }
    for (int i = 0; i < contexts.length; i++) {
      if (!Double.isFinite(contexts[i])) {
        throw new InvalidInputException(
            "round %d: number %d of the context must be finite but was %s"
                .formatted(i / contextDimension, i % contextDimension, contexts[i]));
      }
    }
  }

  /** A log without contexts. */
  public static LoggedRounds of(
      int numActions, int[] actions, double[] rewards, double[] propensities) {
    return new LoggedRounds(numActions, actions, rewards, propensities, 0, new double[0]);
  }

  /** How many rounds there are, n. */
  public int size() {
    return actions.length;
  }

  /** The mean reward: the value of the policy that logged. */
  public double meanReward() {
    return MeanBounds.mean(rewards);
  }

  /** The log of some of the rounds, in the order given. */
  public LoggedRounds select(int[] rounds) {
    int[] someActions = new int[rounds.length];
    double[] someRewards = new double[rounds.length];
    double[] somePropensities = new double[rounds.length];
    for (int i = 0; i < rounds.length; i++) {
      someActions[i] = actions[rounds[i]];
      someRewards[i] = rewards[rounds[i]];
      somePropensities[i] = propensities[rounds[i]];
    }
    return new LoggedRounds(
        numActions,
        someActions,
        someRewards,
        somePropensities,
        contextDimension,
        selectRows(contexts, contextDimension, rounds));
  }

  /** Rows of a matrix that is stored row after row. */
  static double[] selectRows(double[] matrix, int width, int[] rows) {
    double[] some = new double[rows.length * width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(matrix, rows[i] * width, some, i * width, width);
    }
    return some;
  }

  private static void checkPropensity(int round, double propensity) {
    if (Double.isNaN(propensity)) {
      throw new InvalidInputException(
          ("round %d: the propensity is missing: without the probability with which the action was"
                  + " drawn a round cannot be used; leave such rounds out before the log is read")
              .formatted(round));
    }
    if (!(propensity > 0 && propensity <= 1)) {
      throw new InvalidInputException(
          ("round %d: the propensity must be > 0 and <= 1 but was %s: log the probability that the"
                  + " sampling code used")
              .formatted(round, propensity));
    }
  }
}
