package io.sextant.train;

import java.util.Map;

/** Hears how training goes. Called on the training thread; an exception stops the training. */
public interface TrainingListener {

  /** Hears nothing. */
  TrainingListener NONE = new TrainingListener() {};

  /**
   * Called after every step.
   *
   * @param progress where training stands
   */
  default void onStep(TrainingProgress progress) {}

  /**
   * Called after every epoch.
   *
   * @param epoch from 0
   * @param meanLoss of the epoch
   * @param validation metric by name; empty if there is no validation
   * @param best whether this is the best epoch so far
   */
  default void onEpoch(int epoch, double meanLoss, Map<String, Double> validation, boolean best) {}

  /**
   * Called when something was done otherwise than the settings let one expect, such as a model that
   * covers only a part of the catalogue.
   *
   * @param notice a sentence for people
   */
  default void onNotice(String notice) {}

  /** Called when a checkpoint is safely on the disk. */
  default void onCheckpoint(TrainingProgress progress) {}
}
