package io.sextant.data;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Who did what with which item: all interactions of a data set, grouped by user (compressed sparse
 * rows).
 *
 * <p>The rows of user u are {@code start(u) .. end(u)-1}. Within a user rows ascend in time; rows
 * of the same time, or without one, keep the order of the source. A row without a time comes before
 * the rows with one. Columns are primitive arrays, and a column in which no row says anything is
 * not stored: R rows take 5 bytes each (item, type), 8 more with times, 4 with values, 4 with
 * weights other than 1.
 *
 * <p>Users and items without rows are allowed: splits of one data set share both indexes. At most
 * 2^31-9 rows. Thread safety: immutable.
 */
public final class Interactions {

  private final IdIndex users;
  private final IdIndex items;
  private final int[] offsets;
  private final int[] itemOfRow;
  private final byte[] typeOfRow;
  private final float @Nullable [] values;
  private final float @Nullable [] weights;
  private final long @Nullable [] times;
  private final RowColumns.@Nullable Circumstances features;
  private final RowColumns columns;
  private final boolean hasTimes;
  private final long minTime;
  private final long maxTime;

  private Interactions(IdIndex users, IdIndex items, int[] offsets, RowColumns columns) {
    this.users = users;
    this.items = items;
    this.offsets = offsets;
    this.columns = columns;
    this.itemOfRow = columns.items();
    this.typeOfRow = columns.types();
    this.values = columns.values();
    this.weights = columns.weights();
    this.times = columns.times();
    this.features = columns.circumstances();
    boolean all = times != null && times.length > 0;
    long min = Long.MAX_VALUE;
    long max = Event.NO_TIME;
    if (times != null) {
      for (long time : times) {
        if (time == Event.NO_TIME) {
          all = false;
        } else {
          min = Math.min(min, time);
          max = Math.max(max, time);
        }
      }
    }
    this.hasTimes = all;
    this.minTime = max == Event.NO_TIME ? Event.NO_TIME : min;
    this.maxTime = max;
  }

  /** A builder for rows over these users and items. */
  public static Builder builder(IdIndex users, IdIndex items) {
    return new Builder(users, items);
  }

  /** No rows over these users and items. */
  public static Interactions empty(IdIndex users, IdIndex items) {
    return builder(users, items).build();
  }

  /** How many users there are, with rows or without. */
  public int numUsers() {
    return users.size();
  }

  /** How many items there are, with rows or without. */
  public int numItems() {
    return items.size();
  }

  /** How many rows there are. */
  public int size() {
    return itemOfRow.length;
  }

  /** The ids of the users. */
  public IdIndex users() {
    return users;
  }

  /** The ids of the items. */
  public IdIndex items() {
    return items;
  }

  /** The first row of a user. */
  public int start(int user) {
    return offsets[user];
  }

  /** One behind the last row of a user. */
  public int end(int user) {
    return offsets[user + 1];
  }

  /** How many rows a user has. */
  public int degree(int user) {
    return offsets[user + 1] - offsets[user];
  }

