package io.sextant.data;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How the columns of a source become events.
 *
 * <p>Columns are found by name in the header (case, '_' and '-' do not matter, and usual names like
 * user_id, itemId or timestamp are known without a mapping), or by number from 0 in a file without
 * a header: a mapping that gives only numbers says that there is none.
 *
 * <p>Thread safety: immutable.
 *
 * @param columns field to column name or number; fields that are not named are looked for by their
 *     usual names
 * @param defaultType the type of events in a source without a type column; if null, RATING where
 *     there is a value column, CLICK elsewhere
 * @param timeFormat how times are written
 * @param separator what separates fields, if not what the format says; null for that
 * @param charset the encoding, UTF-8 unless said otherwise; a superset of ASCII
 * @param maxLineBytes the longest line that is read, 16 MiB unless said otherwise
 */
public record ColumnMapping(
    Map<EventField, String> columns,
    @Nullable EventType defaultType,
    TimeFormat timeFormat,
    @Nullable String separator,
    Charset charset,
    int maxLineBytes) {

  /** Usual names, UTF-8, time format found out. */
  public static final ColumnMapping DEFAULT = builder().build();

  public ColumnMapping {
    columns = Map.copyOf(columns);
    for (Map.Entry<EventField, String> entry : columns.entrySet()) {
      if (entry.getValue().isBlank()) {
        throw new InvalidInputException(
            "column mapping '%s=' needs a column name or number".formatted(entry.getKey().key()));
      }
    }
    if (separator != null && (separator.isEmpty() || separator.contains("\n"))) {
      throw new InvalidInputException("separator must not be empty or a line break");
    }
    if (maxLineBytes < 1 || maxLineBytes > 1 << 30) {
      throw new InvalidInputException("maxLineBytes must be in 1..2^30 but was " + maxLineBytes);
    }
    if (!isSupersetOfAscii(charset)) {
      throw new InvalidInputException(
          ("charset must be a superset of ASCII but was %s:"
                  + " convert the file, for example with iconv -f %s -t UTF-8")
              .formatted(charset, charset));
    }
  }

  private static boolean isSupersetOfAscii(Charset charset) {
    byte[] ascii = {'\n', '\t', ',', 'a', '0'};
    return new String(ascii, StandardCharsets.US_ASCII).equals(new String(ascii, charset));
  }

  /** A builder with the values of {@link #DEFAULT}. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Reads {@code user=uid,item=2,time=ts}; the fields are user, item, time, type, value, dwell,
   * device, position and source.
   */
  public static ColumnMapping parse(String text) {
    return builder().columns(text).build();
  }

  /** Whether columns are given by number only, so that the source has no header. */
  public boolean isByNumber() {
    return !columns.isEmpty() && columns.values().stream().allMatch(ColumnMapping::isNumber);
  }

  /**
   * Where each field stands, given the header of a source; what is not there is not in the map.
   *
   * @param header the column names, in the order of the source
   * @param where what to call the header in messages, for example 'ratings.csv, line 1'
   * @throws InvalidInputException if a named column, the user or the item is not there; the message
   *     lists the columns and suggests
   */
  public Map<EventField, Integer> resolve(List<String> header, String where) {
    Map<EventField, Integer> found = new EnumMap<>(EventField.class);
    for (EventField field : EventField.values()) {
      String wanted = columns.get(field);
      if (wanted != null) {
        found.put(field, named(field, wanted, header, where));
      }
    }
    for (EventField field : EventField.values()) {
      if (!found.containsKey(field)) {
        int column = bySynonym(field, header, found);
        if (column >= 0) {
          found.put(field, column);
        }
      }
    }
    for (EventField field : List.of(EventField.USER, EventField.ITEM)) {
      if (!found.containsKey(field)) {
        throw new InvalidInputException(missing(field, header, where));
      }
    }
    return found;
  }

  /** Where each field stands by the numbers of this mapping. */
  Map<EventField, Integer> resolveByNumber(String where) {
    Map<EventField, Integer> found = new EnumMap<>(EventField.class);
    columns.forEach((field, number) -> found.put(field, columnNumber(number, where)));
    for (EventField field : List.of(EventField.USER, EventField.ITEM)) {
      if (!found.containsKey(field)) {
        throw new InvalidInputException(
            "%s: columns are given by number, so %s=NUMBER is needed too"
                .formatted(where, field.key()));
      }
    }
    return found;
  }

  private static int named(EventField field, String wanted, List<String> header, String where) {
    for (int i = 0; i < header.size(); i++) {
      if (EventField.plainName(header.get(i)).equals(wanted) || header.get(i).equals(wanted)) {
        return i;
      }
    }
    for (int i = 0; i < header.size(); i++) {
      if (EventField.normalise(header.get(i)).equals(EventField.normalise(wanted))) {
        return i;
      }
    }
    if (isNumber(wanted)) {
      int column = columnNumber(wanted, where);
      if (column < header.size()) {
        return column;
      }
    }
    throw new InvalidInputException(
        "%s: there is no column '%s' (wanted for %s). The columns are: %s.%s"
            .formatted(
                where,
                wanted,
                field.key(),
                list(header),
                didYouMean(List.of(EventField.normalise(wanted)), header)));
  }

  private static int bySynonym(
      EventField field, List<String> header, Map<EventField, Integer> taken) {
    for (String synonym : field.synonyms()) {
      for (int i = 0; i < header.size(); i++) {
        if (EventField.normalise(header.get(i)).equals(synonym) && !taken.containsValue(i)) {
          return i;
        }
      }
    }
    return -1;
  }

  private static String missing(EventField field, List<String> header, String where) {
    StringBuilder message = new StringBuilder();
    message.append(
        "%s: there is no %s column. The columns are: %s. Name the one to use, as in %s=%s."
            .formatted(
                where,
                field.key(),
                list(header),
                field.key(),
                shorten(EventField.plainName(header.get(0)))));
    message.append(didYouMean(field.synonyms(), header));
    if (header.stream().anyMatch(name -> isNumber(name.strip()))) {
      message.append(
          " The first line looks like data: for a file without a header give numbers, as in"
              + " user=0,item=1.");
    }
    return message.toString();
  }

  private static String didYouMean(List<String> wanted, List<String> header) {
    String best = null;
    int bestDistance = 3;
    for (String column : header) {
      String name = EventField.normalise(column);
      for (String want : wanted) {
        int distance = Spelling.distance(name, want);
        if (distance < bestDistance && distance < want.length()) {
          best = column;
          bestDistance = distance;
        }
      }
    }
    return best == null ? "" : " Did you mean '%s'?".formatted(shorten(EventField.plainName(best)));
  }

  private static String list(List<String> header) {
    List<String> names = new ArrayList<>();
    for (String name : header.subList(0, Math.min(30, header.size()))) {
      names.add(shorten(EventField.plainName(name)));
    }
    return String.join(", ", names) + (header.size() > 30 ? ", ..." : "");
  }

  private static String shorten(String text) {
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static int columnNumber(String text, String where) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new InvalidInputException("%s: there is no column %s".formatted(where, text), e);
    }
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {

    private final Map<EventField, String> columns = new EnumMap<>(EventField.class);
    private @Nullable EventType defaultType;
    private TimeFormat timeFormat = TimeFormat.AUTO;
    private @Nullable String separator;
    private Charset charset = StandardCharsets.UTF_8;
    private int maxLineBytes = 16 << 20;

    private Builder() {}

    /** Names the column (or its number from 0) of a field. */
    public Builder column(EventField field, String column) {
      columns.put(field, column.strip());
      return this;
    }

    /** Adds the columns of a text like {@code user=uid,item=2}. */
    public Builder columns(String text) {
      for (String part : text.split(",", -1)) {
        int equals = part.indexOf('=');
        String key = equals < 0 ? part : part.substring(0, equals);
        Optional<EventField> field =
            Arrays.stream(EventField.values())
                .filter(f -> f.key().equals(key.strip().toLowerCase(Locale.ROOT)))
                .findFirst();
        if (equals < 0 || field.isEmpty()) {
          throw new InvalidInputException(
              ("column mapping '%s' is not FIELD=COLUMN with a field of user, item, time, type,"
                      + " value, dwell, device, position, source")
                  .formatted(part.strip()));
        }
        column(field.get(), part.substring(equals + 1));
      }
      return this;
    }

    /** The type of events in a source without a type column. */
    public Builder defaultType(EventType defaultType) {
      this.defaultType = defaultType;
      return this;
    }

    /** How times are written. */
    public Builder timeFormat(TimeFormat timeFormat) {
      this.timeFormat = timeFormat;
      return this;
    }

    /** What separates fields. */
    public Builder separator(String separator) {
      this.separator = separator;
      return this;
    }

    /** The encoding. */
    public Builder charset(Charset charset) {
      this.charset = charset;
      return this;
    }

    /** The longest line that is read. */
    public Builder maxLineBytes(int maxLineBytes) {
      this.maxLineBytes = maxLineBytes;
      return this;
    }

    /** The mapping. */
    public ColumnMapping build() {
      return new ColumnMapping(columns, defaultType, timeFormat, separator, charset, maxLineBytes);
    }
  }
}
