package io.sextant.strategy;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;

/** Loads fitted strategies from bundles. */
public final class Strategies {

  private Strategies() {}

  /**
   * Loads a strategy onto a device. The caller closes it.
   *
   * @throws InvalidInputException if the type is unknown or the tensors do not fit the
   *     configuration
   */
  public static FittedStrategy load(StoredStrategy stored, Device device) {
    return TensorThreads.call(
        () -> {
          Scope scope = Scope.open(device);
          try {
            return switch (stored.type()) {
              case Popularity.TYPE -> Popularity.load(scope, stored);
              case TwoTowerStrategy.TYPE -> FittedTwoTower.load(scope, stored);
              default ->
                  throw new InvalidInputException(
                      "strategy '%s' is of the unknown type '%s': this engine is older than the bundle"
                          .formatted(stored.name(), stored.type()));
            };
          } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
          }
        });
  }
}
