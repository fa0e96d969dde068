package io.sextant.feedback;

import io.sextant.EventType;
import io.sextant.InvalidInputException;

/**
 * What a user did with an item of a slate. It may come late, before its decision, or twice.
 *
 * <p>Thread safety: immutable.
 *
 * @param decisionId of the decision that showed the item
 * @param itemId the item
 * @param type what was done
 * @param value of a rating, the seconds of a stay, or the price of a purchase; 1 where there is
 *     nothing to measure; finite
 * @param timeMillis since 1970-01-01 UTC, by the clock of who saw it
 * @param key tells outcomes apart that are alike otherwise: the same outcome delivered twice has
 *     the same key and counts once; empty where an outcome of this kind can be only once
 */
public record Outcome(
    String decisionId, String itemId, EventType type, double value, long timeMillis, String key) {

  public Outcome {
    Decision.checkId("the decision", decisionId);
    Decision.checkId("the item", itemId);
    if (!Double.isFinite(value)) {
      throw new InvalidInputException(
          "the value of an outcome of decision '%s' must be finite but was %s"
              .formatted(decisionId, value));
    }
  }

  /** A click, a purchase: something that is or is not. */
  public static Outcome of(String decisionId, String itemId, EventType type, long timeMillis) {
    return new Outcome(decisionId, itemId, type, 1, timeMillis, "");
  }
}
