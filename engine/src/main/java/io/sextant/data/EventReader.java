package io.sextant.data;

import io.sextant.InvalidInputException;

/**
 * A source of events. It can be read more than once; every call starts at the beginning.
 *
 * <p>A row that is no event goes to the sink as a rejection and reading goes on; what makes the
 * whole source unusable is thrown. {@link EventAssembler} turns columns of text into events and
 * rejections for readers that are written elsewhere.
 */
public interface EventReader {

  /** What messages call the source: the name of a file. */
  String name();

  /**
   * Pushes all rows into the sink.
   *
   * @throws InvalidInputException if the source cannot be read or is not of its format
   */
  void read(EventSink sink);
}
