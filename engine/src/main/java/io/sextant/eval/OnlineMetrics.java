package io.sextant.eval;

import io.sextant.InvalidInputException;

/**
 * What came back from users over some window of time, as counts, and the rates that follow from
 * them, each with its 95 % Wilson interval (Wilson, JASA 1927). Wilson intervals stay inside [0, 1]
 * and are sensible for small counts and rates near 0.
 *
 * <p>Thread safety: immutable.
 *
 * @param impressions how many items were shown
 * @param clicks how many of these were clicked
 * @param conversions how many of the clicked ones were bought
 */
public record OnlineMetrics(long impressions, long clicks, long conversions) {

  /** The 97.5 % quantile of the normal distribution. */
  private static final double Z = 1.959963984540054;

  public OnlineMetrics {
    if (conversions < 0 || clicks < conversions || impressions < clicks) {
      throw new InvalidInputException(
          "counts must satisfy impressions >= clicks >= conversions >= 0 but were %d, %d, %d"
              .formatted(impressions, clicks, conversions));
    }
  }

  /** Click-through rate: clicks per impression. */
  public Interval ctr() {
    return wilson(clicks, impressions);
  }

  /** Conversion rate: conversions per click. */
  public Interval cvr() {
    return wilson(conversions, clicks);
  }

  /** Click-through and conversion rate: conversions per impression. */
  public Interval ctcvr() {
    return wilson(conversions, impressions);
  }

  /** The counts of two windows that do not overlap, together. */
  public OnlineMetrics plus(OnlineMetrics other) {
    return new OnlineMetrics(
        Math.addExact(impressions, other.impressions),
        Math.addExact(clicks, other.clicks),
        Math.addExact(conversions, other.conversions));
  }

  /** The 95 % Wilson interval of a rate; without a trial the value is NaN, the interval [0, 1]. */
  public static Interval wilson(long successes, long trials) {
    if (successes < 0 || successes > trials) {
      throw new InvalidInputException(
          "successes must lie in 0..trials but were %d of %d".formatted(successes, trials));
    }
    if (trials == 0) {
      return new Interval(Double.NaN, 0, 1);
    }
    double n = trials;
    double p = successes / n;
    double centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n);
    double half = Z / (1 + Z * Z / n) * Math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
    // The ends are exact where rounding would miss 0 or 1 by an ulp.
    double lo = successes == 0 ? 0 : Math.max(0, centre - half);
    double hi = successes == trials ? 1 : Math.min(1, centre + half);
    return new Interval(p, lo, hi);
  }
}
