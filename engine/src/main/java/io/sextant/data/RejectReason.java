package io.sextant.data;

/** Why a row of a source is not in the interactions. */
public enum RejectReason {
  MALFORMED_ROW("not a row of this format"),
  MISSING_USER("no user id"),
  MISSING_ITEM("no item id"),
  UNKNOWN_TYPE("an event type that is not known"),
  UNREADABLE_TIME("a time that is missing or cannot be read"),
  TIME_TOO_EARLY("a time before 1970 or before the earliest that is allowed"),
  TIME_IN_FUTURE("a time after the latest that is allowed"),
  UNREADABLE_VALUE("a value that is not a number"),
  NON_FINITE_VALUE("a value that is NaN or infinite"),
  VALUE_TOO_LOW("a rating below the least that counts"),
  INVALID_FEATURE("a dwell time or position that is not a number >= 0"),
  DUPLICATE_EVENT("the same user, item, type and time as another row"),
  DUPLICATE_PAIR("the same user and item as another row"),
  BOT("a user that acts faster than people do"),
  K_CORE("a user or an item with too few interactions");

  private final String description;

  RejectReason(String description) {
    this.description = description;
  }

  /** The reason in words. */
  public String description() {
    return description;
  }
}
