package io.sextant.data;

import io.sextant.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the features of users or items from a csv, tsv or '::' file (plain or gzip), aligned to the
 * ids of an index. Rows of other ids are skipped and counted; entities without a row have missing
 * values; of two rows with the same id the first counts.
 *
 * <p>Thread safety: a call belongs to its thread.
 */
public final class FeatureReader {

  /** Above this share of different values a text column says nothing about its entity. */
  private static final double MAX_DISTINCT_SHARE = 0.5;

  /** Up to this size a vocabulary is kept whatever its share. */
  private static final int ALWAYS_KEPT = 50;

  private FeatureReader() {}

  /**
   * The features and what is to be said about them.
   *
   * @param table one row for each id of the index
   * @param notes rows that were skipped, columns that were left out
   */
  public record Result(FeatureTable table, List<String> notes) {

    public Result {
      notes = List.copyOf(notes);
    }
  }

  /**
   * Reads a file.
   *
   * @throws InvalidInputException if it cannot be read, a column is not there or a value is not of
   *     its kind; the message names file, line and column
   */
  public static Result read(Path file, IdIndex ids, FeatureSpec spec) {
    return read(LineReader.open(file, spec.charset(), spec.maxLineBytes()), ids, spec);
  }

  static Result read(LineReader source, IdIndex ids, FeatureSpec spec) {
    List<String> notes = new ArrayList<>();
    boolean quoted = spec.separator().length() == 1 && !spec.separator().equals("\t");
    try (RecordReader records =
        new RecordReader(source, spec.separator(), quoted, spec.maxLineBytes())) {
      RecordReader.Row first = records.next();
      if (first == null) {
        throw new InvalidInputException(source.name() + " is empty: there is nothing to read");
      }
      String where = source.name() + ", line " + first.line();
      List<String> head = first.fields();
      if (!first.problem().isEmpty()) {
        throw new InvalidInputException(
            "%s: %s: %s".formatted(where, first.problem(), RejectedRow.shorten(head.get(0))));
      }
      if (head.size() < 2) {
        throw Delimiters.wrong(where, head.get(0), spec.separator(), 2);
      }
      List<String> names = spec.hasHeader() ? head : List.of();
      int idColumn =
          spec.idColumn() == null ? 0 : columnOf(spec.idColumn(), names, head.size(), where);
      List<FeatureSpec.Column> wanted =
          spec.columns().isEmpty() ? fromHeader(head, idColumn) : spec.columns();
      Cells[] cells = new Cells[wanted.size()];
      for (int i = 0; i < cells.length; i++) {
        cells[i] =
            new Cells(
                wanted.get(i),
                columnOf(wanted.get(i).source(), names, head.size(), where),
                ids.size());
      }
      long unknown = 0;
      long malformed = 0;
      long twice = 0;
      long[] lineOf = new long[ids.size()];
      for (RecordReader.Row row = spec.hasHeader() ? records.next() : first;
          row != null;
          row = records.next()) {
        if (row.fields().size() != head.size()) {
          malformed++;
          continue;
        }
        int id = ids.indexOf(row.fields().get(idColumn).strip());
        if (id < 0) {
          unknown++;
        } else if (lineOf[id] != 0) {
          twice++;
        } else {
          lineOf[id] = row.line();
          for (Cells cell : cells) {
            cell.texts[id] = row.fields().get(cell.column).strip();
          }
        }
      }
      note(notes, malformed, "%d rows of %s have not as many fields as the first", source);
      note(notes, unknown, "%d rows of %s are of entities without interactions", source);
      note(notes, twice, "%d rows of %s have an id that was there before", source);
      note(
          notes,
          Arrays.stream(lineOf).filter(line -> line == 0).count(),
          "%d entities have no row in %s",
          source);
      FeatureTable.Builder table = FeatureTable.builder(ids.size());
      for (Cells cell : cells) {
        FeatureColumn column =
            cell.toColumn(source.name(), lineOf, spec.columns().isEmpty(), notes);
        if (column != null) {
          table.add(column);
        }
      }
      return new Result(table.build(), notes);
    }
  }

  private static void note(List<String> notes, long count, String text, LineReader source) {
    if (count > 0) {
      notes.add(text.formatted(count, source.name()));
    }
  }

