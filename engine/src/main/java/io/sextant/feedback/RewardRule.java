package io.sextant.feedback;

import io.sextant.EventType;
import io.sextant.InvalidInputException;

/**
 * What an item of a slate paid, from the outcomes of its decision.
 *
 * <p>Outcomes come late. Every decision is given the same time, {@code horizonMillis}: what comes
 * later does not count, and a decision that is younger is not {@link #isMature mature} and must be
 * left out, else the latest policy would seem the worst.
 *
 * <p>Thread safety: immutable.
 *
 * @param type of the outcomes that pay
 * @param valued whether their values are summed, as of ratings or prices; else one pays 1 and more
 *     of them no more
 * @param horizonMillis how long after the decision an outcome still counts, &gt; 0
 */
public record RewardRule(EventType type, boolean valued, long horizonMillis) {

  public RewardRule {
    if (horizonMillis < 1) {
      throw new InvalidInputException("horizonMillis must be > 0 but was " + horizonMillis);
    }
  }

  /** Whether an outcome of this type came in time: 1 or 0. */
  public static RewardRule happened(EventType type, long horizonMillis) {
    return new RewardRule(type, false, horizonMillis);
  }

  /** The sum of the values of such outcomes. */
  public static RewardRule valueOf(EventType type, long horizonMillis) {
    return new RewardRule(type, true, horizonMillis);
  }

  /** What an item paid; 0 without an outcome in time. */
  public double of(LoggedDecision logged, String itemId) {
    long from = logged.decision().timeMillis();
    double sum = 0;
    for (Outcome outcome : logged.outcomes()) {
      // Clocks differ: an outcome before its decision is one that came at once.
      boolean counts =
          outcome.type() == type
              && outcome.timeMillis() - from <= horizonMillis
              && outcome.itemId().equals(itemId);
      sum += counts ? outcome.value() : 0;
      if (counts && !valued) {
        return 1;
      }
    }
    return sum;
  }

  /** Whether all that can count is known. */
  public boolean isMature(Decision decision, long nowMillis) {
    return nowMillis - decision.timeMillis() > horizonMillis;
  }
}
