package io.sextant.serve;

import io.sextant.AttributeFilter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The values that items have of attributes, by place.
 *
 * <p>Thread safety: none; {@link Catalogue} guards it.
 */
final class Attributes {

  private static final int[] NONE = {};

  private final int places;
  private final Map<String, Column> columns = new HashMap<>();

  /** The values of one attribute, as codes. */
  private static final class Column {
    private final Map<String, Integer> codes = new HashMap<>();
    private final int[][] codesOfPlace;

    Column(int places) {
      codesOfPlace = new int[places][];
      Arrays.fill(codesOfPlace, NONE);
    }
  }

  Attributes(int places) {
    this.places = places;
  }

  /** Sets the values of the attributes that are named, and leaves the others as they are. */
  void set(int place, Map<String, Set<String>> values) {
    values.forEach(
        (name, set) -> {
          Column column = columns.computeIfAbsent(name, n -> new Column(places));
          column.codesOfPlace[place] =
              set.stream()
                  .mapToInt(v -> column.codes.computeIfAbsent(v, c -> column.codes.size()))
                  .sorted()
                  .toArray();
        });
  }

  /** Whether an item at a place meets a demand. */
  boolean meets(int place, AttributeFilter filter) {
    Column column = columns.get(filter.attribute());
    boolean has = false;
    if (column != null) {
      int[] codes = column.codesOfPlace[place];
      for (String value : filter.values()) {
        Integer code = column.codes.get(value);
        has |= code != null && Arrays.binarySearch(codes, code) >= 0;
      }
    }
    return has != filter.negated();
  }

  /** The items at all places that meet a demand: a 1 for each. */
  long[] meeting(AttributeFilter filter) {
    long[] bits = new long[(places + Long.SIZE - 1) / Long.SIZE];
    Column column = columns.get(filter.attribute());
    boolean[] wanted = new boolean[column == null ? 0 : column.codes.size()];
    if (column != null) {
      for (String value : filter.values()) {
        Integer code = column.codes.get(value);
        if (code != null) {
          wanted[code] = true;
        }
      }
    }
    for (int place = 0; place < places; place++) {
      boolean has = false;
      if (column != null) {
        for (int code : column.codesOfPlace[place]) {
          has |= wanted[code];
        }
      }
      if (has != filter.negated()) {
        bits[place / Long.SIZE] |= 1L << place;
      }
    }
    return bits;
  }

  /**
   * The codes of an attribute's values that the item at a place has: an array not to be changed.
   */
  int[] codes(int place, String attribute) {
    Column column = columns.get(attribute);
    return column == null ? NONE : column.codesOfPlace[place];
  }

  /** All values of the item at a place, each with its attribute's name before it. */
  Set<String> valuesOf(int place) {
    Set<String> values = new HashSet<>();
    columns.forEach(
        (name, column) -> {
          for (int code : column.codesOfPlace[place]) {
            values.add(name + '\0' + code);
          }
        });
    return values;
  }

  /**
   * The items of the first {@code numItems} places that are most like one with these values: the
   * cosine of vectors of {@code ln(I / items with the value)}, ties by place.
   *
   * @return at most {@code limit} with a positive cosine, best first
   */
  List<Alike> mostAlike(Map<String, Set<String>> values, int numItems, int limit) {
    double[] products = new double[numItems];
    double own = 0;
    double[] squares = new double[numItems];
    for (Map.Entry<String, Column> entry : columns.entrySet()) {
      Column column = entry.getValue();
      double[] weights = weights(column, numItems);
      boolean[] wanted = new boolean[weights.length];
      for (String value : values.getOrDefault(entry.getKey(), Set.of())) {
        Integer code = column.codes.get(value);
        if (code != null) {
          wanted[code] = true;
          own += weights[code] * weights[code];
        }
      }
      for (int place = 0; place < numItems; place++) {
        for (int code : column.codesOfPlace[place]) {
          double square = weights[code] * weights[code];
          squares[place] += square;
          products[place] += wanted[code] ? square : 0;
        }
      }
    }
    List<Alike> alike = new ArrayList<>();
    for (int place = 0; place < numItems; place++) {
      if (products[place] > 0) {
        alike.add(new Alike(place, products[place] / Math.sqrt(own * squares[place])));
      }
    }
    alike.sort(
        (a, b) ->
            a.cosine() == b.cosine()
                ? Integer.compare(a.place(), b.place())
                : Double.compare(b.cosine(), a.cosine()));
    return List.copyOf(alike.subList(0, Math.min(limit, alike.size())));
  }

  private static double[] weights(Column column, int numItems) {
    int[] counts = new int[column.codes.size()];
    for (int place = 0; place < numItems; place++) {
      for (int code : column.codesOfPlace[place]) {
        counts[code]++;
      }
    }
    double[] weights = new double[counts.length];
    for (int code = 0; code < counts.length; code++) {
      weights[code] = counts[code] == 0 ? 0 : Math.log((1.0 + numItems) / counts[code]);
    }
    return weights;
  }

  /** An item and how like it is. */
  record Alike(int place, double cosine) {}
}
