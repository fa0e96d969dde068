package io.sextant;

/**
 * One thing that a user did with an item.
 *
 * @param userId external id of the user, never empty
 * @param itemId external id of the item, never empty
 * @param type what was done
 * @param value a rating, a quantity or a price; NaN if there is none
 * @param timeMillis milliseconds since 1970-01-01 UTC, or {@link #NO_TIME}
 * @param features the circumstances, {@link InteractionFeatures#UNKNOWN} if nothing is known
 */
public record Event(
    String userId,
    String itemId,
    EventType type,
    float value,
    long timeMillis,
    InteractionFeatures features) {

  /** The time of an event whose source has no time; the order of the source stands in for it. */
  public static final long NO_TIME = Long.MIN_VALUE;

  public Event {
    if (userId.isEmpty() || itemId.isEmpty()) {
      throw new InvalidInputException(
          "an event needs a user id and an item id but had user '"
              + userId
              + "', item '"
              + itemId
              + "'");
    }
  }

  /** An event of which nothing but its four essentials is known. */
  public static Event of(String userId, String itemId, EventType type, long timeMillis) {
    return new Event(userId, itemId, type, Float.NaN, timeMillis, InteractionFeatures.UNKNOWN);
  }
}
