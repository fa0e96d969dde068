package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The attributes of items: the values of all categorical and multi-hot features in one numbering.
 * Unknown values are no attributes.
 *
 * @param numAttributes how many there are
 * @param starts (I + 1) where the attributes of each item begin
 * @param attributes of each item, ascending; one that an item has twice is there twice
 */
record Attributes(int numAttributes, int[] starts, int[] attributes) {

  /**
   * Reads features.
   *
   * @param names which of them; empty for all that are categorical or multi-hot
   * @throws InvalidInputException if a name is unknown or of another kind, or there is none
   */
  static Attributes of(FeatureTable items, List<String> names) {
    List<FeatureColumn> columns = columns(items, names);
    int[] starts = new int[items.numRows() + 1];
    int[] attributes = new int[1024];
    int size = 0;
    for (int item = 0; item < items.numRows(); item++) {
      int base = 0;
      for (FeatureColumn column : columns) {
        int[] codes;
        int from;
        int to;
        if (column instanceof FeatureColumn.MultiHot many) {
          codes = many.codes();
          from = many.offsets()[item];
          to = many.offsets()[item + 1];
        } else {
          FeatureColumn.Categorical one = (FeatureColumn.Categorical) column;
          codes = one.codes();
          from = item;
          to = item + 1;
        }
        if (attributes.length < size + to - from) {
          attributes = Arrays.copyOf(attributes, Math.max(size + to - from, 2 * size));
        }
        for (int at = from; at < to; at++) {
          if (codes[at] != 0) {
            attributes[size++] = base + codes[at];
          }
        }
        base += vocabularySize(column);
      }
      Arrays.sort(attributes, starts[item], size);
      starts[item + 1] = size;
    }
    return new Attributes(total(columns), starts, Arrays.copyOf(attributes, size));
  }

  /**
   * Items as rows with their attributes, {@code count x ln(I / items with it)}, each row of length
   * 1.
   *
   * @param maxItems attributes of more items are left out
   * @throws InvalidInputException if nothing is left that tells items apart
   */
  Links tfIdf(int maxItems) {
    int numItems = starts.length - 1;
    int[] frequencies = frequencies();
    int[] rowStarts = new int[starts.length];
    int[] columns = new int[attributes.length];
    float[] weights = new float[attributes.length];
    int size = 0;
    for (int item = 0; item < numItems; item++) {
      double squares = 0;
      for (int at = starts[item]; at < starts[item + 1]; ) {
        int attribute = attributes[at];
        int first = at;
        while (at < starts[item + 1] && attributes[at] == attribute) {
          at++;
        }
        double weight = (at - first) * Math.log((double) numItems / frequencies[attribute]);
        if (weight > 0 && frequencies[attribute] <= maxItems) {
          columns[size] = attribute;
          weights[size++] = (float) weight;
          squares += weight * weight;
        }
      }
      for (int at = rowStarts[item]; at < size; at++) {
        weights[at] /= (float) Math.sqrt(squares);
      }
      rowStarts[item + 1] = size;
    }
    if (size == 0) {
      throw new InvalidInputException(
          "no item has an attribute that tells it apart: each attribute is missing, or of all items, or of more than maxAttributeItems = %d of them"
              .formatted(maxItems));
    }
    return new Links(
        numAttributes, rowStarts, Arrays.copyOf(columns, size), Arrays.copyOf(weights, size));
  }

  /** How many items have each attribute. */
  private int[] frequencies() {
    int[] frequencies = new int[numAttributes];
    for (int item = 0; item + 1 < starts.length; item++) {
      for (int at = starts[item]; at < starts[item + 1]; at++) {
        if (at == starts[item] || attributes[at] != attributes[at - 1]) {
          frequencies[attributes[at]]++;
        }
      }
    }
    return frequencies;
  }

  private static List<FeatureColumn> columns(FeatureTable items, List<String> names) {
    List<FeatureColumn> columns = new ArrayList<>();
    if (names.isEmpty()) {
      items.columns().stream().filter(Attributes::isKnownKind).forEach(columns::add);
    }
    for (String name : names) {
      FeatureColumn column =
          items
              .column(name)
              .orElseThrow(
                  () ->
                      new InvalidInputException(
                          "items have no feature '%s', only %s"
                              .formatted(
                                  name,
                                  items.columns().stream().map(FeatureColumn::name).toList())));
      if (!isKnownKind(column)) {
        throw new InvalidInputException(
            "feature '%s' is neither categorical nor multi-hot but %s"
                .formatted(name, column.getClass().getSimpleName()));
      }
      columns.add(column);
    }
    if (columns.isEmpty()) {
      throw new InvalidInputException(
          "items have no categorical or multi-hot feature: give item features, or leave this strategy out");
    }
    return columns;
  }

  private static boolean isKnownKind(FeatureColumn column) {
    return column instanceof FeatureColumn.Categorical || column instanceof FeatureColumn.MultiHot;
  }

  private static int vocabularySize(FeatureColumn column) {
    return column instanceof FeatureColumn.MultiHot many
        ? many.vocabulary().size()
        : ((FeatureColumn.Categorical) column).vocabulary().size();
  }

  private static int total(List<FeatureColumn> columns) {
    return columns.stream().mapToInt(Attributes::vocabularySize).sum();
  }
}
