package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Errors of predicted values, for example ratings.
 *
 * <p>Thread safety: immutable.
 *
 * @param count how many predictions
 * @param mse mean squared error, in squared units of the value
 * @param rmse its root, in units of the value
 * @param mae mean absolute error, in units of the value
 */
public record RatingMetrics(long count, double mse, double rmse, double mae) {

  /**
   * Compares predictions with what was observed.
   *
   * @throws InvalidInputException if there are none, the lengths differ or a number is not finite
   */
  public static RatingMetrics of(float[] predicted, float[] observed) {
    checkPairs(predicted, observed);
    double squares = 0;
    double absolutes = 0;
    for (int i = 0; i < predicted.length; i++) {
      double error = (double) predicted[i] - observed[i];
      squares += error * error;
      absolutes += Math.abs(error);
    }
    double mse = squares / predicted.length;
    return new RatingMetrics(predicted.length, mse, Math.sqrt(mse), absolutes / predicted.length);
  }

  /** The metrics by the names that reports use. */
  public Map<String, Double> toMap() {
    Map<String, Double> map = new LinkedHashMap<>();
    map.put("mse", mse);
    map.put("rmse", rmse);
    map.put("mae", mae);
    return map;
  }

  static void checkPairs(float[] predicted, float[] observed) {
    if (predicted.length != observed.length || predicted.length == 0) {
      throw new InvalidInputException(
          "each prediction needs its observation, and one at least, but there were %d and %d"
              .formatted(predicted.length, observed.length));
    }
    for (int i = 0; i < predicted.length; i++) {
      if (!Float.isFinite(predicted[i]) || !Float.isFinite(observed[i])) {
        throw new InvalidInputException(
            "prediction %d is %s and its observation %s: both must be finite"
                .formatted(i, predicted[i], observed[i]));
      }
    }
  }
}
