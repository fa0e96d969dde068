package io.sextant.feedback;

import io.sextant.tensor.CounterRandom;
import java.util.Arrays;

/**
 * Draws one of K arms (strategies, presets) with the probability
 *
 * <pre>
 * (1 - epsilon) exp(score / temperature) / sum exp(scores / temperature) + epsilon / K
 * </pre>
 *
 * and says which probability it was. With epsilon &gt; 0 no arm is without support, and no weight
 * of a later evaluation is above K / epsilon.
 *
 * <p>Time and memory O(K). Thread safety: immutable.
 *
 * @param temperature how far scores may differ before the better one is drawn nearly always, &gt; 0
 * @param epsilon the share of draws that ignore scores, 0..1
 */
public record SoftmaxArms(double temperature, double epsilon) {

  public SoftmaxArms {
    Softmax.checkRates(temperature, epsilon);
  }

  /**
   * An arm with what a log needs of it.
   *
   * @param arm the arm, in 0..K-1
   * @param probabilities (K) with which probability each arm could have been drawn
   */
  public record Draw(int arm, double[] probabilities) {

    /** The propensity: the probability with which the arm was drawn. */
    public double propensity() {
      return probabilities[arm];
    }
  }

  /**
   * The probabilities of the arms.
   *
   * @param scores (K) finite
   */
  public double[] probabilities(double[] scores) {
    Softmax.checkScores(scores);
    double[] probabilities = new double[scores.length];
    Softmax.into(scores, new boolean[scores.length], temperature, epsilon, probabilities);
    return probabilities;
  }

  /**
   * Draws an arm.
   *
   * @param scores (K) finite
   * @param seed of the service
   * @param decision the number of the decision: the same number draws the same arm again
   */
  public Draw draw(double[] scores, long seed, long decision) {
    double[] probabilities = probabilities(scores);
    double uniform = new CounterRandom(seed, "arms", decision).nextDouble();
    return new Draw(Softmax.draw(probabilities, uniform), probabilities);
  }

  /** The greedy arm except for a share of epsilon: the first of the best, with exact propensity. */
  public static Draw epsilonGreedy(double[] scores, double epsilon, long seed, long decision) {
    Softmax.checkScores(scores);
    Softmax.checkRates(1, epsilon);
    double[] probabilities = new double[scores.length];
    Arrays.fill(probabilities, epsilon / scores.length);
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    probabilities[best] += 1 - epsilon;
    double uniform = new CounterRandom(seed, "arms", decision).nextDouble();
    return new Draw(Softmax.draw(probabilities, uniform), probabilities);
  }
}
