package io.sextant.feedback;

import io.sextant.InvalidInputException;
import org.jspecify.annotations.Nullable;

/**
 * The rounds of a log seen from a target policy: all that estimators need. Of each round the weight
 * w, the reward r, and, if there is a reward model q, its predictions for the logged action and, as
 * a mean under the target policy, for the round.
 *
 * <p>Thread safety: immutable.
 */
public final class OffPolicyRounds {

  /** Target probabilities up to this are rounding and need no support. */
  private static final double NEGLIGIBLE = 1e-12;

  private final double[] weights;
  private final double[] rewards;
  private final double @Nullable [] modelAtLogged;
  private final double @Nullable [] modelUnderTarget;
  private final int supportViolations;
  private final @Nullable ActionProbabilities logging;
  private final ActionProbabilities target;

  private OffPolicyRounds(
      LoggedRounds log,
      @Nullable ActionProbabilities logging,
      ActionProbabilities target,
      @Nullable RewardPredictions model,
      int supportViolations) {
    int n = log.size();
    weights = new double[n];
    rewards = log.rewards();
    double sum = 0;
    for (int i = 0; i < n; i++) {
      weights[i] = target.of(i, log.actions()[i]) / log.propensities()[i];
      sum += weights[i];
    }
    if (sum == 0) {
      throw new InvalidInputException(
          ("the target policy would draw none of the %d logged actions: the log says nothing of it;"
                  + " log a policy that explores what the target does")
              .formatted(n));
    }
    this.supportViolations = supportViolations;
    this.logging = logging;
    this.target = target;
    if (model == null) {
      modelAtLogged = null;
      modelUnderTarget = null;
      return;
    }
    double[] at = new double[n];
    double[] under = new double[n];
    for (int i = 0; i < n; i++) {
      at[i] = model.of(i, log.actions()[i]);
      for (int a = 0; a < log.numActions(); a++) {
        under[i] += target.of(i, a) * model.of(i, a);
      }
    }
    modelAtLogged = at;
    modelUnderTarget = under;
  }

  /**
   * A log of which only the logged actions' propensities are known. An action counts as supported
   * if it was logged at least once.
   *
   * @param target what the target policy would do in the log's rounds
   * @param model what is expected of the actions in the log's rounds; null for estimators without
   * @throws InvalidInputException if sizes differ or the target would draw no logged action
   */
  public static OffPolicyRounds of(
      LoggedRounds log, ActionProbabilities target, @Nullable RewardPredictions model) {
    checkSizes(log, target.size(), target.numActions(), "the target policy");
    if (model != null) {
      checkSizes(log, model.size(), model.numActions(), "the reward model");
    }
    boolean[] logged = new boolean[log.numActions()];
    for (int action : log.actions()) {
      logged[action] = true;
    }
    int violations = 0;
    for (int i = 0; i < log.size(); i++) {
      boolean violated = false;
      for (int a = 0; a < logged.length; a++) {
        violated |= !logged[a] && target.of(i, a) > NEGLIGIBLE;
      }
      violations += violated ? 1 : 0;
    }
    return new OffPolicyRounds(log, null, target, model, violations);
  }

  /**
   * A log whose policy is known in full. An action counts as supported in a round if the logging
   * policy could have drawn it.
   *
   * @param logging what the logging policy would do; its probabilities of the logged actions are
   *     the propensities
   * @throws InvalidInputException as {@link #of}, and if propensities are not as logged
   */
  public static OffPolicyRounds ofKnownPolicy(
      LoggedRounds log,
      ActionProbabilities logging,
      ActionProbabilities target,
      @Nullable RewardPredictions model) {
    checkSizes(log, target.size(), target.numActions(), "the target policy");
    checkSizes(log, logging.size(), logging.numActions(), "the logging policy");
    if (model != null) {
      checkSizes(log, model.size(), model.numActions(), "the reward model");
    }
    int violations = 0;
    for (int i = 0; i < log.size(); i++) {
      double logged = log.propensities()[i];
      if (Math.abs(logging.of(i, log.actions()[i]) - logged) > 1e-6 * logged) {
        throw new InvalidInputException(
            "round %d: the logging policy draws action %d with probability %s but %s was logged"
                .formatted(
                    i, log.actions()[i], logging.of(i, log.actions()[i]), log.propensities()[i]));
      }
      boolean violated = false;
      for (int a = 0; a < log.numActions(); a++) {
        violated |= logging.of(i, a) == 0 && target.of(i, a) > NEGLIGIBLE;
      }
      violations += violated ? 1 : 0;
    }
    return new OffPolicyRounds(log, logging, target, model, violations);
  }

  /** How many rounds there are, n. */
  public int size() {
    return weights.length;
  }

  /** Whether there is a reward model. */
  public boolean hasModel() {
    return modelAtLogged != null;
  }

  /** (n) the weights; a copy. */
  public double[] weights() {
    return weights.clone();
  }

  /** In how many rounds the target policy would draw an action that the log cannot speak of. */
  public int supportViolations() {
    return supportViolations;
  }

  /** How far the log speaks of the target policy. */
  public Overlap overlap() {
    return overlap(new WeightRule(WeightRule.Kind.PLAIN, 0));
  }

  Overlap overlap(WeightRule rule) {
    return Overlap.of(weights, tail(rule), rule, supportViolations);
  }

  /** What the policies say of the weights that could have been drawn, whichever were. */
  private Overlap.Tail tail(WeightRule rule) {
    ActionProbabilities known = logging;
    if (known == null) {
      return Overlap.Tail.UNKNOWN;
    }
    double largest = 0;
    double[] moments = new double[4];
    for (int i = 0; i < weights.length; i++) {
      for (int a = 0; a < known.numActions(); a++) {
        double p = known.of(i, a);
        if (p > 0) {
          double w = rule.apply(target.of(i, a) / p);
          largest = Math.max(largest, w);
          for (int m = 1; m < 4; m++) {
            p *= w;
            moments[m] += p / weights.length;
          }
        }
      }
    }
    double mean = moments[1];
    double variance = moments[2] - mean * mean;
    double third = moments[3] - 3 * mean * moments[2] + 2 * mean * mean * mean;
    // Equal weights leave rounding only.
    boolean varies = variance > 1e-9 * (1 + mean * mean);
    return new Overlap.Tail(largest, varies ? third / Math.pow(variance, 1.5) : 0);
  }

  double weight(int round) {
    return weights[round];
  }

  double reward(int round) {
    return rewards[round];
  }

  double modelAtLogged(int round) {
    return modelAtLogged == null ? 0 : modelAtLogged[round];
  }

  double modelUnderTarget(int round) {
    return modelUnderTarget == null ? 0 : modelUnderTarget[round];
  }

  private static void checkSizes(LoggedRounds log, int size, int numActions, String what) {
    if (size != log.size() || numActions != log.numActions()) {
      throw new InvalidInputException(
          "%s is for %d rounds of %d actions but the log has %d rounds of %d"
              .formatted(what, size, numActions, log.size(), log.numActions()));
    }
  }
}
