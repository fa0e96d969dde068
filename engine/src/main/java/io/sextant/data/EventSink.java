package io.sextant.data;

import io.sextant.Event;

/** Where a reader pushes what it finds, row after row in the order of the source. */
public interface EventSink {

  /** An event, and the line (from 1) where it stands. */
  void accept(long line, Event event);

  /**
   * A row that is no event.
   *
   * @param line where it stands, from 1
   * @param detail what is wrong with this row
   * @param row the row as it is in the source
   */
  void reject(long line, RejectReason reason, String detail, String row);

  /** Something that the report should say about the source as a whole. */
  default void note(String text) {}
}
