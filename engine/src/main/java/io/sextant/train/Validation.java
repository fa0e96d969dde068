package io.sextant.train;

import java.util.Map;

/** Judges a model after each epoch on data that it does not learn from. */
public interface Validation {

  /**
   * Metrics by name. The one named by {@link #objective()} is among them.
   *
   * <p>Called on the training thread, with gradients off.
   */
  Map<String, Double> evaluate();

  /** The metric by which epochs are compared. */
  String objective();

  /** Whether a larger value of the objective is better. */
  default boolean higherIsBetter() {
    return true;
  }
}
