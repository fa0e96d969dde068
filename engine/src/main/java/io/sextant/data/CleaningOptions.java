package io.sextant.data;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@link EventCleaner} removes and changes.
 *
 * <p>Thread safety: immutable.
 *
 * @param earliestMillis the first time that is allowed, not before 1970; 1970 unless said otherwise
 * @param latestMillis the last time that is allowed; a day after the options were built unless said
 *     otherwise
 * @param duplicates which rows count as duplicates
 * @param maxEventsPerMinute a user with a higher rate of views, clicks and carts over a whole
 *     {@code botWindow} is a bot and loses all rows; infinity switches the check off. Purchases and
 *     ratings do not count: one order is many rows of one moment, and ratings are often imported
 * @param botWindow the length of time over which the rate is taken
 * @param minRating RATING events below it are removed; negative infinity keeps all
 * @param normalization what becomes of the values
 * @param minUserEvents users with fewer rows are removed (k-core), together with {@code
 *     minItemEvents} until nothing changes; 1 keeps all
 * @param minItemEvents items with fewer rows are removed; 1 keeps all
 * @param weights the weight of each type of event
 * @param examplesPerReason how many rejected rows of each reason the report keeps
 * @param rejectedFile where all rejected rows are written as csv, or null
 */
public record CleaningOptions(
    long earliestMillis,
    long latestMillis,
    Duplicates duplicates,
    double maxEventsPerMinute,
    Duration botWindow,
    float minRating,
    Normalization normalization,
    int minUserEvents,
    int minItemEvents,
    Map<EventType, Float> weights,
    int examplesPerReason,
    @Nullable Path rejectedFile) {

  /** Which rows count as duplicates; the first row in time stays unless said otherwise. */
  public enum Duplicates {
    /** All rows stay. */
    KEEP_ALL,
    /**
     * The same user, item, type and time. Rows without times are never duplicates: nothing says
     * that they are of one moment.
     */
    SAME_EVENT,
    /** The same user and item: the first row in time stays. */
    FIRST_OF_PAIR,
    /** The same user and item: the last row in time stays. */
    LAST_OF_PAIR
  }

  /**
   * What becomes of the values. The figures are taken from all rows that are left, so test rows
   * have a (small) part in them.
   */
  public enum Normalization {
    /** Nothing. */
    NONE,
    /** To 0..1 by the smallest and the largest value. */
    MIN_MAX,
    /** To mean 0 and standard deviation 1. */
    Z_SCORE,
    /** The user's mean is subtracted. */
    CENTER_BY_USER
  }

  public CleaningOptions {
    if (earliestMillis < 0) {
      throw new InvalidInputException(
          "earliestMillis must be >= 0 (1970) but was " + earliestMillis);
    }
    if (latestMillis < earliestMillis) {
      throw new InvalidInputException(
          "latestMillis must not be before earliestMillis %d but was %d"
              .formatted(earliestMillis, latestMillis));
    }
    if (!(maxEventsPerMinute > 0)) {
      throw new InvalidInputException(
          "maxEventsPerMinute must be > 0 but was " + maxEventsPerMinute);
    }
    if (botWindow.toMillis() < 1) {
      throw new InvalidInputException("botWindow must be at least 1 ms but was " + botWindow);
    }
    if (Float.isNaN(minRating)) {
      throw new InvalidInputException("minRating must be a number but was NaN");
    }
    if (minUserEvents < 1) {
      throw new InvalidInputException("minUserEvents must be >= 1 but was " + minUserEvents);
    }
    if (minItemEvents < 1) {
      throw new InvalidInputException("minItemEvents must be >= 1 but was " + minItemEvents);
    }
    if (examplesPerReason < 0) {
      throw new InvalidInputException(
          "examplesPerReason must be >= 0 but was " + examplesPerReason);
    }
    EnumMap<EventType, Float> all = new EnumMap<>(EventType.class);
    for (EventType type : EventType.values()) {
      float weight = weights.getOrDefault(type, type.defaultWeight());
      if (!(weight >= 0) || Float.isInfinite(weight)) {
        throw new InvalidInputException(
            "weight of %s must be finite and >= 0 but was %s".formatted(type, weight));
      }
      all.put(type, weight);
    }
    weights = Map.copyOf(all);
  }

  /** The defaults: impossible rows, exact duplicates and bots go, all else stays. */
  public static CleaningOptions defaults() {
    return builder().build();
  }

  /** A builder with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {

    private long earliestMillis;
    private long latestMillis = Instant.now().plus(Duration.ofDays(1)).toEpochMilli();
    private Duplicates duplicates = Duplicates.SAME_EVENT;
    private double maxEventsPerMinute = 100;
    private Duration botWindow = Duration.ofMinutes(10);
    private float minRating = Float.NEGATIVE_INFINITY;
    private Normalization normalization = Normalization.NONE;
    private int minUserEvents = 1;
    private int minItemEvents = 1;
    private final Map<EventType, Float> weights = new EnumMap<>(EventType.class);
    private int examplesPerReason = 3;
    private @Nullable Path rejectedFile;

    private Builder() {}

    /** The first time that is allowed. */
    public Builder earliest(Instant earliest) {
      this.earliestMillis = earliest.toEpochMilli();
      return this;
    }

    /** The last time that is allowed. */
    public Builder latest(Instant latest) {
      this.latestMillis = latest.toEpochMilli();
      return this;
    }

    /** Which rows count as duplicates. */
    public Builder duplicates(Duplicates duplicates) {
      this.duplicates = duplicates;
      return this;
    }

    /** The highest rate of a person. */
    public Builder maxEventsPerMinute(double maxEventsPerMinute) {
      this.maxEventsPerMinute = maxEventsPerMinute;
      return this;
    }

    /** The length of time over which the rate is taken. */
    public Builder botWindow(Duration botWindow) {
      this.botWindow = botWindow;
      return this;
    }

    /** The least rating that counts. */
    public Builder minRating(float minRating) {
      this.minRating = minRating;
      return this;
    }

    /** What becomes of the values. */
    public Builder normalization(Normalization normalization) {
      this.normalization = normalization;
      return this;
    }

    /** The least number of rows of a user. */
    public Builder minUserEvents(int minUserEvents) {
      this.minUserEvents = minUserEvents;
      return this;
    }

    /** The least number of rows of an item. */
    public Builder minItemEvents(int minItemEvents) {
      this.minItemEvents = minItemEvents;
      return this;
    }

    /** The weight of a type of event. */
    public Builder weight(EventType type, float weight) {
      weights.put(type, weight);
      return this;
    }

    /** How many rejected rows of each reason the report keeps. */
    public Builder examplesPerReason(int examplesPerReason) {
      this.examplesPerReason = examplesPerReason;
      return this;
    }

    /** Where all rejected rows are written. */
    public Builder rejectedFile(@Nullable Path rejectedFile) {
      this.rejectedFile = rejectedFile;
      return this;
    }

    /** The options. */
    public CleaningOptions build() {
      return new CleaningOptions(
          earliestMillis,
          latestMillis,
          duplicates,
          maxEventsPerMinute,
          botWindow,
          minRating,
          normalization,
          minUserEvents,
          minItemEvents,
          weights,
          examplesPerReason,
          rejectedFile);
    }
  }
}
