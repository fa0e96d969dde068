package io.sextant.data;

/**
 * A row that was rejected.
 *
 * @param source the file
 * @param line where the row stands in it, from 1
 * @param reason why it was rejected
 * @param detail what is wrong with this row
 * @param row the row, as it is in the source or, where that is gone, its four essentials
 */
public record RejectedRow(
    String source, long line, RejectReason reason, String detail, String row) {

  @Override
  public String toString() {
    return "%s, line %d: %s (%s): %s".formatted(source, line, detail, reason, shorten(row));
  }

  /** The text, cut to what a message can hold. */
  static String shorten(String text) {
    return text.length() > 120 ? text.substring(0, 120) + "..." : text;
  }
}
