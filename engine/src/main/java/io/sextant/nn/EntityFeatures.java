package io.sextant.nn;

import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import java.util.ArrayList;
import java.util.List;

/**
 * The features of E users or items in the form that encoders read: categories as codes padded to
 * one width, numbers standardised, vectors as they are.
 *
 * <p>A multi-hot value keeps its first {@value #MAX_CODES} codes, so that one entity with hundreds
 * of tags does not set the width for all. A missing number becomes the mean, which is zero after
 * standardisation.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 *
 * @param numEntities E
 * @param codes the categorical and multi-hot columns
 * @param numeric the numbers, E rows of F
 * @param numericWidth F
 * @param vectors the dense vector columns
 */
public record EntityFeatures(
    int numEntities, List<Codes> codes, float[] numeric, int numericWidth, List<Vectors> vectors) {

  private static final int MAX_CODES = 32;

  /**
   * One column of codes.
   *
   * @param name the column's name
   * @param vocabularySize how many codes there are, with code 0 for unknown
   * @param width M, how many codes an entity has at most
   * @param codes E rows of M; 0 is padding
   * @param weights E rows of M; 1/n for each of the n codes of an entity, 0 for padding
   */
  public record Codes(String name, int vocabularySize, int width, int[] codes, float[] weights) {}

  /**
   * One column of given vectors.
   *
   * @param name the column's name
   * @param dimension P
   * @param values E rows of P
   */
  public record Vectors(String name, int dimension, float[] values) {}

  /** No features. */
  public static EntityFeatures none(int numEntities) {
    return new EntityFeatures(numEntities, List.of(), new float[0], 0, List.of());
  }

  /** The features of a table. */
  public static EntityFeatures of(FeatureTable table) {
    int rows = table.numRows();
    List<Codes> codes = new ArrayList<>();
    List<FeatureColumn.Numeric> numbers = new ArrayList<>();
    List<Vectors> vectors = new ArrayList<>();
    for (FeatureColumn column : table.columns()) {
      if (column instanceof FeatureColumn.Categorical categorical) {
        codes.add(codesOf(categorical));
      } else if (column instanceof FeatureColumn.MultiHot multiHot) {
        codes.add(codesOf(multiHot));
      } else if (column instanceof FeatureColumn.Numeric number) {
        numbers.add(number);
      } else if (column instanceof FeatureColumn.DenseVector vector) {
        vectors.add(new Vectors(vector.name(), vector.dimension(), vector.values()));
      }
    }
    return new EntityFeatures(
        rows,
        List.copyOf(codes),
        standardised(numbers, rows),
        numbers.size(),
        List.copyOf(vectors));
  }

  /** Whether any feature of this entity says something: a known code, or a number that is not 0. */
  public boolean describes(int entity) {
    for (Codes column : codes) {
      if (anyOf(column.weights(), entity, column.width())) {
        return true;
      }
    }
    for (Vectors column : vectors) {
      if (anyOf(column.values(), entity, column.dimension())) {
        return true;
      }
    }
    return anyOf(numeric, entity, numericWidth);
  }

  private static boolean anyOf(float[] rows, int row, int width) {
    for (int i = row * width; i < (row + 1) * width; i++) {
      if (rows[i] != 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether there is no feature at all. */
  public boolean isEmpty() {
    return codes.isEmpty() && numericWidth == 0 && vectors.isEmpty();
  }

  private static Codes codesOf(FeatureColumn.Categorical column) {
    int[] codes = column.codes().clone();
    float[] weights = new float[codes.length];
    for (int i = 0; i < codes.length; i++) {
      weights[i] = codes[i] == 0 ? 0 : 1;
    }
    return new Codes(column.name(), column.vocabulary().size(), 1, codes, weights);
  }

  private static Codes codesOf(FeatureColumn.MultiHot column) {
    int rows = column.numRows();
    int[] offsets = column.offsets();
    int width = 1;
    for (int row = 0; row < rows; row++) {
      width = Math.max(width, Math.min(MAX_CODES, offsets[row + 1] - offsets[row]));
    }
    int[] codes = new int[rows * width];
    float[] weights = new float[rows * width];
    for (int row = 0; row < rows; row++) {
      int count = Math.min(width, offsets[row + 1] - offsets[row]);
      for (int m = 0; m < count; m++) {
        codes[row * width + m] = column.codes()[offsets[row] + m];
        weights[row * width + m] = 1f / count;
      }
    }
    return new Codes(column.name(), column.vocabulary().size(), width, codes, weights);
  }

  private static float[] standardised(List<FeatureColumn.Numeric> columns, int rows) {
    float[] values = new float[rows * columns.size()];
    for (int c = 0; c < columns.size(); c++) {
      FeatureColumn.Numeric column = columns.get(c);
      double mean = column.mean();
      double deviation = column.standardDeviation();
      for (int row = 0; row < rows; row++) {
        float value = column.values()[row];
        if (!Float.isNaN(value) && deviation > 0) {
          values[row * columns.size() + c] = (float) ((value - mean) / deviation);
        }
      }
    }
    return values;
  }
}
