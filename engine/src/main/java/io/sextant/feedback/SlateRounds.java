package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.eval.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A log of slates seen from a target policy: of each of n decisions the value, whose mean is the
 * estimate, and the weights of its L slots.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param slots L
 * @param weights (n * L) scaled such that a target that is the logging policy has 1 everywhere
 * @param values (n) finite
 * @param unsupported (n) whether the target would show what could not have been logged
 */
public record SlateRounds(int slots, double[] weights, double[] values, boolean[] unsupported) {

  private static final double TAIL = 0.025;

  public SlateRounds {
    if (slots < 1 || values.length == 0) {
      throw new InvalidInputException(
          "slates need slots > 0 and at least one decision but had %d and %d"
              .formatted(slots, values.length));
    }
    if (weights.length != (long) slots * values.length || unsupported.length != values.length) {
      throw new InvalidInputException(
          "%d decisions of %d slots do not go with %d weights and %d signs of support"
              .formatted(values.length, slots, weights.length, unsupported.length));
    }
  }

  /** How many decisions there are, n. */
  public int size() {
    return values.length;
  }

  /** The estimate with its 95 % Student-t interval. */
  public Interval estimate() {
    double value = MeanBounds.mean(values);
    double half = MeanBounds.studentHalfWidth(values, TAIL);
    return new Interval(value, value - half, value + half);
  }

  /** The share of the decisions in which the target would show what could not have been logged. */
  public double unsupportedShare() {
    int count = 0;
    for (boolean one : unsupported) {
      count += one ? 1 : 0;
    }
    return count / (double) size();
  }

  /** How far the log speaks of the target; its rounds are slots. */
  public Overlap overlap() {
    return Overlap.of(
        weights,
        new WeightRule(WeightRule.Kind.PLAIN, 0),
        (int) Math.round(unsupportedShare() * size()));
  }

  /**
   * Why the interval is not to be trusted: signs of too little overlap, and values so skewed, as
   * where few items are bought, that the mean of so many is not yet normal. Empty if nothing speaks
   * against it.
   */
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>(overlap().warnings());
    String skewed = MeanBounds.tooSkewed(values);
    if (skewed != null) {
      warnings.add(skewed);
    }
    return List.copyOf(warnings);
  }

  /** Of how many decisions the slots are worth: their effective sample size by L. */
  double effectiveDecisions() {
    return overlap().effectiveSampleSize() / slots;
  }

  /** Some of the decisions, in the order given. */
  public SlateRounds select(int[] decisions) {
    double[] someValues = new double[decisions.length];
    boolean[] someUnsupported = new boolean[decisions.length];
    Arrays.setAll(someValues, i -> values[decisions[i]]);
    for (int i = 0; i < decisions.length; i++) {
      someUnsupported[i] = unsupported[decisions[i]];
    }
    return new SlateRounds(
        slots, LoggedRounds.selectRows(weights, slots, decisions), someValues, someUnsupported);
  }
}