  /** The user of a row, by binary search; {@link #userOfRow} is faster for many rows. */
  public int userAt(int row) {
    checkRow(row);
    int low = 0;
    int high = numUsers() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (offsets[middle + 1] > row) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** The user of every row, a new array of {@link #size()}. */
  public int[] userOfRow() {
    int[] result = new int[size()];
    for (int user = 0; user < numUsers(); user++) {
      Arrays.fill(result, offsets[user], offsets[user + 1], user);
    }
    return result;
  }

  /** The item of a row. */
  public int itemAt(int row) {
    return itemOfRow[row];
  }

  /** What was done. */
  public EventType typeAt(int row) {
    return RowColumns.type(typeOfRow[row]);
  }

  /** The rating, quantity or price of a row; NaN if it has none. */
  public float valueAt(int row) {
    checkRow(row);
    return values == null ? Float.NaN : values[row];
  }

  /** How much a row counts, 1 unless said otherwise. */
  public float weightAt(int row) {
    checkRow(row);
    return weights == null ? 1f : weights[row];
  }

  /** Milliseconds since 1970-01-01 UTC, or {@link Event#NO_TIME}. */
  public long timeAt(int row) {
    checkRow(row);
    return times == null ? Event.NO_TIME : times[row];
  }

  /** The circumstances of a row; {@link InteractionFeatures#UNKNOWN} if nothing is known. */
  public InteractionFeatures featuresAt(int row) {
    checkRow(row);
    return features == null ? InteractionFeatures.UNKNOWN : features.at(row);
  }

  /** Whether some row has circumstances. */
  public boolean hasFeatures() {
    return features != null;
  }

  /** Whether some row has a value. */
  public boolean hasValues() {
    return values != null;
  }

  /** Whether there are rows and every one of them has a time. */
  public boolean hasTimes() {
    return hasTimes;
  }

  /** The earliest time, or {@link Event#NO_TIME} if no row has one. */
  public long minTime() {
    return minTime;
  }

  /** The latest time, or {@link Event#NO_TIME} if no row has one. */
  public long maxTime() {
    return maxTime;
  }

  /** The items of a user, oldest first, with repetitions: a new array. */
  public int[] historyOf(int user) {
    return Arrays.copyOfRange(itemOfRow, offsets[user], offsets[user + 1]);
  }

  /** The distinct items of a user, ascending: a new array. */
  public int[] seenOf(int user) {
    int[] seen = historyOf(user);
    Arrays.sort(seen);
    int count = 0;
    for (int i = 0; i < seen.length; i++) {
      if (i == 0 || seen[i] != seen[i - 1]) {
        seen[count++] = seen[i];
      }
    }
    return count == seen.length ? seen : Arrays.copyOf(seen, count);
  }

  /** How many rows each item has: a new array of {@link #numItems()}. */
  public int[] itemCounts() {
    int[] counts = new int[numItems()];
    for (int item : itemOfRow) {
      counts[item]++;
    }
    return counts;
  }

  /** The rows that the predicate keeps, over the same users and items and in the same order. */
  public Interactions filter(IntPredicate keep) {
    int[] rows = new int[size()];
    int[] newOffsets = new int[offsets.length];
    int count = 0;
    for (int user = 0; user < numUsers(); user++) {
      for (int row = offsets[user]; row < offsets[user + 1]; row++) {
        if (keep.test(row)) {
          rows[count++] = row;
        }
      }
      newOffsets[user + 1] = count;
    }
    return of(users, items, newOffsets, Arrays.copyOf(rows, count), columns);
  }

  /**
   * The same rows, each with its weight times a factor: how a strategy is fitted to examples that
   * do not all count the same. Factors of one change nothing.
   *
   * @param factors one for each row, finite and not negative
   * @throws InvalidInputException if there are not as many factors as rows or one is out of range
   */
  public Interactions reweighted(float[] factors) {
    if (factors.length != size()) {
      throw new InvalidInputException(
          "each of the %d interactions needs a factor on its weight but there were %d"
              .formatted(size(), factors.length));
    }
    float[] products = new float[factors.length];
    boolean plain = true;
    for (int row = 0; row < products.length; row++) {
      products[row] = weightAt(row) * factors[row];
      if (!(factors[row] >= 0) || !Float.isFinite(products[row])) {
        throw new InvalidInputException(
            "the factor on the weight of interaction %d must be finite and >= 0 but was %s"
                .formatted(row, factors[row]));
      }
      plain &= products[row] == 1;
    }
    return new Interactions(users, items, offsets, columns.withWeights(plain ? null : products));
  }

  /**
   * The rows of both, over the same users and items; of rows with the same time, those of this one
   * come first.
   *
   * @throws InvalidInputException if the two do not share their users and items
   */
  public Interactions concat(Interactions other) {
    if (!users.equals(other.users) || !items.equals(other.items)) {
      throw new InvalidInputException(
          "two Interactions can only be joined if they share their users and items");
    }
    Builder builder = builder(users, items);
    for (Interactions part : List.of(this, other)) {
      for (int user = 0; user < part.numUsers(); user++) {
        for (int row = part.start(user); row < part.end(user); row++) {
          builder.add(
              user,
              part.itemAt(row),
              part.typeAt(row),
              part.valueAt(row),
              part.weightAt(row),
              part.timeAt(row),
              part.featuresAt(row));
        }
      }
    }
    return builder.build();
  }

  /** SHA-256 over the ids and every column, in hex: the data's identity in a model's provenance. */
  public String contentHash() {
    MessageDigest digest = IdIndex.sha256();
    digest.update(HexFormat.of().parseHex(users.contentHash()));
    digest.update(HexFormat.of().parseHex(items.contentHash()));
    ByteBuffer row = ByteBuffer.allocate(64);
    for (int user = 0; user < numUsers(); user++) {
      for (int r = start(user); r < end(user); r++) {
        row.clear();
        row.putInt(user).putInt(itemAt(r)).put(typeOfRow[r]);
        row.putInt(Float.floatToIntBits(valueAt(r))).putInt(Float.floatToIntBits(weightAt(r)));
        row.putLong(timeAt(r));
        if (features != null) {
          InteractionFeatures f = features.at(r);
          row.putInt(Float.floatToIntBits(f.dwellSeconds())).putInt(f.position());
          row.putInt(f.device().hashCode()).putInt(f.source().hashCode());
        }
        digest.update(row.array(), 0, row.position());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public String toString() {
    return "Interactions[%d rows, %d users, %d items]".formatted(size(), numUsers(), numItems());
  }

  private void checkRow(int row) {
    if (row < 0 || row >= itemOfRow.length) {
      throw new IndexOutOfBoundsException("row " + row + " of " + itemOfRow.length);
    }
  }

  /** The given rows of the columns, which are in the order of the offsets. */
  static Interactions of(
      IdIndex users, IdIndex items, int[] offsets, int[] rows, RowColumns columns) {
    return new Interactions(users, items, offsets, columns.gather(rows));
  }

  /** Devices that occur, the empty name (unknown) first; empty if no row has circumstances. */
  public List<String> devices() {
    return features == null ? List.of() : features.devices();
  }

  /** Sources that occur, the empty name (unknown) first; empty if no row has circumstances. */
  public List<String> sources() {
    return features == null ? List.of() : features.sources();
  }

  /**
   * Collects rows in any order. Optional columns come into being with the first row that needs
   * them. Not thread-safe.
   */
  public static final class Builder {

    private final IdIndex users;
    private final IdIndex items;
    private final RowColumns columns = new RowColumns();

    private Builder(IdIndex users, IdIndex items) {
      this.users = users;
      this.items = items;
    }

    /**
     * Adds a row.
     *
     * @param value NaN if there is none
     * @param weight finite and not negative
     * @param time milliseconds since 1970-01-01 UTC, or {@link Event#NO_TIME}
     * @throws InvalidInputException if an index is out of range, the value is infinite or the
     *     weight is not finite or negative
     */
    public Builder add(
        int user,
        int item,
        EventType type,
        float value,
        float weight,
        long time,
        InteractionFeatures features) {
      if (user < 0 || user >= users.size()) {
        throw new InvalidInputException(
            "user must be in 0..%d but was %d".formatted(users.size() - 1, user));
      }
      if (item < 0 || item >= items.size()) {
        throw new InvalidInputException(
            "item must be in 0..%d but was %d".formatted(items.size() - 1, item));
      }
      if (Float.isInfinite(value)) {
        throw new InvalidInputException("value must be finite, or NaN for none, but was " + value);
      }
      if (!(weight >= 0) || Float.isInfinite(weight)) {
        throw new InvalidInputException("weight must be finite and >= 0 but was " + weight);
      }
      columns.add(user, item, type, value, weight, time, features);
      return this;
    }

    /** How many rows were added. */
    public int size() {
      return columns.size();
    }

    /** Groups the rows by user and orders them by time: O(rows log(rows of the busiest user)). */
    public Interactions build() {
      int[] offsets = columns.userOffsets(users.size());
      return of(users, items, offsets, columns.rowsInOrder(offsets), columns);
    }
  }
}
