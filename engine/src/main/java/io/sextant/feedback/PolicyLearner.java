package io.sextant.feedback;

import io.sextant.InvalidInputException;
import org.jspecify.annotations.Nullable;

/**
 * Learns a {@link SoftmaxPolicy} from the log of another policy by gradient ascent on its estimated
 * value, with a penalty {@code l2 / 2 |weights - baseline|^2} that draws it to the baseline: where
 * the log says nothing, the baseline stays. With w = pi(a|x) / p, the gradient of a round is
 *
 * <ul>
 *   <li>IPS: {@code min(w, clip) r grad log pi(a)};
 *   <li>DR: {@code min(w, clip) (r - q(a)) grad log pi(a) + sum_b q(b) pi(b) grad log pi(b)}, with
 *       a reward model q that was not learned from the round (Dudik et al., ICML 2011);
 *   <li>top-K: {@code K (1 - pi(a))^(K-1) min(w, clip) r grad log pi(a)}: the chance that an item
 *       is among K draws counts, so that several good items are kept and not the best one only
 *       (Chen et al., WSDM 2019).
 * </ul>
 *
 * <p>Ascent is by Adam on the whole log, from the baseline. Only what {@link PromotionGate} sees on
 * rounds that were not learned from says whether the result is better.
 *
 * <p>Time O(steps n K (1 + d)). Thread safety: immutable.
 *
 * @param objective what is followed
 * @param slots K of top-K; 1 for the others
 * @param clip weights are cut here, &gt; 0; infinite for none
 * @param l2 strength of the baseline, &gt;= 0
 * @param learningRate of Adam, &gt; 0
 * @param steps how many, &gt;= 0
 */
public record PolicyLearner(
    Objective objective, int slots, double clip, double l2, double learningRate, int steps) {

  /** Whose gradient is followed. */
  public enum Objective {
    /** Importance weighting. */
    IPS,
    /** The same with a reward model. */
    DR,
    /** Importance weighting for lists of several items. */
    TOP_K
  }

  private static final double DECAY_FIRST = 0.9;
  private static final double DECAY_SECOND = 0.999;
  private static final double EPSILON = 1e-8;

  public PolicyLearner {
    if (slots < 1 || (slots > 1 && objective != Objective.TOP_K)) {
      throw new InvalidInputException(
          "slots must be > 0, and 1 unless the objective is TOP_K, but was " + slots);
    }
    if (!(clip > 0) || !(l2 >= 0) || !(learningRate > 0) || steps < 0) {
      throw new InvalidInputException(
          "clip and learningRate must be > 0 and l2 and steps >= 0 but were %s, %s, %s and %d"
              .formatted(clip, learningRate, l2, steps));
    }
  }

  /** For single draws by clicks: weights cut at 100, little penalty, 300 steps. */
  public static PolicyLearner of(Objective objective) {
    return new PolicyLearner(objective, 1, 100, 1e-4, 0.05, 300);
  }

  /** For lists of so many slots. */
  public static PolicyLearner topK(int slots) {
    return new PolicyLearner(Objective.TOP_K, slots, 100, 1e-4, 0.05, 300);
  }

  /**
   * Learns from a log.
   *
   * @param baseline the start and the prior
   * @param model cross-fitted predictions for DR; others do not look at it
   * @throws InvalidInputException if sizes differ or DR has no model
   */
  public SoftmaxPolicy learn(
      LoggedRounds log, SoftmaxPolicy baseline, @Nullable RewardPredictions model) {
    if (log.numActions() != baseline.numActions()
        || log.contextDimension() != baseline.contextDimension()) {
      throw new InvalidInputException(
          "the baseline is for %d actions and contexts of %d numbers but the log has %d and %d"
              .formatted(
                  baseline.numActions(),
                  baseline.contextDimension(),
                  log.numActions(),
                  log.contextDimension()));
    }
    if (objective == Objective.DR
        && (model == null
            || model.size() != log.size()
            || model.numActions() != log.numActions())) {
      throw new InvalidInputException(
          "DR needs predictions for the log's %d rounds and %d actions"
              .formatted(log.size(), log.numActions()));
    }
    double[] weights = baseline.weights().clone();
    double[] first = new double[weights.length];
    double[] second = new double[weights.length];
    for (int step = 1; step <= steps; step++) {
      double[] gradient = gradient(log, weights, model);
      double rate =
          learningRate
              * Math.sqrt(1 - Math.pow(DECAY_SECOND, step))
              / (1 - Math.pow(DECAY_FIRST, step));
      for (int i = 0; i < weights.length; i++) {
        double g = gradient[i] - l2 * (weights[i] - baseline.weights()[i]);
        first[i] += (1 - DECAY_FIRST) * (g - first[i]);
        second[i] += (1 - DECAY_SECOND) * (g * g - second[i]);
        weights[i] += rate * first[i] / (Math.sqrt(second[i]) + EPSILON);
      }
    }
    return new SoftmaxPolicy(log.numActions(), log.contextDimension(), weights);
  }

  /** The mean gradient over the rounds, without the penalty's. */
  double[] gradient(LoggedRounds log, double[] weights, @Nullable RewardPredictions model) {
    int k = log.numActions();
    int d = log.contextDimension();
    RewardPredictions q = objective == Objective.DR ? model : null;
    double[] gradient = new double[weights.length];
    double[] pi = new double[k];
    double[] toScores = new double[k];
    for (int i = 0; i < log.size(); i++) {
      SoftmaxPolicy.into(weights, log.contexts(), i * d, pi);
      int action = log.actions()[i];
      double paid = log.rewards()[i] - (q == null ? 0 : q.of(i, action));
      double factor =
          slots
              * Math.pow(1 - pi[action], slots - 1)
              * Math.min(pi[action] / log.propensities()[i], clip)
              * paid;
      double expected = 0;
      for (int b = 0; b < k; b++) {
        expected += q == null ? 0 : pi[b] * q.of(i, b);
      }
      for (int b = 0; b < k; b++) {
        // The gradient of log pi(a) by score b is [a = b] - pi(b).
        toScores[b] = factor * ((b == action ? 1 : 0) - pi[b]);
        toScores[b] += q == null ? 0 : pi[b] * (q.of(i, b) - expected);
      }
      for (int b = 0; b < k; b++) {
        int row = b * (1 + d);
        gradient[row] += toScores[b] / log.size();
        for (int j = 0; j < d; j++) {
          gradient[row + 1 + j] += toScores[b] * log.contexts()[i * d + j] / log.size();
        }
      }
    }
    return gradient;
  }
}
