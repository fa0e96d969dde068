package io.sextant.train;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.data.Standardization;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a policy may know of a training example when it gives it a weight: features of its user, of
 * its item and of the interaction itself.
 *
 * <p>What tells meant interactions from accidental ones is usually a circumstance of the
 * interaction: how long the user stayed, from where, on which device, the rating. Popularity,
 * activity and the example's own loss separate the two as well as popularity alone does, and
 * weights learned from them have been seen to cost accuracy: use them knowingly.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param users one row for each user
 * @param items one row for each item
 * @param interactions one row for each training interaction, in their order
 * @param loss whether the policy also sees the example's present loss, standardized in its batch
 */
public record ExampleFeatures(Columns users, Columns items, Columns interactions, boolean loss) {

  /** Devices and sources beyond the first so many share one column. */
  private static final int MAX_CATEGORIES = 16;

  /** What a policy sees of the loss. */
  static final String LOSS = "loss";

  public ExampleFeatures {
    if (users.width() + items.width() + interactions.width() == 0 && !loss) {
      throw new InvalidInputException(
          "a policy needs at least one feature of users, items or interactions to weigh examples by");
    }
  }

  /** Features of interactions alone. */
  public static ExampleFeatures of(Columns interactions) {
    return new ExampleFeatures(Columns.NONE, Columns.NONE, interactions, false);
  }

  /**
   * What the interactions themselves say: stay, position, device, source, value and event type, as
   * far as they differ.
   *
   * @throws InvalidInputException if nothing differs
   */
  public static ExampleFeatures ofInteractions(Interactions rows) {
    List<String> names = new ArrayList<>();
    List<Reader> readers = new ArrayList<>();
    if (rows.hasFeatures()) {
      names.add("dwell");
      readers.add(row -> (float) Math.log1p(rows.featuresAt(row).dwellSeconds()));
      names.add("dwell is known");
      readers.add(row -> Float.isNaN(rows.featuresAt(row).dwellSeconds()) ? 0 : 1);
      names.add("position");
      readers.add(row -> position(rows.featuresAt(row)));
      categories("device", rows.devices(), names)
          .forEach(
              device -> readers.add(row -> rows.featuresAt(row).device().equals(device) ? 1 : 0));
      categories("source", rows.sources(), names)
          .forEach(
              source -> readers.add(row -> rows.featuresAt(row).source().equals(source) ? 1 : 0));
    }
    if (rows.hasValues()) {
      names.add("value");
      readers.add(rows::valueAt);
    }
    for (EventType type : EventType.values()) {
      names.add("type " + type.name().toLowerCase(Locale.ROOT));
      readers.add(row -> rows.typeAt(row) == type ? 1 : 0);
    }
    if (rows.minTime() != Event.NO_TIME) {
      names.add("age");
      readers.add(
          row ->
              rows.timeAt(row) == Event.NO_TIME
                  ? Float.NaN
                  : (float) Math.log1p((rows.maxTime() - rows.timeAt(row)) / 86_400_000.0));
    }
    return of(varying(rows.size(), names, readers));
  }

  private static float position(InteractionFeatures features) {
    return features.position() < 0 ? Float.NaN : (float) Math.log1p(features.position());
  }

  private static List<String> categories(String kind, List<String> texts, List<String> names) {
    List<String> first = texts.subList(0, Math.min(texts.size(), MAX_CATEGORIES));
    first.forEach(text -> names.add(kind + " " + (text.isEmpty() ? "unknown" : text)));
    return first;
  }

  private static Columns varying(int rows, List<String> names, List<Reader> readers) {
    List<String> kept = new ArrayList<>();
    List<float[]> columns = new ArrayList<>();
    for (int c = 0; c < readers.size(); c++) {
      float[] column = new float[rows];
      boolean varies = false;
      for (int row = 0; row < rows; row++) {
        column[row] = readers.get(c).at(row);
        varies |= Float.compare(column[row], column[0]) != 0;
      }
      if (varies) {
        kept.add(names.get(c));
        columns.add(column);
      }
    }
    float[] values = new float[rows * kept.size()];
    for (int c = 0; c < columns.size(); c++) {
      for (int row = 0; row < rows; row++) {
        values[row * columns.size() + c] = columns.get(c)[row];
      }
    }
    return kept.isEmpty() ? Columns.NONE : Columns.standardized(kept, values);
  }

  /** One feature of a row. */
  @FunctionalInterface
  private interface Reader {
    float at(int row);
  }

  /**
   * A matrix of features.
   *
   * @param names (F) of the columns
   * @param values (n, F) row after row, finite; best with mean 0 and deviation 1
   */
  @SuppressWarnings("ArrayRecordComponent") // Features are lent, not compared.
  public record Columns(List<String> names, float[] values) {

    /** No features. */
    public static final Columns NONE = new Columns(List.of(), new float[0]);

    public Columns {
      names = List.copyOf(names);
      if (names.isEmpty() ? values.length > 0 : values.length % names.size() != 0) {
        throw new InvalidInputException(
            "%d numbers are not whole rows of the features %s".formatted(values.length, names));
      }
      for (int i = 0; i < values.length; i++) {
        if (!Float.isFinite(values[i])) {
          throw new InvalidInputException(
              "feature '%s' of row %d must be finite but was %s"
                  .formatted(names.get(i % names.size()), i / names.size(), values[i]));
        }
      }
    }

    /** With each column brought to mean 0 and deviation 1; NaN (unknown) becomes 0. */
    public static Columns standardized(List<String> names, float[] values) {
      return new Columns(names, Standardization.of(values, names.size()).apply(values));
    }

    int width() {
      return names.size();
    }

    void requireRows(String of, int rows) {
      if (width() > 0 && values.length != (long) rows * width()) {
        throw new InvalidInputException(
            "%s features have %d rows but there are %d"
                .formatted(of, values.length / width(), rows));
      }
    }

    void copyRow(int row, float[] into, int at) {
      int width = width();
      for (int f = 0; f < width; f++) {
        into[at + f] = values[row * width + f];
      }
    }
  }
}
