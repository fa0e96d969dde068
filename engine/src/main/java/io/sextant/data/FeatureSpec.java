package io.sextant.data;

import io.sextant.InvalidInputException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which columns of a file become which features, read by {@link FeatureReader}.
 *
 * <p>Without columns (none added) the columns are taken from the header: a RecBole header says the
 * kind (token is categorical, token_seq multi-hot, float numeric, float_seq a dense vector), of
 * other columns it is found out: numeric if every value is a number, multi-hot if some value has a
 * '|', else categorical; text of more than 50 values that is different for most entities (titles)
 * is left out, with a note.
 *
 * <p>Thread safety: immutable.
 *
 * @param separator what separates fields: ",", tab, "::"
 * @param hasHeader whether the first line names the columns
 * @param idColumn the name or the number from 0 of the column with the ids; null for the first
 * @param columns the features
 * @param charset the encoding
 * @param maxLineBytes the longest line that is read
 */
public record FeatureSpec(
    String separator,
    boolean hasHeader,
    @Nullable String idColumn,
    List<Column> columns,
    Charset charset,
    int maxLineBytes) {

  /** What a column becomes. */
  public enum Kind {
    /** One word of a vocabulary. */
    CATEGORICAL,
    /** Several words, divided by the column's list separator. */
    MULTI_HOT,
    /** A number; empty is missing. */
    NUMERIC,
    /** Numbers divided by the column's list separator, as many for every entity. */
    DENSE_VECTOR,
    /** The year at the end of a title, 'Heat (1995)', as a number. */
    YEAR_OF_TITLE
  }

  /**
   * One feature.
   *
   * @param name the name of the feature
   * @param source the name, or the number from 0, of the file's column
   * @param kind what it becomes
   * @param listSeparator what divides the parts of a value; of no meaning for single values
   */
  public record Column(String name, String source, Kind kind, String listSeparator) {

    public Column {
      if (name.isEmpty() || source.isEmpty() || listSeparator.isEmpty()) {
        throw new InvalidInputException(
            "a feature column needs a name, a source and a list separator");
      }
    }
  }

  public FeatureSpec {
    columns = List.copyOf(columns);
    if (separator.isEmpty()) {
      throw new InvalidInputException("separator must not be empty");
    }
    if (maxLineBytes < 1 || maxLineBytes > 1 << 30) {
      throw new InvalidInputException("maxLineBytes must be in 1..2^30 but was " + maxLineBytes);
    }
    if (!hasHeader && columns.isEmpty()) {
      throw new InvalidInputException(
          "a feature file without a header needs its columns to be named by number");
    }
  }

  /** A file with a header, whose columns are taken from it. */
  public static FeatureSpec withHeader(String separator) {
    return builder(separator).build();
  }

  /** MovieLens' {@code movies.dat}: id::title (year)::genre|genre. */
  public static FeatureSpec movielensMovies() {
    return builder("::")
        .header(false)
        .column("year", "1", Kind.YEAR_OF_TITLE)
        .column("genres", "2", Kind.MULTI_HOT)
        .build();
  }

  /** MovieLens' {@code users.dat}: id::gender::age::occupation::zip. */
  public static FeatureSpec movielensUsers() {
    return builder("::")
        .header(false)
        .column("gender", "1", Kind.CATEGORICAL)
        .column("age", "2", Kind.CATEGORICAL)
        .column("occupation", "3", Kind.CATEGORICAL)
        .build();
  }

  /** A builder for a file with a header and this separator. */
  public static Builder builder(String separator) {
    return new Builder(separator);
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {

    private final String separator;
    private boolean hasHeader = true;
    private @Nullable String idColumn;
    private final List<Column> columns = new ArrayList<>();
    private Charset charset = StandardCharsets.UTF_8;
    private int maxLineBytes = 16 << 20;

    private Builder(String separator) {
      this.separator = separator;
    }

    /** Whether the first line names the columns. */
    public Builder header(boolean hasHeader) {
      this.hasHeader = hasHeader;
      return this;
    }

    /** The column with the ids. */
    public Builder idColumn(String idColumn) {
      this.idColumn = idColumn;
      return this;
    }

    /** Adds a feature; lists are divided by '|'. */
    public Builder column(String name, String source, Kind kind) {
      return column(name, source, kind, "|");
    }

    /** Adds a feature. */
    public Builder column(String name, String source, Kind kind, String listSeparator) {
      columns.add(new Column(name, source, kind, listSeparator));
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

    /** The specification. */
    public FeatureSpec build() {
      return new FeatureSpec(separator, hasHeader, idColumn, columns, charset, maxLineBytes);
    }
  }
}
