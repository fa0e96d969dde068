package io.sextant.models;

import java.util.List;
import java.util.Map;

/**
 * What tuning has tried of one strategy.
 *
 * <p>Thread safety: immutable.
 *
 * @param strategy its name
 * @param trials all, in the order in which they were made
 * @param standard the recipe's settings on all users
 * @param best the best settings on all users: the recipe's if nothing was better
 */
public record StrategyTuning(String strategy, List<Trial> trials, Trial standard, Trial best) {

  public StrategyTuning {
    trials = List.copyOf(trials);
  }

  /** What all trials cost. */
  public double seconds() {
    return trials.stream().mapToDouble(Trial::seconds).sum();
  }

  /** What to change in the recipe, by option. */
  public Map<String, Number> changes() {
    return best.settings();
  }
}
