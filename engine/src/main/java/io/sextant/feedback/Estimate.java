package io.sextant.feedback;

import io.sextant.eval.Interval;
import java.util.List;

/**
 * The estimated value of a target policy with its 95 % interval.
 *
 * <p>Thread safety: immutable.
 *
 * @param name the name under which it was asked for, for example {@code dr@slope}
 * @param estimator what computed it, for example {@code dr@8}
 * @param interval the value and its interval
 * @param warnings why the interval is not to be trusted, those of {@link Overlap} for the
 *     estimator's weights signs of bias, and skewness; empty if nothing speaks against it
 */
public record Estimate(String name, Estimator estimator, Interval interval, List<String> warnings) {

  public Estimate {
    warnings = List.copyOf(warnings);
  }

  /** Whether nothing speaks against the interval. */
  public boolean trusted() {
    return warnings.isEmpty();
  }
}
