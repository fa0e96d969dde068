package io.sextant.strategy;

import ai.djl.Device;
import io.sextant.store.StoredStrategy;

/**
 * Restores what one type of strategy has learned from a bundle. Loaders of strategies that are not
 * the engine's own are found with {@link java.util.ServiceLoader}.
 *
 * <p>Thread safety: implementations must be safe.
 */
public interface StrategyLoader {

  /** The type that {@link FittedStrategy#type} gives and the bundle holds. */
  String type();

  /**
   * Restores a strategy, on a tensor thread.
   *
   * @throws io.sextant.InvalidInputException if configuration or tensors do not fit; then nothing
   *     native stays behind
   */
  FittedStrategy load(StoredStrategy stored, Device device);
}
