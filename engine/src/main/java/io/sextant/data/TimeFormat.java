package io.sextant.data;

import io.sextant.Event;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.TemporalAccessor;
import java.util.List;

/** How a source writes its times. */
public enum TimeFormat {
  /** Found out from the first rows, once for the whole source. */
  AUTO("found out from the first rows", 0),
  SECONDS("seconds since 1970", 1_000),
  MILLISECONDS("milliseconds since 1970", 1),
  MICROSECONDS("microseconds since 1970", 0.001),
  /** 2024-05-01T12:30:00Z, with a blank for the T, without an offset (UTC then), or a date only. */
  ISO_8601("ISO 8601, UTC where no offset is given", 0);

  private static final DateTimeFormatter ISO =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE)
          .optionalStart()
          .appendLiteral('T')
          .append(DateTimeFormatter.ISO_LOCAL_TIME)
          .optionalStart()
          .appendOffsetId()
          .optionalEnd()
          .optionalEnd()
          .toFormatter();

  // Seconds of the year 5138, milliseconds of 1973: no real time of either kind is on the other
  // side.
  private static final double MILLISECONDS_FROM = 1e11;
  private static final double MICROSECONDS_FROM = 1e14;
  // Smaller numbers (0, -1, small test data) say nothing about the unit.
  private static final double TELLING_FROM = 1e8;

  private final String description;
  private final double millisPerUnit;

  TimeFormat(String description, double millisPerUnit) {
    this.description = description;
    this.millisPerUnit = millisPerUnit;
  }

  /** The format in words. */
  public String description() {
    return description;
  }

  /** The format of most of the texts; seconds if none of them tells. */
  static TimeFormat detect(List<String> texts) {
    int seconds = 0;
    int millis = 0;
    int micros = 0;
    int iso = 0;
    for (String text : texts) {
      double number = Math.abs(number(text));
      if (Double.isNaN(number)) {
        iso += iso(text) == Event.NO_TIME ? 0 : 1;
      } else if (number >= MICROSECONDS_FROM) {
        micros++;
      } else if (number >= MILLISECONDS_FROM) {
        millis++;
      } else if (number >= TELLING_FROM) {
        seconds++;
      }
    }
    int most = Math.max(Math.max(seconds, millis), Math.max(micros, iso));
    if (most == seconds) {
      return SECONDS;
    }
    return most == millis ? MILLISECONDS : most == micros ? MICROSECONDS : ISO_8601;
  }

  /**
   * Milliseconds since 1970, or {@link Event#NO_TIME} if the text is no time of this format; a
   * number beyond all times gives the largest or the smallest time.
   */
  long parse(String text) {
    if (this == ISO_8601) {
      return iso(text);
    }
    if (this == AUTO) {
      throw new IllegalStateException("detect the format first");
    }
    double number = number(text);
    if (Double.isNaN(number)) {
      return Event.NO_TIME;
    }
    // Whole milliseconds are exact in a double up to the year 287396.
    double millis = Math.floor(number * millisPerUnit);
    return millis <= -9e18 ? -9_000_000_000_000_000_000L : (long) millis;
  }

  /** The finite number that the text is, or NaN. */
  private static double number(String text) {
    if (text.isEmpty()) {
      return Double.NaN;
    }
    char last = text.charAt(text.length() - 1);
    if ((last < '0' && last != '.') || last > '9') {
      return Double.NaN;
    }
    try {
      double number = Double.parseDouble(text);
      return Double.isInfinite(number) ? Double.NaN : number;
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private static long iso(String text) {
    String iso = text;
    if (iso.endsWith(" UTC")) {
      iso = iso.substring(0, iso.length() - 4) + "Z";
    }
    if (iso.length() > 10 && iso.charAt(10) == ' ') {
      iso = iso.substring(0, 10) + 'T' + iso.substring(11);
    }
    try {
      TemporalAccessor parsed =
          ISO.parseBest(iso, OffsetDateTime::from, LocalDateTime::from, LocalDate::from);
      Instant instant;
      if (parsed instanceof OffsetDateTime time) {
        instant = time.toInstant();
      } else if (parsed instanceof LocalDateTime time) {
        instant = time.toInstant(ZoneOffset.UTC);
      } else {
        instant = LocalDate.from(parsed).atStartOfDay().toInstant(ZoneOffset.UTC);
      }
      return instant.toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      return Event.NO_TIME;
    }
  }
}
