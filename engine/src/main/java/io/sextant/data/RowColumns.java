package io.sextant.data;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Growing primitive columns of rows in the order of their source: what a cleaning run and a builder
 * collect. A column in which no row says anything stays null.
 */
final class RowColumns {

  private static final int MAX_ROWS = Integer.MAX_VALUE - 8;
  private static final EventType[] TYPES = EventType.values();

  private int size;
  private int[] user;
  private int[] item;
  private byte[] type;
  private float @Nullable [] value;
  private float @Nullable [] weight;
  private long @Nullable [] time;
  private @Nullable Circumstances circumstances;

  RowColumns() {
    this(16);
  }

  private RowColumns(int capacity) {
    user = new int[capacity];
    item = new int[capacity];
    type = new byte[capacity];
  }

  static EventType type(byte code) {
    return TYPES[code];
  }

  @SuppressWarnings("EnumOrdinal") // The code lives in memory only, never in a file.
  void add(
      int userIndex,
      int itemIndex,
      EventType eventType,
      float eventValue,
      float eventWeight,
      long eventTime,
      InteractionFeatures features) {
    if (size == user.length) {
      grow();
    }
    user[size] = userIndex;
    item[size] = itemIndex;
    type[size] = (byte) eventType.ordinal();
    if (value != null || !Float.isNaN(eventValue)) {
      if (value == null) {
        value = new float[user.length];
        Arrays.fill(value, Float.NaN);
      }
      value[size] = eventValue;
    }
    if (weight != null || eventWeight != 1f) {
      if (weight == null) {
        weight = new float[user.length];
        Arrays.fill(weight, 1f);
      }
      weight[size] = eventWeight;
    }
    if (time != null || eventTime != Event.NO_TIME) {
      if (time == null) {
        time = new long[user.length];
        Arrays.fill(time, Event.NO_TIME);
      }
      time[size] = eventTime;
    }
    if (circumstances != null || !features.equals(InteractionFeatures.UNKNOWN)) {
      if (circumstances == null) {
        circumstances = new Circumstances(user.length);
      }
      circumstances.set(size, features);
    }
    size++;
  }

  int size() {
    return size;
  }

  // The arrays are longer than size() while rows are being added, and exact after gather.

  int[] users() {
    return user;
  }

  int[] items() {
    return item;
  }

  byte[] types() {
    return type;
  }

  float @Nullable [] values() {
    return value;
  }

  float @Nullable [] weights() {
    return weight;
  }

  long @Nullable [] times() {
    return time;
  }

  @Nullable Circumstances circumstances() {
    return circumstances;
  }

  void setWeights(float @Nullable [] weights) {
    weight = weights;
  }

  /** (numUsers + 1) where the rows of each user would start if rows were grouped by user. */
  int[] userOffsets(int numUsers) {
    int[] offsets = new int[numUsers + 1];
    for (int row = 0; row < size; row++) {
      offsets[user[row] + 1]++;
    }
    for (int u = 0; u < numUsers; u++) {
      offsets[u + 1] += offsets[u];
    }
    return offsets;
  }

  /** The rows by user, then time, then source order. */
  int[] rowsInOrder(int[] offsets) {
    int[] next = Arrays.copyOf(offsets, offsets.length - 1);
    int[] rows = new int[size];
    for (int row = 0; row < size; row++) {
      rows[next[user[row]]++] = row;
    }
    if (time != null) {
      TimeOrder.sort(rows, offsets, time);
    }
    return rows;
  }

  /** The given rows as columns of exactly that length. */
  RowColumns gather(int[] rows) {
    RowColumns result = new RowColumns(0);
    result.size = rows.length;
    // The users of a finished result are in its offsets.
    result.item = gather(item, rows);
    result.type = new byte[rows.length];
    for (int i = 0; i < rows.length; i++) {
      result.type[i] = type[rows[i]];
    }
    result.value = gather(value, rows);
    result.weight = gather(weight, rows);
    if (time != null) {
      long[] times = new long[rows.length];
      for (int i = 0; i < rows.length; i++) {
        times[i] = time[rows[i]];
      }
      result.time = times;
    }
    result.circumstances = circumstances == null ? null : circumstances.gather(rows);
    return result;
  }

  /** The same columns, shared, beside other weights. */
  RowColumns withWeights(float @Nullable [] weights) {
    RowColumns result = new RowColumns(0);
    result.size = size;
    result.user = user;
    result.item = item;
    result.type = type;
    result.value = value;
    result.time = time;
    result.circumstances = circumstances;
    result.weight = weights;
    return result;
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
    value = value == null ? null : Arrays.copyOf(value, length);
    weight = weight == null ? null : Arrays.copyOf(weight, length);
    time = time == null ? null : Arrays.copyOf(time, length);
    if (circumstances != null) {
      circumstances.resize(length);
    }
  }

  private static int[] gather(int[] column, int[] rows) {
    int[] result = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      result[i] = column[rows[i]];
    }
    return result;
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

  /** Interaction features as columns; devices and sources are coded by a dictionary, 0 is "". */
  static final class Circumstances {

    private float[] dwell;
    private int[] position;
    private int[] device;
    private int[] source;
    private final Dictionary devices;
    private final Dictionary sources;

    private Circumstances(int length) {
      this(new Dictionary(), new Dictionary());
      resize(length);
    }

    private Circumstances(Dictionary devices, Dictionary sources) {
      this.devices = devices;
      this.sources = sources;
      dwell = new float[0];
      position = new int[0];
      device = new int[0];
      source = new int[0];
    }

    InteractionFeatures at(int row) {
      return new InteractionFeatures(
          dwell[row], position[row], devices.text(device[row]), sources.text(source[row]));
    }

    List<String> devices() {
      return devices.texts();
    }

    List<String> sources() {
      return sources.texts();
    }

    private void set(int row, InteractionFeatures features) {
      dwell[row] = features.dwellSeconds();
      position[row] = features.position();
      device[row] = devices.code(features.device());
      source[row] = sources.code(features.source());
    }

    private void resize(int length) {
      int before = dwell.length;
      dwell = Arrays.copyOf(dwell, length);
      position = Arrays.copyOf(position, length);
      device = Arrays.copyOf(device, length);
      source = Arrays.copyOf(source, length);
      Arrays.fill(dwell, before, length, Float.NaN);
      Arrays.fill(position, before, length, -1);
    }

    private Circumstances gather(int[] rows) {
      Circumstances result = new Circumstances(devices.copy(), sources.copy());
      float[] dwells = new float[rows.length];
      for (int i = 0; i < rows.length; i++) {
        dwells[i] = dwell[rows[i]];
      }
      result.dwell = dwells;
      result.position = RowColumns.gather(position, rows);
      result.device = RowColumns.gather(device, rows);
      result.source = RowColumns.gather(source, rows);
      return result;
    }
  }

  /** Texts by code, in the order of their first appearance; code 0 is the empty text. */
  static final class Dictionary {

    private final Map<String, Integer> codes = new HashMap<>();
    private final List<String> texts = new ArrayList<>();

    Dictionary() {
      code("");
    }

    /** A copy: a builder may go on adding to this one. */
    Dictionary copy() {
      Dictionary copy = new Dictionary();
      texts.forEach(copy::code);
      return copy;
    }

    int code(String text) {
      Integer code = codes.get(text);
      if (code == null) {
        code = texts.size();
        codes.put(text, code);
        texts.add(text);
      }
      return code;
    }

    String text(int code) {
      return texts.get(code);
    }

    List<String> texts() {
      return List.copyOf(texts);
    }
  }
}
