package io.sextant.data;

import io.sextant.InvalidInputException;

/**
 * Brings each column of a matrix to mean 0 and standard deviation 1, as measured on the rows that a
 * model learns from; the same shift and factor then serve all other rows. A missing number (NaN)
 * becomes 0, the mean; a column that never changes becomes 0 too.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param mean (F) of each column
 * @param deviation (F) population standard deviation of each column, >= 0
 */
@SuppressWarnings("ArrayRecordComponent") // Columns are lent, not compared.
public record Standardization(float[] mean, float[] deviation) {

  public Standardization {
    if (mean.length == 0 || mean.length != deviation.length) {
      throw new InvalidInputException(
          "a standardization needs a mean and a deviation for each column but had %d and %d"
              .formatted(mean.length, deviation.length));
    }
    for (int c = 0; c < mean.length; c++) {
      if (!Float.isFinite(mean[c]) || !Float.isFinite(deviation[c]) || deviation[c] < 0) {
        throw new InvalidInputException(
            "column %d needs a finite mean and a deviation >= 0 but had %s and %s"
                .formatted(c, mean[c], deviation[c]));
      }
    }
  }

  /**
   * Measures the columns of (n, width) rows.
   *
   * @throws InvalidInputException if there are no whole rows or a number is infinite
   */
  public static Standardization of(float[] rows, int width) {
    checkRows(rows, width);
    float[] mean = new float[width];
    float[] deviation = new float[width];
    for (int c = 0; c < width; c++) {
      int count = 0;
      double sum = 0;
      for (int i = c; i < rows.length; i += width) {
        if (Float.isInfinite(rows[i])) {
          throw new InvalidInputException(
              "row %d, column %d is %s: a number or NaN is needed"
                  .formatted(i / width, c, rows[i]));
        }
        if (!Float.isNaN(rows[i])) {
          sum += rows[i];
          count++;
        }
      }
      double average = count == 0 ? 0 : sum / count;
      double squares = 0;
      for (int i = c; i < rows.length; i += width) {
        if (!Float.isNaN(rows[i])) {
          squares += (rows[i] - average) * (rows[i] - average);
        }
      }
      mean[c] = (float) average;
      deviation[c] = count == 0 ? 0 : (float) Math.sqrt(squares / count);
    }
    return new Standardization(mean, deviation);
  }

  /** The standardized copy of (n, F) rows. */
  public float[] apply(float[] rows) {
    int width = mean.length;
    checkRows(rows, width);
    float[] result = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      int c = i % width;
      // Below this share of the mean a deviation is the rounding of equal numbers.
      boolean constant = deviation[c] <= 1e-6f * Math.abs(mean[c]);
      result[i] = constant || Float.isNaN(rows[i]) ? 0 : (rows[i] - mean[c]) / deviation[c];
    }
    return result;
  }

  private static void checkRows(float[] rows, int width) {
    if (width < 1 || rows.length % width != 0) {
      throw new InvalidInputException(
          "%d numbers are not whole rows of width %d".formatted(rows.length, width));
    }
  }
}
