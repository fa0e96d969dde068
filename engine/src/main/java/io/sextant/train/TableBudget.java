package io.sextant.train;

import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Which embedding tables are on the device as a whole, and how many rows of the others are. From
 * the smallest on, a table stays whole if it takes no more than an equal share of what is left; the
 * others divide the rest in proportion to their bytes.
 *
 * <p>Thread safety: immutable.
 */
final class TableBudget {

  private final long bytes;
  private final Map<String, Integer> slots = new HashMap<>();

  private TableBudget(long bytes) {
    this.bytes = bytes;
  }

  /** The plan for these parameters. */
  static TableBudget of(List<NamedParameter> parameters, TrainingOptions options) {
    TableBudget budget = new TableBudget(options.tableMemory());
    if (options.tableMemory() > 0) {
      List<Table> tables = new ArrayList<>();
      for (NamedParameter parameter : parameters) {
        if (parameter.table()) {
          tables.add(Table.of(parameter, options.rowOptimizer()));
        }
      }
      tables.sort(Comparator.comparingLong(Table::bytes));
      budget.divide(tables);
    }
    return budget;
  }

  /** A table of so many rows, each of which takes so much with its accumulators. */
  private record Table(String name, long rows, long rowBytes) {

    static Table of(NamedParameter parameter, RowOptimizer.Kind kind) {
      Shape shape = parameter.parameter().getArray().getShape();
      return new Table(parameter.name(), shape.get(0), kind.rowBytes(shape.get(1)));
    }

    long bytes() {
      return rows * rowBytes;
    }
  }

  private void divide(List<Table> tables) {
    long left = bytes;
    int whole = 0;
    while (whole < tables.size() && tables.get(whole).bytes() <= left / (tables.size() - whole)) {
      left -= tables.get(whole).bytes();
      whole++;
    }
    List<Table> others = tables.subList(whole, tables.size());
    long needed = others.stream().mapToLong(Table::bytes).sum();
    if (needed <= left) {
      return;
    }
    for (Table table : others) {
      double share = (double) table.bytes() / needed;
      slots.put(table.name(), (int) (left * share / table.rowBytes()));
    }
  }

  /** How many rows of a table are on the device at a time; nothing if it is there as a whole. */
  OptionalInt slots(String table) {
    Integer number = slots.get(table);
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /**
   * Checks that the rows of a step find room.
   *
   * @throws InvalidInputException if they do not; the message says how much would do
   */
  void requireRoom(String table, RowSet rows) {
    int room = slots.getOrDefault(table, Integer.MAX_VALUE);
    if (rows.size() > room) {
      // All shares grow with the budget; from one slot on, in proportion to it.
      double enough = Math.ceil((double) bytes * (rows.size() + 1) / Math.max(1, room));
      throw new InvalidInputException(
          ("a step reads %d rows of '%s', but of the %d bytes of tableMemory that table's part"
                  + " has room for %d; set tableMemory to about %.0f bytes, or learn from fewer"
                  + " examples a step (batchSize, accumulate, negatives)")
              .formatted(rows.size(), table, bytes, room, enough));
    }
  }
}
