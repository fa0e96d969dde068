package io.sextant.data;

import java.util.List;
import java.util.Locale;

/** What a column of an event file can mean. */
public enum EventField {
  USER(0, "user", "userid", "uid", "visitorid", "visitor", "customerid", "customer", "sessionid"),
  ITEM(
      1,
      "item",
      "itemid",
      "iid",
      "movieid",
      "movie",
      "productid",
      "product",
      "articleid",
      "article",
      "businessid",
      "trackid",
      "artistid",
      "bookid",
      "sku",
      "asin",
      "aid"),
  TIME(2, "time", "timestamp", "ts", "datetime", "date", "eventtime", "unixtime", "createdat"),
  TYPE(3, "type", "eventtype", "event", "behavior", "behaviour", "behaviortype", "action"),
  VALUE(4, "value", "rating", "score", "stars"),
  DWELL(5, "dwell", "dwellseconds", "dwelltime", "readtime"),
  DEVICE(6, "device", "devicetype"),
  POSITION(7, "position", "rank"),
  SOURCE(8, "source", "referrer", "channel");

  /** How many fields there are: the length of a row for {@link EventAssembler}. */
  public static final int COUNT = 9;

  private final int slot;

  @SuppressWarnings("ImmutableEnumChecker") // List.of is.
  private final List<String> names;

  EventField(int slot, String... names) {
    this.slot = slot;
    this.names = List.of(names);
  }

  /** Where the field stands in a row for {@link EventAssembler}. */
  public int slot() {
    return slot;
  }

  /** The name of the field in a column mapping: user, item, time ... */
  public String key() {
    return names.get(0);
  }

  /** Column names, in {@link #normalise normal} form, that are understood without a mapping. */
  public List<String> synonyms() {
    return names;
  }

  /** A column name without case, spaces, '_', '-' and without the type of a RecBole header. */
  static String normalise(String column) {
    return plainName(column).toLowerCase(Locale.ROOT).replaceAll("[\\s_\\-]", "");
  }

  /** A column name without quotes and without the type of a RecBole header (user_id:token). */
  static String plainName(String column) {
    String name = column.strip();
    if (name.length() >= 2 && name.startsWith("\"") && name.endsWith("\"")) {
      name = name.substring(1, name.length() - 1);
    }
    int colon = name.lastIndexOf(':');
    if (colon > 0
        && List.of("token", "token_seq", "float", "float_seq")
            .contains(name.substring(colon + 1))) {
      return name.substring(0, colon);
    }
    return name;
  }
}
