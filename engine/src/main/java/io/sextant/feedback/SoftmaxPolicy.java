package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * A policy over K actions that is a softmax of linear scores of a context of d numbers, which are
 * taken as they are: standardise what is on different scales.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array, which is not copied.
 *
 * @param numActions K
 * @param contextDimension d
 * @param weights (K * (1 + d)) intercept and slopes, action after action, finite
 */
public record SoftmaxPolicy(int numActions, int contextDimension, double[] weights) {

  public SoftmaxPolicy {
    if (numActions < 1
        || contextDimension < 0
        || weights.length != (long) numActions * (1 + contextDimension)) {
      throw new InvalidInputException(
          "%d actions on contexts of %d numbers do not go with %d weights"
              .formatted(numActions, contextDimension, weights.length));
    }
    Softmax.checkScores(weights);
  }

  /** Draws every action alike. */
  public static SoftmaxPolicy uniform(int numActions, int contextDimension) {
    return new SoftmaxPolicy(
        numActions, contextDimension, new double[numActions * (1 + contextDimension)]);
  }

  /** What the policy would do in the rounds of a log. */
  public ActionProbabilities probabilities(LoggedRounds log) {
    if (log.numActions() != numActions || log.contextDimension() != contextDimension) {
      throw new InvalidInputException(
          "the policy is for %d actions and contexts of %d numbers but the log has %d and %d"
              .formatted(numActions, contextDimension, log.numActions(), log.contextDimension()));
    }
    double[] values = new double[log.size() * numActions];
    double[] row = new double[numActions];
    for (int i = 0; i < log.size(); i++) {
      into(weights, log.contexts(), i * contextDimension, row);
      System.arraycopy(row, 0, values, i * numActions, numActions);
    }
    return new ActionProbabilities(numActions, values);
  }

  /** Writes the probabilities by some weights for the context that starts at an offset. */
  static void into(double[] weights, double[] contexts, int offset, double[] probabilities) {
    int width = weights.length / probabilities.length;
    double[] scores = new double[probabilities.length];
    for (int a = 0; a < scores.length; a++) {
      scores[a] = weights[a * width];
      for (int j = 1; j < width; j++) {
        scores[a] += weights[a * width + j] * contexts[offset + j - 1];
      }
    }
    Softmax.into(scores, new boolean[scores.length], 1, 0, probabilities);
  }
}
