package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads pairs (user item) and lists (user item item ...). */
final class ListReader implements EventReader {

  private static final Map<EventField, Integer> COLUMNS =
      Map.of(EventField.USER, 0, EventField.ITEM, 1);

  private final String name;
  private final EventFormat format;
  private final ColumnMapping mapping;
  private final Supplier<LineReader> lines;

  ListReader(String name, EventFormat format, ColumnMapping mapping, Supplier<LineReader> lines) {
    this.name = name;
    this.format = format;
    this.mapping = mapping;
    this.lines = lines;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void read(EventSink sink) {
    if (!mapping.columns().isEmpty() || mapping.separator() != null) {
      throw new InvalidInputException(
          "%s: the formats pairs and lists have no columns to name and no separator to choose"
              .formatted(name));
    }
    try (LineReader source = lines.get()) {
      EventAssembler assembler = new EventAssembler(sink, name, mapping, Set.of());
      @Nullable String[] fields = new @Nullable String[EventField.COUNT];
      boolean any = false;
      boolean rows = false;
      for (String line = source.next(); line != null; line = source.next()) {
        if (line.isBlank()) {
          continue;
        }
        String text = line;
        List<String> words = Delimiters.words(text);
        if (!any) {
          any = true;
          checkFirst(words, text, source.where());
          if (DelimitedReader.looksLikeHeader(words, COLUMNS)) {
            sink.note(name + " has a header: it was skipped");
            continue;
          }
        }
        rows = true;
        if (format == EventFormat.PAIRS && words.size() != 2) {
          assembler.malformed(
              source.lineNumber(),
              "there are %d words where a user and an item should be".formatted(words.size()),
              () -> text);
          continue;
        }
        if (words.size() < 2) {
          // A user whose list is empty: part of published splits, and no event.
          sink.reject(
              source.lineNumber(), RejectReason.MISSING_ITEM, "the user has no items", text);
          continue;
        }
        fields[EventField.USER.slot()] = words.get(0);
        for (String item : words.subList(1, words.size())) {
          fields[EventField.ITEM.slot()] = item;
          assembler.row(source.lineNumber(), fields, () -> text);
        }
      }
      if (!any) {
        throw new InvalidInputException(name + " is empty: there is nothing to read");
      }
      if (!rows) {
        throw new InvalidInputException(name + " has a header but no rows");
      }
      assembler.finish();
    }
  }

  private void checkFirst(List<String> words, String line, String where) {
    if (words.size() < 2 && (line.contains(",") || line.contains("::") || line.contains(";"))) {
      throw Delimiters.wrong(where, line, " ", 2);
    }
    if (format == EventFormat.PAIRS && words.size() > 2) {
      throw new InvalidInputException(
          ("%s has %d words where a user and an item should be: read it in the format lists if"
                  + " the others are items too, in the format tsv with columns by number if they"
                  + " are ratings or times")
              .formatted(where, words.size()));
    }
  }
}
