package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The features of all users or of all items: columns whose row i belongs to the entity with the
 * dense index i.
 *
 * <p>Thread safety: immutable.
 */
public final class FeatureTable {

  private final int numRows;
  private final List<FeatureColumn> columns;

  private FeatureTable(int numRows, List<FeatureColumn> columns) {
    this.numRows = numRows;
    this.columns = List.copyOf(columns);
  }

  /** A table of n entities of which nothing is known. */
  public static FeatureTable empty(int n) {
    return builder(n).build();
  }

  /** A builder for a table of n entities. */
  public static Builder builder(int n) {
    return new Builder(n);
  }

  /** How many entities there are. */
  public int numRows() {
    return numRows;
  }

  /** The columns, in the order in which they were added. */
  public List<FeatureColumn> columns() {
    return columns;
  }

  /** The column with a name, if there is one. */
  public Optional<FeatureColumn> column(String name) {
    return columns.stream().filter(column -> column.name().equals(name)).findFirst();
  }

  @Override
  public String toString() {
    return "FeatureTable[%d rows, columns %s]"
        .formatted(numRows, columns.stream().map(FeatureColumn::name).toList());
  }

  /** Collects columns. Not thread-safe. */
  public static final class Builder {

    private final int numRows;
    private final List<FeatureColumn> columns = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    private Builder(int numRows) {
      if (numRows < 0) {
        throw new InvalidInputException("numRows must be >= 0 but was " + numRows);
      }
      this.numRows = numRows;
    }

    /**
     * Adds a column.
     *
     * @throws InvalidInputException if its length does not fit or its name is taken
     */
    public Builder add(FeatureColumn column) {
      if (column.numRows() != numRows) {
        throw new InvalidInputException(
            "feature '%s' has %d rows but the table has %d"
                .formatted(column.name(), column.numRows(), numRows));
      }
      if (!names.add(column.name())) {
        throw new InvalidInputException(
            "there are two features with the name '%s'".formatted(column.name()));
      }
      columns.add(column);
      return this;
    }

    /** The table. */
    public FeatureTable build() {
      return new FeatureTable(numRows, columns);
    }
  }
}
