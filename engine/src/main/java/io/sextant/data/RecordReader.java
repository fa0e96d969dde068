package io.sextant.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.Closeable;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Records of a delimited file: split at every separator, or quoted as in RFC 4180.
 *
 * <p>A quoted record goes on over lines until its quotes are even. If what comes out is no record,
 * or not of the width of the first one, only its first line is malformed and reading goes on with
 * the next: a stray quote costs one row, not the rest of the file.
 */
final class RecordReader implements Closeable {

  /** Records of more lines than this are taken for a stray quote. */
  private static final int MAX_LINES = 1000;

  /**
   * A record.
   *
   * @param line where it starts
   * @param fields its fields; of a malformed one the line as it is
   * @param problem what is wrong with it; empty if nothing
   */
  record Row(long line, List<String> fields, String problem) {}

  private record Line(long number, String text) {}

  private final LineReader lines;
  private final String separator;
  private final boolean quoted;
  private final int maxRecordChars;
  private final CsvReader.CsvReaderBuilder csv;
  private final Deque<Line> pending = new ArrayDeque<>();
  private int width = -1;

  RecordReader(LineReader lines, String separator, boolean quoted, int maxRecordChars) {
    this.lines = lines;
    this.separator = separator;
    this.quoted = quoted;
    this.maxRecordChars = maxRecordChars;
    this.csv =
        CsvReader.builder()
            .fieldSeparator(separator)
            .skipEmptyLines(false)
            .maxBufferSize(Math.max(1 << 16, maxRecordChars + 1));
  }

  /** The next record, or null behind the last one. Blank lines are passed over. */
  @Nullable Row next() {
    Line line = nextLine();
    while (line != null && line.text().isBlank()) {
      line = nextLine();
    }
    if (line == null) {
      return null;
    }
    Row row =
        quoted && line.text().indexOf('"') >= 0
            ? quotedRow(line)
            : new Row(line.number(), Delimiters.split(line.text(), separator), "");
    if (width < 0 && row.problem().isEmpty()) {
      width = row.fields().size();
    }
    return row;
  }

  @Override
  public void close() {
    lines.close();
  }

  private Row quotedRow(Line first) {
    String text = first.text();
    boolean open = isOdd(text);
    if (!open) {
      return parsed(first, text);
    }
    StringBuilder record = new StringBuilder(text);
    Deque<Line> taken = new ArrayDeque<>();
    while (open && taken.size() < MAX_LINES && record.length() < maxRecordChars) {
      Line more = nextLine();
      if (more == null) {
        break;
      }
      taken.addLast(more);
      record.append('\n').append(more.text());
      open ^= isOdd(more.text());
    }
    Row row =
        open
            ? malformed(first, "a quote is opened and not closed")
            : parsed(first, record.toString());
    if (row.problem().isEmpty() && width >= 0 && row.fields().size() != width) {
      row = malformed(first, "a quote is opened and not closed within the row");
    }
    if (!row.problem().isEmpty()) {
      while (!taken.isEmpty()) {
        pending.addFirst(taken.removeLast());
      }
    }
    return row;
  }

  private Row parsed(Line first, String text) {
    try {
      CsvRecord record = csv.ofSingleCsvRecord(text);
      return new Row(first.number(), record.getFields(), "");
    } catch (CsvParseException e) {
      return malformed(first, "quotes are not as in RFC 4180: double those within a field");
    }
  }

  private static Row malformed(Line line, String problem) {
    return new Row(line.number(), List.of(line.text()), problem);
  }

  private @Nullable Line nextLine() {
    Line line = pending.pollFirst();
    if (line != null) {
      return line;
    }
    String text = lines.next();
    return text == null ? null : new Line(lines.lineNumber(), text);
  }

  private static boolean isOdd(String text) {
    boolean odd = false;
    for (int i = text.indexOf('"'); i >= 0; i = text.indexOf('"', i + 1)) {
      odd = !odd;
    }
    return odd;
  }
}