  private static List<FeatureSpec.Column> fromHeader(List<String> head, int idColumn) {
    List<FeatureSpec.Column> columns = new ArrayList<>();
    for (int i = 0; i < head.size(); i++) {
      if (i != idColumn) {
        String header = head.get(i).strip();
        String name = EventField.plainName(header);
        String kind = header.substring(Math.min(header.length(), name.length()));
        FeatureSpec.Kind known =
            switch (kind) {
              case ":token_seq" -> FeatureSpec.Kind.MULTI_HOT;
              case ":float" -> FeatureSpec.Kind.NUMERIC;
              case ":float_seq" -> FeatureSpec.Kind.DENSE_VECTOR;
              default -> FeatureSpec.Kind.CATEGORICAL;
            };
        columns.add(
            new FeatureSpec.Column(
                name.isEmpty() ? "column" + i : name,
                Integer.toString(i),
                known,
                kind.endsWith("_seq") ? " " : "|"));
      }
    }
    return columns;
  }

  private static int columnOf(String name, List<String> names, int width, String where) {
    for (int i = 0; i < names.size(); i++) {
      if (EventField.plainName(names.get(i)).equals(name) || names.get(i).equals(name)) {
        return i;
      }
    }
    if (name.length() < 6 && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
      int column = Integer.parseInt(name);
      if (column < width) {
        return column;
      }
    }
    throw new InvalidInputException(
        "%s: there is no column '%s'. %s"
            .formatted(
                where,
                name,
                names.isEmpty()
                    ? "There are %d columns, with numbers from 0".formatted(width)
                    : "The columns are: "
                        + String.join(", ", names.stream().map(EventField::plainName).toList())));
  }

  /** The texts of one column, by entity. */
  private static final class Cells {

    private final FeatureSpec.Column spec;
    private final int column;
    private final @Nullable String[] texts;

    Cells(FeatureSpec.Column spec, int column, int numRows) {
      this.spec = spec;
      this.column = column;
      this.texts = new @Nullable String[numRows];
    }

    /** The feature, or null if the column says nothing and was not asked for by name. */
    @Nullable FeatureColumn toColumn(
        String file, long[] lineOf, boolean found, List<String> notes) {
      FeatureSpec.Kind kind = spec.kind();
      if (found && kind == FeatureSpec.Kind.CATEGORICAL) {
        kind = guess();
      }
      FeatureColumn result =
          switch (kind) {
            case CATEGORICAL -> categorical();
            case MULTI_HOT -> multiHot();
            case NUMERIC -> new FeatureColumn.Numeric(spec.name(), numbers(file, lineOf));
            case DENSE_VECTOR -> denseVector(file, lineOf);
            case YEAR_OF_TITLE -> new FeatureColumn.Numeric(spec.name(), years());
          };
      int vocabulary = 0;
      if (result instanceof FeatureColumn.Categorical words) {
        vocabulary = words.vocabulary().size();
      } else if (result instanceof FeatureColumn.MultiHot words) {
        vocabulary = words.vocabulary().size();
      }
      if (found
          && vocabulary - 1 > ALWAYS_KEPT
          && vocabulary - 1 > texts.length * MAX_DISTINCT_SHARE) {
        notes.add(
            "column %s of %s was left out: it has %d different values for %d entities"
                .formatted(spec.name(), file, vocabulary - 1, texts.length));
        return null;
      }
      return result;
    }

    private String text(int row) {
      String text = texts[row];
      return text == null ? "" : text;
    }

    private FeatureSpec.Kind guess() {
      boolean numeric = true;
      boolean list = false;
      boolean any = false;
      for (int i = 0; i < texts.length; i++) {
        String text = text(i);
        if (!text.isEmpty()) {
          any = true;
          numeric &= !Float.isNaN(number(text));
          list |= text.contains("|");
        }
      }
      return !any || (!numeric && !list)
          ? FeatureSpec.Kind.CATEGORICAL
          : numeric ? FeatureSpec.Kind.NUMERIC : FeatureSpec.Kind.MULTI_HOT;
    }

    private FeatureColumn categorical() {
      Words words = new Words();
      int[] codes = new int[texts.length];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = words.code(text(i));
      }
      return new FeatureColumn.Categorical(spec.name(), words.list, codes);
    }

