package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.function.DoubleUnaryOperator;

/**
 * An estimate with its 95 % interval.
 *
 * <p>Thread safety: immutable.
 *
 * @param value the estimate; NaN if nothing was observed
 * @param lo the lower end
 * @param hi the upper end, not below {@code lo}
 */
public record Interval(double value, double lo, double hi) {

  public Interval {
    if (!(lo <= hi)) {
      throw new InvalidInputException(
          "an interval needs lo <= hi but had lo " + lo + " and hi " + hi);
    }
  }

  /** Whether the whole interval lies above x: with x = 0, an improvement beyond chance. */
  public boolean isAbove(double x) {
    return lo > x;
  }

  /** Whether the whole interval lies below x. */
  public boolean isBelow(double x) {
    return hi < x;
  }

  /**
   * The interval of a strictly increasing function of the value: the ends of a percentile interval
   * follow such a function, for example from MSE to RMSE.
   */
  public Interval map(DoubleUnaryOperator increasing) {
    return new Interval(
        increasing.applyAsDouble(value),
        increasing.applyAsDouble(lo),
        increasing.applyAsDouble(hi));
  }
}
