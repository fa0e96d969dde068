package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One-sided confidence bounds of a mean from independent values: the half-width by which the true
 * mean lies below or above the mean of the values in at most a share {@code tail} of samples.
 *
 * <ul>
 *   <li>Student's t: {@code t(1 - tail, n - 1) sd / sqrt n}, right for normal values and, as n
 *       grows, for others; too short where a few values carry most of the sum.
 *   <li>Empirical Bernstein (Maurer and Pontil, COLT 2009): {@code sqrt(2 var ln(2 / tail) / n) + 7
 *       range ln(2 / tail) / (3 (n - 1))}, right for every n and every distribution whose values
 *       lie in an interval of the length {@code range}, which must have been fixed before the
 *       values were seen; wide.
 * </ul>
 *
 * <p>Thread safety: stateless.
 */
final class MeanBounds {

  private MeanBounds() {}

  static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** The sample variance, with n - 1 in the denominator. */
  static double variance(double[] values) {
    double mean = mean(values);
    double sum = 0;
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return sum / (values.length - 1);
  }

  /** The sample skewness G1, the third central moment over the variance to the power 3/2. */
  static double skewness(double[] values) {
    double mean = mean(values);
    double squares = 0;
    double cubes = 0;
    for (double value : values) {
      double off = value - mean;
      squares += off * off;
      cubes += off * off * off;
    }
    int n = values.length;
    return squares == 0 ? 0 : cubes / n / Math.pow(squares / n, 1.5);
  }

  /**
   * Why an interval from near-normal means is not to be trusted: Cochran asks for 25 times the
   * squared skewness in rounds. Null if there are as many.
   */
  static @Nullable String tooSkewed(double[] values) {
    double skewness = skewness(values);
    double needed = Overlap.COCHRAN * skewness * skewness;
    return needed > values.length
        ? String.format(
            Locale.ROOT,
            "round values are so skewed (%.1f) that a 95 %% interval needs %.0f rounds, not %d",
            skewness,
            needed,
            values.length)
        : null;
  }

  static double studentHalfWidth(double[] values, double tail) {
    needTwo(values);
    return StudentT.quantile(1 - tail, values.length - 1)
        * Math.sqrt(variance(values) / values.length);
  }

  static double bernsteinHalfWidth(double[] values, double range, double tail) {
    needTwo(values);
    double log = Math.log(2 / tail);
    return Math.sqrt(2 * variance(values) * log / values.length)
        + 7 * range * log / (3 * (values.length - 1));
  }

  private static void needTwo(double[] values) {
    if (values.length < 2) {
      throw new InvalidInputException("an interval needs at least two rounds but had one");
    }
  }
}
