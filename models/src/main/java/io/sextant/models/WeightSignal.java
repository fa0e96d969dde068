package io.sextant.models;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.train.ExampleFeatures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;

/**
 * What events carry by which a policy may weigh them.
 *
 * <p>All but the last three are circumstances of the interaction. Activity and popularity separate
 * meant from accidental interactions no better than popularity alone does: use them knowingly.
 */
public enum WeightSignal {
  /** The rating, quantity or price. */
  VALUE,
  /** The value above the mean of its user. */
  VALUE_OF_USER,
  /** The value above the mean of its item. */
  VALUE_OF_ITEM,
  /** What was done. */
  TYPE,
  /** How long the user stayed, and whether that is known. */
  DWELL,
  /** The item's place in the list that was shown. */
  POSITION,
  /** The user's device. */
  DEVICE,
  /** Where the user came from. */
  SOURCE,
  /** Days before the latest event of all. */
  AGE,
  /** How many events of the user came later. */
  STEPS_BACK,
  /** How many events of the user came before in the same session: no half an hour between two. */
  SESSION,
  /** How many events the user has, and which share of them is of which type. */
  ACTIVITY,
  /** How many events the item has. */
  POPULARITY,
  /** Which share of the item's events is of which type: what is looked at and what is bought. */
  TYPES_OF_ITEM;

  /** The circumstances that most events carry. */
  public static final Set<WeightSignal> STANDARD =
      Set.copyOf(EnumSet.of(VALUE, TYPE, DWELL, POSITION, DEVICE, SOURCE, AGE, STEPS_BACK));

  private static final long SESSION_GAP = TimeUnit.MINUTES.toMillis(30);
  private static final double DAY = TimeUnit.DAYS.toMillis(1);

  /** Devices and sources beyond the first so many share no column. */
  private static final int MAX_CATEGORIES = 16;

  /**
   * The features of each interaction, standardized; columns that do not vary are left out.
   *
   * @param rows to be weighed
   * @param counted which of them means, counts and shares are taken over: those that are learned
   *     from
   * @throws InvalidInputException if none of the signals tells two rows apart
   */
  public static ExampleFeatures features(
      Interactions rows, IntPredicate counted, Set<WeightSignal> signals) {
    Table table = new Table(rows, counted);
    for (WeightSignal signal : WeightSignal.values()) {
      if (signals.contains(signal)) {
        table.add(signal);
      }
    }
    if (table.names.isEmpty()) {
      throw new InvalidInputException(
          "the features %s are the same for every event, so there is nothing to weigh events by: the events need ratings, types, times, dwell times, positions, devices or sources"
              .formatted(signals.stream().sorted().toList()));
    }
    return ExampleFeatures.of(table.columns());
  }

  /** One number of a row. */
  @FunctionalInterface
  private interface Reader {
    double at(int row);
  }

  /** The columns in the making. */
  private static final class Table {
    private final Interactions rows;
    private final int[] users;
    private final IntPredicate counted;
    private final List<String> names = new ArrayList<>();
    private final List<float[]> columns = new ArrayList<>();

    Table(Interactions rows, IntPredicate counted) {
      this.rows = rows;
      this.counted = counted;
      users = rows.userOfRow();
    }

