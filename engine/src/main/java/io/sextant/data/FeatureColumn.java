package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.List;

/**
 * One feature of all users or of all items; row i belongs to the entity with the dense index i.
 *
 * <p>Vocabularies start with the empty string: code 0 stands for 'unknown or missing', and the size
 * of a vocabulary is the number of rows that an embedding of it needs.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 */
public sealed interface FeatureColumn {

  /** The name, unique within its table. */
  String name();

  /** How many entities the column covers. */
  int numRows();

  /**
   * One value of a vocabulary for each entity.
   *
   * @param vocabulary the values by code; the first is "", the unknown
   * @param codes one code for each entity
   */
  @SuppressWarnings("ArrayRecordComponent") // Columns are lent, not compared.
  record Categorical(String name, List<String> vocabulary, int[] codes) implements FeatureColumn {

    public Categorical {
      vocabulary = List.copyOf(vocabulary);
      checkCodes(name, vocabulary, codes);
    }

    @Override
    public int numRows() {
      return codes.length;
    }

    /** The code of a value, 0 if it is not in the vocabulary: O(vocabulary). */
    public int codeOf(String value) {
      return Math.max(0, vocabulary.indexOf(value));
    }
  }

  /**
   * Any number of values of a vocabulary for each entity (genres, tags).
   *
   * @param vocabulary the values by code; the first is "", the unknown
   * @param offsets (numRows + 1) where the codes of each entity start
   * @param codes the codes, entity after entity; an entity without values has none
   */
  @SuppressWarnings("ArrayRecordComponent") // Columns are lent, not compared.
  record MultiHot(String name, List<String> vocabulary, int[] offsets, int[] codes)
      implements FeatureColumn {

    public MultiHot {
      vocabulary = List.copyOf(vocabulary);
      checkCodes(name, vocabulary, codes);
      if (offsets.length == 0 || offsets[0] != 0 || offsets[offsets.length - 1] != codes.length) {
        throw new InvalidInputException(
            "offsets of feature '%s' must run from 0 to %d".formatted(name, codes.length));
      }
      for (int i = 1; i < offsets.length; i++) {
        if (offsets[i] < offsets[i - 1]) {
          throw new InvalidInputException(
              "offsets of feature '%s' must not descend but do at %d".formatted(name, i));
        }
      }
    }

    @Override
    public int numRows() {
      return offsets.length - 1;
    }

    /** The code of a value, 0 if it is not in the vocabulary: O(vocabulary). */
    public int codeOf(String value) {
      return Math.max(0, vocabulary.indexOf(value));
    }
  }

  /**
   * A number for each entity.
   *
   * @param values one value for each entity, NaN where it is missing, never infinite
   */
  @SuppressWarnings("ArrayRecordComponent") // Columns are lent, not compared.
  record Numeric(String name, float[] values) implements FeatureColumn {

    public Numeric {
      checkFinite(name, values, true);
    }

    @Override
    public int numRows() {
      return values.length;
    }

    /** How many values are there, not counting the missing ones. */
    public int count() {
      int count = 0;
      for (float value : values) {
        count += Float.isNaN(value) ? 0 : 1;
      }
      return count;
    }

    /** The mean of the values that are there; 0 if none is. */
    public double mean() {
      double sum = 0;
      for (float value : values) {
        sum += Float.isNaN(value) ? 0 : value;
      }
      int count = count();
      return count == 0 ? 0 : sum / count;
    }

    /** The population standard deviation of the values that are there; 0 if none is. */
    public double standardDeviation() {
      double mean = mean();
      double sum = 0;
      for (float value : values) {
        sum += Float.isNaN(value) ? 0 : (value - mean) * (value - mean);
      }
      int count = count();
      return count == 0 ? 0 : Math.sqrt(sum / count);
    }
  }

  /**
   * A vector for each entity, for example a text embedding.
   *
   * @param dimension D, the width of a vector
   * @param values (numRows * D) finite numbers, vector after vector; a missing vector is all zero
   */
  @SuppressWarnings("ArrayRecordComponent") // Columns are lent, not compared.
  record DenseVector(String name, int dimension, float[] values) implements FeatureColumn {

    public DenseVector {
      if (dimension < 1 || values.length % dimension != 0) {
        throw new InvalidInputException(
            "feature '%s' needs whole vectors: dimension %d, %d values"
                .formatted(name, dimension, values.length));
      }
      checkFinite(name, values, false);
    }

    @Override
    public int numRows() {
      return values.length / dimension;
    }
  }

  private static void checkCodes(String name, List<String> vocabulary, int[] codes) {
    if (vocabulary.isEmpty() || !vocabulary.get(0).isEmpty()) {
      throw new InvalidInputException(
          "the vocabulary of feature '%s' must start with \"\", the unknown".formatted(name));
    }
    for (int i = 0; i < codes.length; i++) {
      if (codes[i] < 0 || codes[i] >= vocabulary.size()) {
        throw new InvalidInputException(
            "codes of feature '%s' must be in 0..%d but code %d was %d"
                .formatted(name, vocabulary.size() - 1, i, codes[i]));
      }
    }
  }

  private static void checkFinite(String name, float[] values, boolean nanAllowed) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i]) && !(nanAllowed && Float.isNaN(values[i]))) {
        throw new InvalidInputException(
            "values of feature '%s' must be finite but value %d was %s"
                .formatted(name, i, values[i]));
      }
    }
  }
}
