package io.sextant.strategy;

import io.sextant.train.TrainingOptions;

/**
 * A strategy that is trained by gradient steps, so that a policy can weigh what it learns from, or
 * set its step sizes, while it trains.
 *
 * <p>Thread safety: as {@link Strategy}.
 */
public sealed interface GradientTrained extends Strategy
    permits TwoTowerStrategy, SequenceStrategy {

  /** How it is trained. */
  TrainingOptions training();

  /** The same with other training options. */
  GradientTrained withTraining(TrainingOptions options);
}
