package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The text formats that the engine reads itself. Each may be compressed by gzip. The command line
 * adds {@code parquet} and {@code json}.
 */
public enum EventFormat {
  /** Fields separated by commas, quoted as in RFC 4180, with a header (or columns by number). */
  CSV(","),
  /** Fields separated by tabs, never quoted, with a header (or columns by number). */
  TSV("\t"),
  /** {@code user::item::rating::timestamp} without a header. */
  MOVIELENS("::"),
  /** A user and an item on each line, with white space between them. */
  PAIRS(" "),
  /** A user and their items, oldest first, on each line, with white space between them. */
  LISTS(" ");

  private final String separator;

  EventFormat(String separator) {
    this.separator = separator;
  }

  /** What separates the fields. */
  String separator() {
    return separator;
  }

  /**
   * The format with a name, upper or lower case.
   *
   * @throws InvalidInputException if there is none; the message lists them
   */
  public static EventFormat parse(String name) {
    return Arrays.stream(values())
        .filter(format -> format.name().equalsIgnoreCase(name.strip()))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "format must be one of %s (the command line also reads parquet and json) but was '%s'"
                        .formatted(
                            Arrays.stream(values())
                                .map(format -> format.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", ")),
                            name)));
  }
}
