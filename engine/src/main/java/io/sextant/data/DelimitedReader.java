package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads csv, tsv and movielens files. */
final class DelimitedReader implements EventReader {

  private final String name;
  private final EventFormat format;
  private final ColumnMapping mapping;
  private final Supplier<LineReader> lines;
  private final String separator;

  DelimitedReader(
      String name, EventFormat format, ColumnMapping mapping, Supplier<LineReader> lines) {
    this.name = name;
    this.format = format;
    this.mapping = mapping;
    this.lines = lines;
    String own = mapping.separator();
    this.separator = own == null ? format.separator() : own;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void read(EventSink sink) {
    try (LineReader source = lines.get();
        RecordReader records =
            new RecordReader(
                source, separator, format == EventFormat.CSV, mapping.maxLineBytes())) {
      RecordReader.Row first = records.next();
      if (first == null) {
        throw new InvalidInputException(name + " is empty: there is nothing to read");
      }
      String where = name + ", line " + first.line();
      List<String> head = first.fields();
      if (!first.problem().isEmpty()) {
        throw new InvalidInputException(
            "%s: %s: %s".formatted(where, first.problem(), RejectedRow.shorten(head.get(0))));
      }
      Map<EventField, Integer> columns = columnsWithoutHeader(where);
      boolean isHeader = columns == null;
      if (columns == null) {
        if (head.size() < 2) {
          throw Delimiters.wrong(where, head.get(0), separator, 2);
        }
        columns = mapping.resolve(head, where);
      } else {
        int needed = needed(columns);
        if ((head.size() < needed && format != EventFormat.MOVIELENS) || head.size() < 2) {
          throw Delimiters.wrong(where, String.join(separator, head), separator, needed);
        }
        isHeader = looksLikeHeader(head, columns);
        if (isHeader) {
          sink.note(name + " has a header although columns are given by number: it was skipped");
        }
        int width = head.size();
        columns.values().removeIf(column -> column >= width);
      }
      rows(records, isHeader ? null : first, head.size(), columns, sink);
    }
  }

  private void rows(
      RecordReader records,
      RecordReader.@Nullable Row first,
      int width,
      Map<EventField, Integer> columns,
      EventSink sink) {
    EventAssembler assembler = new EventAssembler(sink, name, mapping, columns.keySet());
    @Nullable String[] fields = new @Nullable String[EventField.COUNT];
    RecordReader.Row row = first == null ? records.next() : first;
    if (row == null) {
      throw new InvalidInputException(name + " has a header but no rows");
    }
    for (; row != null; row = records.next()) {
      List<String> cells = row.fields();
      Supplier<String> raw = () -> String.join(separator, cells);
      if (!row.problem().isEmpty()) {
        assembler.malformed(row.line(), row.problem(), raw);
        continue;
      }
      if (cells.size() != width) {
        assembler.malformed(
            row.line(),
            "there are %d fields where the first line has %d".formatted(cells.size(), width),
            raw);
        continue;
      }
      for (Map.Entry<EventField, Integer> column : columns.entrySet()) {
        fields[column.getKey().slot()] = cells.get(column.getValue());
      }
      assembler.row(row.line(), fields, raw);
    }
    assembler.finish();
  }

  /** Where the fields are in a file without a header, or null if there is one. */
  private @Nullable Map<EventField, Integer> columnsWithoutHeader(String where) {
    if (mapping.isByNumber()) {
      return mapping.resolveByNumber(where);
    }
    if (format != EventFormat.MOVIELENS) {
      return null;
    }
    if (!mapping.columns().isEmpty()) {
      throw new InvalidInputException(
          where + ": the format movielens has no header, so columns are given by number from 0");
    }
    return new EnumMap<>(
        Map.of(EventField.USER, 0, EventField.ITEM, 1, EventField.VALUE, 2, EventField.TIME, 3));
  }

  private static int needed(Map<EventField, Integer> columns) {
    return Collections.max(columns.values()) + 1;
  }

  static boolean looksLikeHeader(List<String> cells, Map<EventField, Integer> columns) {
    for (EventField field : List.of(EventField.USER, EventField.ITEM)) {
      Integer column = columns.get(field);
      if (column == null
          || column >= cells.size()
          || !field.synonyms().contains(EventField.normalise(cells.get(column)))) {
        return false;
      }
    }
    return true;
  }
}