    private FeatureColumn multiHot() {
      Words words = new Words();
      int[] offsets = new int[texts.length + 1];
      int[] codes = new int[texts.length];
      int count = 0;
      for (int i = 0; i < texts.length; i++) {
        int start = count;
        for (String part : Delimiters.split(text(i), spec.listSeparator())) {
          String word = part.strip();
          if (word.isEmpty()) {
            continue;
          }
          int code = words.code(word);
          boolean again = false;
          for (int j = start; j < count; j++) {
            again |= codes[j] == code;
          }
          if (!again) {
            if (count == codes.length) {
              codes = Arrays.copyOf(codes, count * 2 + 16);
            }
            codes[count++] = code;
          }
        }
        offsets[i + 1] = count;
      }
      return new FeatureColumn.MultiHot(
          spec.name(), words.list, offsets, Arrays.copyOf(codes, count));
    }

    private float[] numbers(String file, long[] lineOf) {
      float[] values = new float[texts.length];
      for (int i = 0; i < values.length; i++) {
        String text = text(i);
        values[i] = Float.NaN;
        if (!text.isEmpty() && !text.equalsIgnoreCase("nan")) {
          values[i] = number(text);
          if (Float.isNaN(values[i])) {
            throw wrong(file, lineOf[i], text, "a finite number");
          }
        }
      }
      return values;
    }

    private float[] years() {
      float[] values = new float[texts.length];
      for (int i = 0; i < values.length; i++) {
        String text = text(i);
        int close = text.length() - 1;
        values[i] = Float.NaN;
        if (close >= 5 && text.charAt(close) == ')' && text.charAt(close - 5) == '(') {
          String year = text.substring(close - 4, close);
          if (year.chars().allMatch(c -> c >= '0' && c <= '9')) {
            values[i] = Integer.parseInt(year);
          }
        }
      }
      return values;
    }

    private FeatureColumn denseVector(String file, long[] lineOf) {
      int dimension = 0;
      float[] values = new float[0];
      for (int i = 0; i < texts.length; i++) {
        String text = text(i);
        if (text.isEmpty()) {
          continue;
        }
        List<String> parts =
            spec.listSeparator().isBlank()
                ? Delimiters.words(text)
                : Delimiters.split(text, spec.listSeparator());
        if (dimension == 0) {
          dimension = parts.size();
          if ((long) dimension * texts.length > Integer.MAX_VALUE - 8) {
            throw new InvalidInputException(
                "%s: %d vectors of %d numbers (column %s) are more than 2^31 numbers"
                    .formatted(file, texts.length, dimension, spec.name()));
          }
          values = new float[dimension * texts.length];
        }
        if (parts.size() != dimension) {
          throw wrong(file, lineOf[i], text, "%d numbers".formatted(dimension));
        }
        for (int j = 0; j < dimension; j++) {
          float number = number(parts.get(j).strip());
          if (Float.isNaN(number)) {
            throw wrong(file, lineOf[i], parts.get(j), "a finite number");
          }
          values[i * dimension + j] = number;
        }
      }
      if (dimension == 0) {
        throw new InvalidInputException(
            "%s: column %s has no vector at all".formatted(file, spec.name()));
      }
      return new FeatureColumn.DenseVector(spec.name(), dimension, values);
    }

    private InvalidInputException wrong(String file, long line, String text, String expected) {
      return new InvalidInputException(
          "%s, line %d, column %s: '%s' is not %s"
              .formatted(file, line, spec.name(), RejectedRow.shorten(text), expected));
    }

    /** The finite number that the text is, or NaN. */
    private static float number(String text) {
      try {
        float number = Float.parseFloat(text);
        return Float.isFinite(number) ? number : Float.NaN;
      } catch (NumberFormatException e) {
        return Float.NaN;
      }
    }
  }

  /** A growing vocabulary; the empty word has code 0. */
  private static final class Words {

    private final Map<String, Integer> codes = new HashMap<>(Map.of("", 0));
    private final List<String> list = new ArrayList<>(List.of(""));

    int code(String word) {
      Integer code = codes.putIfAbsent(word, list.size());
      if (code == null) {
        list.add(word);
        return list.size() - 1;
      }
      return code;
    }
  }
}
