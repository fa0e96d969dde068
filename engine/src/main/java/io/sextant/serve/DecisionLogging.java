package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.feedback.Decision;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.SlateExploration;
import io.sextant.feedback.SlateSampler;
import io.sextant.feedback.StratifiedSampler;

/**
 * How a {@link Recommender} logs what it decides. A list that is logged is drawn from the best
 * candidates, and each item's probability is logged with it; so are the candidates that were not
 * shown, what each strategy said of them, the score by which they were ranked (the last one of a
 * candidate's scores), the policy's inputs and its gates, the user's history, of which the last
 * {@value Decision.History#MAX_ITEMS} items, and the incumbent's version.
 *
 * <p>The log never holds up an answer: what it has no room for is counted ({@code
 * ServiceMetrics.decision}), and the answer goes out without a decision's id. Lists with a {@code
 * Diversity} are logged as they are, not drawn: their probabilities are 1.
 *
 * <p>Thread safety: immutable; the log is lent and closed by its owner after the recommender.
 *
 * @param log where decisions go
 * @param exploration how lists are drawn
 * @param pool from so many best candidates, or from as many as the list is long if that is more;
 *     all of them are logged
 * @param temperature of the draws, in units of the scores, &gt; 0
 * @param epsilon the share of draws that ignore scores, 0..1
 * @param byDefault whether requests that do not say are logged
 */
public record DecisionLogging(
    DecisionLog log,
    Exploration exploration,
    int pool,
    double temperature,
    double epsilon,
    boolean byDefault) {

  /** How lists are drawn. */
  public enum Exploration {
    /** The best ones in order: nothing is risked, and nothing learned of what is not shown. */
    NONE,
    /** One slot after the other, by {@link SlateSampler}. */
    SOFTMAX,
    /** Slots on their own, by {@link StratifiedSampler}: evaluations have smaller weights. */
    STRATIFIED
  }

  public DecisionLogging {
    if (pool < 1) {
      throw new InvalidInputException("pool must be > 0 but was " + pool);
    }
    // What the draws themselves demand is checked before the first request.
    new StratifiedSampler(1, pool, temperature, epsilon);
  }

  /** Every list, drawn in strata from 50 candidates, a tenth of the draws regardless of scores. */
  public static DecisionLogging stratified(DecisionLog log, double temperature) {
    return new DecisionLogging(log, Exploration.STRATIFIED, 50, temperature, 0.1, true);
  }

  /** Every list, as it would be without the log. */
  public static DecisionLogging greedy(DecisionLog log) {
    return new DecisionLogging(log, Exploration.NONE, 50, 1, 0, true);
  }

  /** The same with another pool. */
  public DecisionLogging withPool(int other) {
    return new DecisionLogging(log, exploration, other, temperature, epsilon, byDefault);
  }

  /** The same with only those requests logged that ask for it. */
  public DecisionLogging onRequest() {
    return new DecisionLogging(log, exploration, pool, temperature, epsilon, false);
  }

  /** How a list of this length is drawn: what a later evaluation of such lists needs to know. */
  public SlateExploration of(int slots) {
    int most = Math.max(pool, slots);
    return switch (exploration) {
      case NONE -> new SlateSampler(slots, slots, most, temperature, epsilon);
      case SOFTMAX -> new SlateSampler(slots, 0, most, temperature, epsilon);
      case STRATIFIED -> new StratifiedSampler(slots, most, temperature, epsilon);
    };
  }
}
