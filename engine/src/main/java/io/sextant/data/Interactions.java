package io.sextant.data;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  private static final EventType[] TYPES = EventType.values();

  private final IdIndex users;
  private final IdIndex items;
  private final int[] offsets;
  private final int[] itemOfRow;
  private final byte[] typeOfRow;
  private final float @Nullable [] values;
  private final float @Nullable [] weights;
  private final long @Nullable [] times;
  private final @Nullable Features features;
  private final boolean hasTimes;
  private final long minTime;
  private final long maxTime;

  private Interactions(
      IdIndex users,
      IdIndex items,
      int[] offsets,
      int[] itemOfRow,
      byte[] typeOfRow,
      float @Nullable [] values,
      float @Nullable [] weights,
      long @Nullable [] times,
      @Nullable Features features) {
    this.users = users;
    this.items = items;
    this.offsets = offsets;
    this.itemOfRow = itemOfRow;
    this.typeOfRow = typeOfRow;
    this.values = values;
    this.weights = weights;
    this.times = times;
    this.features = features;
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
    return TYPES[typeOfRow[row]];
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
    return gather(users, items, newOffsets, Arrays.copyOf(rows, count));
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

  private Interactions gather(IdIndex newUsers, IdIndex newItems, int[] newOffsets, int[] rows) {
    return gather(
        newUsers,
        newItems,
        newOffsets,
        rows,
        itemOfRow,
        typeOfRow,
        values,
        weights,
        times,
        features);
  }

  private static Interactions gather(
      IdIndex users,
      IdIndex items,
      int[] offsets,
      int[] rows,
      int[] item,
      byte[] type,
      float @Nullable [] value,
      float @Nullable [] weight,
      long @Nullable [] time,
      @Nullable Features features) {
    int[] newItem = new int[rows.length];
    byte[] newType = new byte[rows.length];
    for (int i = 0; i < rows.length; i++) {
      newItem[i] = item[rows[i]];
      newType[i] = type[rows[i]];
    }
    long[] newTime = null;
    if (time != null) {
      newTime = new long[rows.length];
      for (int i = 0; i < rows.length; i++) {
        newTime[i] = time[rows[i]];
      }
    }
    return new Interactions(
        users,
        items,
        offsets,
        newItem,
        newType,
        gather(value, rows),
        gather(weight, rows),
        newTime,
        features == null ? null : features.gather(rows));
  }

  private static float @Nullable [] gather(float @Nullable [] column, int[] rows) {
    if (column == null) {
      return null;
    }
    float[] result = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      result[i] = column[rows[i]];
    }
    return result;
  }

  /** The columns of the circumstances; devices and sources are coded by a dictionary, 0 is "". */
  private record Features(
      float[] dwell,
      int[] position,
      int[] device,
      int[] source,
      List<String> devices,
      List<String> sources) {

    InteractionFeatures at(int row) {
      return new InteractionFeatures(
          dwell[row], position[row], devices.get(device[row]), sources.get(source[row]));
    }

    Features gather(int[] rows) {
      float[] newDwell = new float[rows.length];
      int[] newPosition = new int[rows.length];
      int[] newDevice = new int[rows.length];
      int[] newSource = new int[rows.length];
      for (int i = 0; i < rows.length; i++) {
        newDwell[i] = dwell[rows[i]];
        newPosition[i] = position[rows[i]];
        newDevice[i] = device[rows[i]];
        newSource[i] = source[rows[i]];
      }
      return new Features(newDwell, newPosition, newDevice, newSource, devices, sources);
    }
  }

  /**
   * Collects rows in any order. Optional columns come into being with the first row that needs
   * them. Not thread-safe.
   */
  public static final class Builder {

    private static final int MAX_ROWS = Integer.MAX_VALUE - 8;

    private final IdIndex users;
    private final IdIndex items;
    private int size;
    private int[] user = new int[16];
    private int[] item = new int[16];
    private byte[] type = new byte[16];
    private float @Nullable [] value;
    private float @Nullable [] weight;
    private long @Nullable [] time;
    private float @Nullable [] dwell;
    private int[] position = new int[0];
    private int[] device = new int[0];
    private int[] source = new int[0];
    private final Map<String, Integer> devices = new LinkedHashMap<>(Map.of("", 0));
    private final Map<String, Integer> sources = new LinkedHashMap<>(Map.of("", 0));

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
        int userIndex,
        int itemIndex,
        EventType eventType,
        float value,
        float weight,
        long time,
        InteractionFeatures features) {
      if (userIndex < 0 || userIndex >= users.size()) {
        throw new InvalidInputException(
            "user must be in 0..%d but was %d".formatted(users.size() - 1, userIndex));
      }
      if (itemIndex < 0 || itemIndex >= items.size()) {
        throw new InvalidInputException(
            "item must be in 0..%d but was %d".formatted(items.size() - 1, itemIndex));
      }
      if (Float.isInfinite(value)) {
        throw new InvalidInputException("value must be finite, or NaN for none, but was " + value);
      }
      if (!(weight >= 0) || Float.isInfinite(weight)) {
        throw new InvalidInputException("weight must be finite and >= 0 but was " + weight);
      }
      if (size == user.length) {
        grow();
      }
      user[size] = userIndex;
      item[size] = itemIndex;
      type[size] = (byte) eventType.ordinal();
      if (this.value != null || !Float.isNaN(value)) {
        valueColumn()[size] = value;
      }
      if (this.weight != null || weight != 1f) {
        weightColumn()[size] = weight;
      }
      if (this.time != null || time != Event.NO_TIME) {
        timeColumn()[size] = time;
      }
      if (dwell != null || !features.equals(InteractionFeatures.UNKNOWN)) {
        dwellColumn()[size] = features.dwellSeconds();
        position[size] = features.position();
        device[size] = code(devices, features.device());
        source[size] = code(sources, features.source());
      }
      size++;
      return this;
    }

    /** How many rows were added. */
    public int size() {
      return size;
    }

    /** Groups the rows by user, orders them by time, and gives the result: O(rows log(longest)). */
    public Interactions build() {
      int[] offsets = new int[users.size() + 1];
      for (int row = 0; row < size; row++) {
        offsets[user[row] + 1]++;
      }
      for (int u = 0; u < users.size(); u++) {
        offsets[u + 1] += offsets[u];
      }
      int[] next = Arrays.copyOf(offsets, users.size());
      int[] rows = new int[size];
      for (int row = 0; row < size; row++) {
        rows[next[user[row]]++] = row;
      }
      if (time != null) {
        TimeOrder.sort(rows, offsets, time);
      }
      Features features =
          dwell == null
              ? null
              : new Features(
                  dwell,
                  position,
                  device,
                  source,
                  List.copyOf(devices.keySet()),
                  List.copyOf(sources.keySet()));
      return gather(users, items, offsets, rows, item, type, value, weight, time, features);
    }

    private static int code(Map<String, Integer> dictionary, String text) {
      Integer code = dictionary.get(text);
      if (code == null) {
        code = dictionary.size();
        dictionary.put(text, code);
      }
      return code;
    }

    private float[] valueColumn() {
      if (value == null) {
        value = new float[user.length];
        Arrays.fill(value, Float.NaN);
      }
      return value;
    }

    private float[] weightColumn() {
      if (weight == null) {
        weight = new float[user.length];
        Arrays.fill(weight, 1f);
      }
      return weight;
    }

    private long[] timeColumn() {
      if (time == null) {
        time = new long[user.length];
        Arrays.fill(time, Event.NO_TIME);
      }
      return time;
    }

    private float[] dwellColumn() {
      if (dwell == null) {
        dwell = new float[user.length];
        Arrays.fill(dwell, Float.NaN);
        position = new int[user.length];
        Arrays.fill(position, -1);
        device = new int[user.length];
        source = new int[user.length];
      }
      return dwell;
    }

    private void grow() {
      if (size >= MAX_ROWS) {
        throw new InvalidInputException(
            "more than %d interactions: split the data or sample it".formatted(MAX_ROWS));
      }
      int length = (int) Math.min(MAX_ROWS, size * 3L / 2 + 16);
      user = Arrays.copyOf(user, length);
      item = Arrays.copyOf(item, length);
      type = Arrays.copyOf(type, length);
      if (value != null) {
        value = Arrays.copyOf(value, length);
      }
      if (weight != null) {
        weight = Arrays.copyOf(weight, length);
      }
      if (time != null) {
        time = Arrays.copyOf(time, length);
      }
      if (dwell != null) {
        dwell = Arrays.copyOf(dwell, length);
        position = Arrays.copyOf(position, length);
        device = Arrays.copyOf(device, length);
        source = Arrays.copyOf(source, length);
      }
    }
  }

  /** Devices that occur, the empty name (unknown) first; empty if no row has circumstances. */
  public List<String> devices() {
    return features == null ? List.of() : features.devices();
  }

  /** Sources that occur, the empty name (unknown) first; empty if no row has circumstances. */
  public List<String> sources() {
    return features == null ? List.of() : features.sources();
  }
}
