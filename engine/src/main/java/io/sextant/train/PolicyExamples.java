package io.sextant.train;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * What a policy network learns from or is judged on: n examples, each with what is known of a user,
 * what is known of an item, and the outputs that are wanted.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param userDim F_u
 * @param itemDim F_i
 * @param outputs S
 * @param users (n, F_u) example after example, finite
 * @param items (n, F_i) finite
 * @param labels (n, S) in [0, 1]: 1 for a click, 0 for none, or a probability
 * @param weights (n) how much an example counts, >= 0
 */
@SuppressWarnings("ArrayRecordComponent") // Examples are lent, not compared.
public record PolicyExamples(
    int userDim,
    int itemDim,
    int outputs,
    float[] users,
    float[] items,
    float[] labels,
    float[] weights) {

  public PolicyExamples {
    if (userDim <= 0 || itemDim <= 0 || outputs <= 0) {
      throw new InvalidInputException(
          "widths of policy examples must be > 0 but were userDim %d, itemDim %d, outputs %d"
              .formatted(userDim, itemDim, outputs));
    }
    check("users", users, weights.length, userDim, Float.NEGATIVE_INFINITY, Float.MAX_VALUE);
    check("items", items, weights.length, itemDim, Float.NEGATIVE_INFINITY, Float.MAX_VALUE);
    check("labels", labels, weights.length, outputs, 0, 1);
    check("weights", weights, weights.length, 1, 0, Float.MAX_VALUE);
  }

  /**
   * Examples with one output that all count the same.
   *
   * @param labels (n)
   * @throws InvalidInputException if lengths do not fit or a number is out of its range
   */
  public static PolicyExamples of(
      int userDim, int itemDim, float[] users, float[] items, float[] labels) {
    float[] weights = new float[labels.length];
    Arrays.fill(weights, 1);
    return new PolicyExamples(userDim, itemDim, 1, users, items, labels, weights);
  }

  /** How many examples there are, n. */
  public int size() {
    return weights.length;
  }

  private static void check(
      String name, float[] values, int rows, int width, float least, float most) {
    if (values.length != (long) rows * width) {
      throw new InvalidInputException(
          "%s of policy examples must be %d x %d numbers but were %d"
              .formatted(name, rows, width, values.length));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i]) || values[i] < least || values[i] > most) {
        throw new InvalidInputException(
            "%s of policy examples must be %s but row %d, column %d was %s"
                .formatted(
                    name,
                    most == 1 ? "in [0, 1]" : least == 0 ? "finite and >= 0" : "finite",
                    i / width,
                    i % width,
                    values[i]));
      }
    }
  }
}
