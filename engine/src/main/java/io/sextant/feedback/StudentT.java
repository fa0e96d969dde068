package io.sextant.feedback;

/**
 * Quantiles of Student's t distribution, by bisection of its distribution function, which is a
 * regularised incomplete beta function (continued fraction of DLMF 8.17.22, by Lentz's method).
 * Absolute error below 1e-9 for probabilities from 1e-8 to 1 - 1e-8.
 */
final class StudentT {

  private static final double TINY = 1e-300;

  private StudentT() {}

  /** The value below which a share p of the distribution with so many degrees of freedom lies. */
  static double quantile(double p, double degrees) {
    if (p < 0.5) {
      return -quantile(1 - p, degrees);
    }
    double hi = 1;
    while (upperTail(hi, degrees) > 1 - p) {
      hi *= 2;
    }
    double lo = 0;
    for (int i = 0; i < 200 && hi - lo > 1e-14 * hi; i++) {
      double middle = (lo + hi) / 2;
      if (upperTail(middle, degrees) > 1 - p) {
        lo = middle;
      } else {
        hi = middle;
      }
    }
    return (lo + hi) / 2;
  }

  /** The share of the distribution above t >= 0. */
  static double upperTail(double t, double degrees) {
    return 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  }

  private static double incompleteBeta(double x, double a, double b) {
    if (x <= 0 || x >= 1) {
      return x <= 0 ? 0 : 1;
    }
    double front =
        Math.exp(
            logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
    return x < (a + 1) / (a + b + 2)
        ? front * continuedFraction(x, a, b) / a
        : 1 - front * continuedFraction(1 - x, b, a) / b;
  }

  private static double continuedFraction(double x, double a, double b) {
    double c = 1;
    double d = 1 / awayFromZero(1 - (a + b) * x / (a + 1));
    double fraction = d;
    for (int m = 1; m < 10_000; m++) {
      double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / awayFromZero(1 + even * d);
      c = awayFromZero(1 + even / c);
      fraction *= d * c;
      double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / awayFromZero(1 + odd * d);
      c = awayFromZero(1 + odd / c);
      fraction *= d * c;
      if (Math.abs(d * c - 1) < 1e-15) {
        break;
      }
    }
    return fraction;
  }

  private static double awayFromZero(double x) {
    return Math.abs(x) < TINY ? TINY : x;
  }

  /** Stirling's series behind a shift to arguments of at least 10. */
  private static double logGamma(double x) {
    double shift = 0;
    double z = x;
    while (z < 10) {
      shift += Math.log(z);
      z++;
    }
    double inverse = 1 / (z * z);
    double series =
        (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / z;
    return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
  }
}