    void add(WeightSignal signal) {
      switch (signal) {
        case VALUE -> column("value", rows::valueAt);
        case VALUE_OF_USER -> {
          double[] means = means(users, rows.numUsers());
          column("value above the user's", row -> rows.valueAt(row) - means[users[row]]);
        }
        case VALUE_OF_ITEM -> {
          double[] means = means(items(), rows.numItems());
          column("value above the item's", row -> rows.valueAt(row) - means[rows.itemAt(row)]);
        }
        case TYPE -> types("type ", (row, type) -> rows.typeAt(row) == type ? 1 : 0);
        case DWELL -> {
          column("dwell", row -> Math.log1p(rows.featuresAt(row).dwellSeconds()));
          column("dwell is known", row -> Float.isNaN(rows.featuresAt(row).dwellSeconds()) ? 0 : 1);
        }
        case POSITION ->
            column(
                "position",
                row -> {
                  int position = rows.featuresAt(row).position();
                  return position < 0 ? Double.NaN : Math.log1p(position);
                });
        case DEVICE ->
            first(rows.devices())
                .forEach(
                    name ->
                        column(
                            "device " + (name.isEmpty() ? "unknown" : name),
                            row -> rows.featuresAt(row).device().equals(name) ? 1 : 0));
        case SOURCE ->
            first(rows.sources())
                .forEach(
                    name ->
                        column(
                            "source " + (name.isEmpty() ? "unknown" : name),
                            row -> rows.featuresAt(row).source().equals(name) ? 1 : 0));
        case AGE ->
            column(
                "age",
                row ->
                    rows.timeAt(row) == Event.NO_TIME
                        ? Double.NaN
                        : Math.log1p((rows.maxTime() - rows.timeAt(row)) / DAY));
        case STEPS_BACK ->
            column("steps back", row -> Math.log1p(rows.end(users[row]) - 1.0 - row));
        case SESSION -> session();
        case ACTIVITY -> {
          int[][] counts = counts(users, rows.numUsers());
          column("user's events", row -> Math.log1p(sum(counts[users[row]])));
          types("user's share of ", (row, type) -> share(counts[users[row]], type));
        }
        case POPULARITY -> {
          int[][] counts = counts(items(), rows.numItems());
          column("item's events", row -> Math.log1p(sum(counts[rows.itemAt(row)])));
        }
        case TYPES_OF_ITEM -> {
          int[][] counts = counts(items(), rows.numItems());
          types("item's share of ", (row, type) -> share(counts[rows.itemAt(row)], type));
        }
      }
    }

    private static List<String> first(List<String> texts) {
      return texts.subList(0, Math.min(texts.size(), MAX_CATEGORIES));
    }

    private int[] items() {
      int[] items = new int[rows.size()];
      Arrays.setAll(items, rows::itemAt);
      return items;
    }

    /** The mean value of each group; NaN where none has a value. */
    private double[] means(int[] groupOf, int groups) {
      double[] sums = new double[groups];
      int[] counts = new int[groups];
      for (int row = 0; row < groupOf.length; row++) {
        if (counted.test(row) && !Float.isNaN(rows.valueAt(row))) {
          sums[groupOf[row]] += rows.valueAt(row);
          counts[groupOf[row]]++;
        }
      }
      for (int group = 0; group < groups; group++) {
        sums[group] /= counts[group];
      }
      return sums;
    }

    /** How many rows of each type each group has. */
    private int[][] counts(int[] groupOf, int groups) {
      int[][] counts = new int[groups][EventType.values().length];
      for (int row = 0; row < groupOf.length; row++) {
        if (counted.test(row)) {
          counts[groupOf[row]][rows.typeAt(row).ordinal()]++;
        }
      }
      return counts;
    }

    private static int sum(int[] counts) {
      return Arrays.stream(counts).sum();
    }

    private static double share(int[] counts, EventType type) {
      return (double) counts[type.ordinal()] / sum(counts);
    }

    private void session() {
      double[] before = new double[users.length];
      for (int row = 1; row < before.length; row++) {
        boolean timed = rows.timeAt(row) != Event.NO_TIME && rows.timeAt(row - 1) != Event.NO_TIME;
        boolean goesOn =
            users[row] == users[row - 1]
                && timed
                && rows.timeAt(row) - rows.timeAt(row - 1) <= SESSION_GAP;
        before[row] = goesOn ? before[row - 1] + 1 : 0;
      }
      column("place in the session", row -> Math.log1p(before[row]));
    }

    /** One number of a row and a type. */
    @FunctionalInterface
    private interface TypeReader {
      double at(int row, EventType type);
    }

    private void types(String name, TypeReader reader) {
      for (EventType type : EventType.values()) {
        column(name + type.name().toLowerCase(Locale.ROOT), row -> reader.at(row, type));
      }
    }

    private void column(String name, Reader reader) {
      float[] column = new float[users.length];
      boolean varies = false;
      for (int row = 0; row < column.length; row++) {
        column[row] = (float) reader.at(row);
        varies |= Float.compare(column[row], column[0]) != 0;
      }
      if (varies) {
        names.add(name);
        columns.add(column);
      }
    }

    ExampleFeatures.Columns columns() {
      float[] values = new float[users.length * names.size()];
      for (int c = 0; c < names.size(); c++) {
        float[] column = columns.get(c);
        for (int row = 0; row < column.length; row++) {
          values[row * names.size() + c] = column[row];
        }
      }
      return ExampleFeatures.Columns.standardized(names, values);
    }
  }
}
