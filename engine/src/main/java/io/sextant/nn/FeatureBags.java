package io.sextant.nn;

import java.util.Arrays;

/**
 * The features of E entities as weighted bags of rows of one table: a category is its row, a
 * multi-hot value the mean of its rows, a number its row times the number, a vector one row for
 * each of its dimensions. A linear map of all features is the weighted sum of a bag's rows.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 *
 * @param numRows P, the rows of the table
 * @param width W, how many rows a bag has at most
 * @param rows (E, W); 0 is padding
 * @param weights (E, W); 0 for padding
 */
public record FeatureBags(int numRows, int width, int[] rows, float[] weights) {

  /** No features. */
  public static FeatureBags none() {
    return new FeatureBags(0, 0, new int[0], new float[0]);
  }

  /** The bags of these features, or of none where there are no features: width 0. */
  public static FeatureBags of(EntityFeatures features) {
    int width = features.numericWidth();
    for (EntityFeatures.Codes column : features.codes()) {
      width += column.width();
    }
    for (EntityFeatures.Vectors column : features.vectors()) {
      width += column.dimension();
    }
    int[] rows = new int[features.numEntities() * width];
    float[] weights = new float[rows.length];
    int at = 0;
    int firstRow = 0;
    for (EntityFeatures.Codes column : features.codes()) {
      for (int e = 0; e < features.numEntities(); e++) {
        for (int m = 0; m < column.width(); m++) {
          rows[e * width + at + m] = firstRow + column.codes()[e * column.width() + m];
          weights[e * width + at + m] = column.weights()[e * column.width() + m];
        }
      }
      at += column.width();
      firstRow += column.vocabularySize();
    }
    addNumbers(features.numeric(), features.numericWidth(), at, firstRow, width, rows, weights);
    at += features.numericWidth();
    firstRow += features.numericWidth();
    for (EntityFeatures.Vectors column : features.vectors()) {
      addNumbers(column.values(), column.dimension(), at, firstRow, width, rows, weights);
      at += column.dimension();
      firstRow += column.dimension();
    }
    return new FeatureBags(firstRow, width, rows, weights);
  }

  private static void addNumbers(
      float[] values, int count, int at, int firstRow, int width, int[] rows, float[] weights) {
    for (int i = 0; i < values.length; i++) {
      int place = i / count * width + at + i % count;
      rows[place] = firstRow + i % count;
      weights[place] = values[i];
    }
  }

  /** The rows of these entities' bags (B, W); an entity below 0 has none. */
  int[] rowsOf(int[] entities) {
    int[] chosen = new int[entities.length * width];
    for (int i = 0; i < entities.length; i++) {
      if (entities[i] >= 0) {
        System.arraycopy(rows, entities[i] * width, chosen, i * width, width);
      }
    }
    return chosen;
  }

  /** The weights of these entities' bags (B, W); an entity below 0 has only zeros. */
  float[] weightsOf(int[] entities) {
    float[] chosen = new float[entities.length * width];
    for (int i = 0; i < entities.length; i++) {
      if (entities[i] >= 0) {
        System.arraycopy(weights, entities[i] * width, chosen, i * width, width);
      }
    }
    return chosen;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FeatureBags o
        && numRows == o.numRows
        && width == o.width
        && Arrays.equals(rows, o.rows)
        && Arrays.equals(weights, o.weights);
  }

  @Override
  public int hashCode() {
    return 31 * numRows + Arrays.hashCode(rows);
  }

  @Override
  public String toString() {
    return "FeatureBags[%d rows, width %d]".formatted(numRows, width);
  }
}
