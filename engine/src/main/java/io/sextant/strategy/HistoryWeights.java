package io.sextant.strategy;

import io.sextant.InvalidInputException;

/**
 * How much each item of a user's history counts: {@code decay^(steps back) / n^power}, n the length
 * of what is looked at.
 *
 * @param decay of an item with each step back from the latest one, in (0, 1]; 1 for histories
 *     without order
 * @param power of the history's length by which the score is divided, in [0, 1]; it changes no
 *     order of one user's items
 * @param maxLength only so many of the latest items are looked at
 */
public record HistoryWeights(double decay, double power, int maxLength) {

  /** All items alike. */
  public static final HistoryWeights EQUAL = new HistoryWeights(1, 0, Integer.MAX_VALUE);

  /** The latest items count most, .6 with each step back: for histories that are in order. */
  public static final HistoryWeights RECENT = new HistoryWeights(0.6, 0, Integer.MAX_VALUE);

  /** Below this an item's weight is not worth the work. */
  private static final double NEGLIGIBLE = 1e-6;

  public HistoryWeights {
    check(decay > 0 && decay <= 1, "decay must be in (0, 1] but was " + decay);
    check(power >= 0 && power <= 1, "power must be in [0, 1] but was " + power);
    check(maxLength > 0, "maxLength must be > 0 but was " + maxLength);
  }

  /** The same with another decay. */
  public HistoryWeights withDecay(double decay) {
    return new HistoryWeights(decay, power, maxLength);
  }

  /** The weights of the latest items of a history of so many, latest first. */
  float[] latestFirst(int historyLength) {
    int n = Math.min(historyLength, maxLength);
    if (decay < 1) {
      n = Math.min(n, 1 + (int) (Math.log(NEGLIGIBLE) / Math.log(decay)));
    }
    float[] weights = new float[n];
    double weight = n == 0 ? 0 : Math.pow(n, -power);
    for (int back = 0; back < n; back++) {
      weights[back] = (float) weight;
      weight *= decay;
    }
    return weights;
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }
}
