package io.sextant.data;

import io.sextant.Event;
import io.sextant.InvalidInputException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** The readers that the engine has itself. */
public final class EventReaders {

  private EventReaders() {}

  /**
   * A reader of a file, plain or compressed by gzip. The file is opened by each read.
   *
   * @throws InvalidInputException if there is no such file, it is a directory or may not be read
   */
  public static EventReader open(Path file, EventFormat format, ColumnMapping mapping) {
    LineReader.checkReadable(file);
    return of(
        file.toString(),
        format,
        mapping,
        () -> LineReader.open(file, mapping.charset(), mapping.maxLineBytes()));
  }

  /** A reader of events that are there already; their line is their position, from 1. */
  public static EventReader of(String name, Iterable<Event> events) {
    return new EventReader() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void read(EventSink sink) {
        long line = 0;
        for (Event event : events) {
          sink.accept(++line, event);
        }
      }
    };
  }

  static EventReader of(
      String name, EventFormat format, ColumnMapping mapping, Supplier<LineReader> lines) {
    return switch (format) {
      case CSV, TSV, MOVIELENS -> new DelimitedReader(name, format, mapping, lines);
      case PAIRS, LISTS -> new ListReader(name, format, mapping, lines);
    };
  }
}
