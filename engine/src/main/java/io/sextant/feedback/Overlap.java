package io.sextant.feedback;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How far a log speaks of a target policy, seen from the weights. Intervals take the weights' tail
 * from the sample; where a few large weights carry an estimate, the sample does not show the tail
 * and intervals are too short. The {@link #warnings} say so:
 *
 * <ul>
 *   <li>a weight above {@value #LARGE_WEIGHT}, drawn, or possible where the logging policy is
 *       known: one such round counts as that many, and a log without one lacks its part of the
 *       truth;
 *   <li>weights so skewed that fewer than {@value #COCHRAN} rounds are there for each squared unit
 *       (Cochran, Sampling Techniques, 1977, 2.15: more make a normal 95 % interval miss in at most
 *       6 %), where the logging policy is known: a log that happens to be even does not hide it;
 *   <li>an effective sample size below {@value #FEW_ROUNDS} or below a tenth of the rounds;
 *   <li>a mean weight that is further from 1 than four of its standard errors: the propensities or
 *       the target's probabilities are not those that drew, or the tail was not seen;
 *   <li>more than a quarter of the weight cut away by clipping: what is left is another policy's;
 *   <li>rounds in which the target would draw what the log cannot speak of.
 * </ul>
 *
 * <p>Thread safety: immutable.
 *
 * @param rounds n
 * @param effectiveSampleSize {@code (sum w)^2 / sum w^2} (Kish), 0..n
 * @param maxWeight the largest weight
 * @param largestPossibleWeight the largest that any action would have had in the log's rounds; NaN
 *     if the logging policy is not known in full
 * @param weightSkewness the skewness of the weights that the logging policy draws; NaN if it is not
 *     known in full
 * @param meanWeight the mean weight, about 1 for plain weights
 * @param supportViolations in how many rounds the target would draw an unsupported action
 * @param warnings why the estimate is not to be trusted; empty if nothing speaks against it
 */
public record Overlap(
    int rounds,
    double effectiveSampleSize,
    double maxWeight,
    double largestPossibleWeight,
    double weightSkewness,
    double meanWeight,
    int supportViolations,
    List<String> warnings) {

  static final int LARGE_WEIGHT = 25;
  static final int FEW_ROUNDS = 100;
  static final int COCHRAN = 25;
  private static final double SMALL_SHARE = 0.1;
  private static final double LARGE_CUT = 0.25;

  public Overlap {
    warnings = List.copyOf(warnings);
  }

  /**
   * The weights that a logging policy could have drawn.
   *
   * @param largest the largest; NaN if unknown
   * @param skewness under the logging policy; NaN if unknown
   */
  record Tail(double largest, double skewness) {
    static final Tail UNKNOWN = new Tail(Double.NaN, Double.NaN);
  }

  /** Whether nothing speaks against intervals from this log. */
  public boolean trusted() {
    return warnings.isEmpty();
  }

  static Overlap of(double[] weights, WeightRule rule, int supportViolations) {
    return of(weights, Tail.UNKNOWN, rule, supportViolations);
  }

  static Overlap of(double[] weights, Tail tail, WeightRule rule, int supportViolations) {
    int n = weights.length;
    double plainSum = 0;
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (double plain : weights) {
      double w = rule.apply(plain);
      plainSum += plain;
      sum += w;
      squares += w * w;
      largest = Math.max(largest, w);
    }
    double ess = squares > 0 ? sum * sum / squares : 0;
    double mean = sum / n;
    List<String> warnings = new ArrayList<>();
    if (rule.kind() != WeightRule.Kind.NONE) {
      if (largest > LARGE_WEIGHT) {
        warnings.add(
            say(
                "the largest weight is %.1f (above %d): intervals are too short",
                largest, LARGE_WEIGHT));
      }
      if (largest <= LARGE_WEIGHT && tail.largest() > LARGE_WEIGHT) {
        warnings.add(
            say(
                "weights up to %.1f (above %d) are possible but the log has none above %.1f:"
                    + " intervals are too short",
                tail.largest(), LARGE_WEIGHT, largest));
      }
      double needed = COCHRAN * tail.skewness() * tail.skewness();
      if (needed > n) {
        warnings.add(
            say(
                "weights are so skewed (%.1f) that a 95 %% interval needs %.0f rounds, not %d",
                tail.skewness(), needed, n));
      }
      if (ess < FEW_ROUNDS || ess < SMALL_SHARE * n) {
        warnings.add(say("%d rounds are worth only %.1f (effective sample size)", n, ess));
      }
      double error = Math.sqrt(Math.max(0, squares / n - mean * mean) / n);
      boolean plain = rule.kind() == WeightRule.Kind.PLAIN;
      if (plain && Math.abs(mean - 1) > 4 * error + 1e-6) {
        warnings.add(
            say(
                "the mean weight is %.4f, which is not 1 within its error of %.4f: are the"
                    + " propensities those that drew?",
                mean, error));
      }
      double cut = 1 - sum / plainSum;
      if (!plain && cut > LARGE_CUT) {
        warnings.add(say("%.0f %% of the weight is cut away: the estimate is biased", 100 * cut));
      }
    }
    if (supportViolations > 0) {
      warnings.add(
          say(
              "in %d of %d rounds the target would draw an action that the log cannot speak of",
              supportViolations, n));
    }
    return new Overlap(
        n, ess, largest, tail.largest(), tail.skewness(), mean, supportViolations, warnings);
  }

  private static String say(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
