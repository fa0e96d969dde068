package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/** Softmax over scores and draws by the inverse of the distribution function. */
final class Softmax {

  private Softmax() {}

  /**
   * Writes {@code (1 - epsilon) softmax(scores / temperature) + epsilon / m} over the m entries
   * that are not taken; taken ones get 0.
   */
  static void into(
      double[] scores,
      boolean[] taken,
      double temperature,
      double epsilon,
      double[] probabilities) {
    double largest = Double.NEGATIVE_INFINITY;
    int open = 0;
    for (int i = 0; i < scores.length; i++) {
      if (!taken[i]) {
        largest = Math.max(largest, scores[i]);
        open++;
      }
    }
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      probabilities[i] = taken[i] ? 0 : Math.exp((scores[i] - largest) / temperature);
      sum += probabilities[i];
    }
    for (int i = 0; i < scores.length; i++) {
      if (!taken[i]) {
        probabilities[i] = (1 - epsilon) * probabilities[i] / sum + epsilon / open;
      }
    }
  }

  /**
   * The entry in whose stretch of [0, 1) a uniform number lies. Rounding may leave the sum of the
   * probabilities below the number: it is then the last entry that can be drawn.
   */
  static int draw(double[] probabilities, double uniform) {
    double below = 0;
    int last = -1;
    for (int i = 0; i < probabilities.length; i++) {
      if (probabilities[i] > 0) {
        below += probabilities[i];
        last = i;
        if (uniform < below) {
          return i;
        }
      }
    }
    return last;
  }

  static void checkScores(double[] scores) {
    if (scores.length == 0) {
      throw new InvalidInputException("there is nothing to draw from: no scores");
    }
    for (int i = 0; i < scores.length; i++) {
      if (!Double.isFinite(scores[i])) {
        throw new InvalidInputException(
            "score %d must be finite but was %s".formatted(i, scores[i]));
      }
    }
  }

  static void checkRates(double temperature, double epsilon) {
    if (!(temperature > 0 && Double.isFinite(temperature))) {
      throw new InvalidInputException("temperature must be > 0 and finite but was " + temperature);
    }
    if (!(epsilon >= 0 && epsilon <= 1)) {
      throw new InvalidInputException("epsilon must lie in 0..1 but was " + epsilon);
    }
  }

  /** The positions of the scores, the largest first; equal ones in their order. */
  static int[] bestFirst(double[] scores) {
    Integer[] order = new Integer[scores.length];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    Arrays.sort(
        order, (a, b) -> scores[a] == scores[b] ? a - b : Double.compare(scores[b], scores[a]));
    int[] plain = new int[order.length];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = order[i];
    }
    return plain;
  }
}
