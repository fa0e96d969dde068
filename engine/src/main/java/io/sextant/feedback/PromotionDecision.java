package io.sextant.feedback;

import org.jspecify.annotations.Nullable;

/**
 * Whether a candidate was promoted, and why.
 *
 * <p>Thread safety: immutable.
 *
 * @param candidate version of the candidate policy
 * @param incumbent version of the policy that it was compared with
 * @param look the how-manieth look at this candidate it was, from 1
 * @param level the chance of a wrong promotion that this look was allowed
 * @param outcome what was decided
 * @param reason the same in words, with the numbers that decided
 * @param rounds how many rounds it rests on: those that the candidate was not learned from
 * @param difference the estimated gain of a round; NaN if it was not estimated
 * @param lowerBound its lower bound at the look's level; NaN if it was not estimated
 * @param overlap how far the log speaks of the candidate; null if it was not looked at
 */
public record PromotionDecision(
    String candidate,
    String incumbent,
    int look,
    double level,
    Outcome outcome,
    String reason,
    int rounds,
    double difference,
    double lowerBound,
    @Nullable Overlap overlap) {

  /** What a look can end in. */
  public enum Outcome {
    /** The candidate is better beyond chance. */
    PROMOTED,
    /** There are not enough rounds that the candidate was not learned from. */
    TOO_FEW_ROUNDS,
    /** The candidate would draw actions that the log cannot speak of. */
    WITHOUT_SUPPORT,
    /** The rounds are worth too few: the candidate differs too much from what was logged. */
    TOO_LITTLE_OVERLAP,
    /** The lower bound of the difference is not above 0. */
    NOT_BETTER
  }

  /** Whether the candidate goes live. */
  public boolean promoted() {
    return outcome == Outcome.PROMOTED;
  }
}
