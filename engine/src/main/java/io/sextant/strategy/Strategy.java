package io.sextant.strategy;

/**
 * A base strategy with its settings: what can be fitted to data. A service may bring its own; to
 * load what they have learned from a bundle it registers a {@link StrategyLoader}.
 *
 * <p>Thread safety: immutable; several fits may run at the same time.
 */
public interface Strategy {

  /** The name by which reports, bundles and explanations call it: unique in a pool. */
  String name();

  /** The same with another seed of its random draws; the same strategy if it draws nothing. */
  default Strategy withSeed(long seed) {
    return this;
  }

  /**
   * Whether validation data decide what is learned, as where they stop a training. Such data must
   * not be among those to learn from; a strategy that does not look at them may learn from all.
   */
  default boolean usesValidation() {
    return false;
  }

  /** Which options are worth tuning on validation data; none unless a strategy says so. */
  default SearchSpace searchSpace() {
    return SearchSpace.NONE;
  }

  /**
   * Learns from {@code context.train()}; validation data, if there are any, only stop the training.
   *
   * @throws io.sextant.InvalidInputException if the data do not suffice for the settings
   */
  FittedStrategy fit(FitContext context);
}
