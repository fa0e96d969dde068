package io.sextant.strategy;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.function.BiFunction;

/** Loads fitted strategies from bundles. */
public final class Strategies {

  /** The engine's own, by type. */
  private static final Map<String, BiFunction<StoredStrategy, Device, FittedStrategy>> LOADERS =
      Map.ofEntries(
          Map.entry(Als.TYPE, inScope(FittedAls::load)),
          Map.entry(ContentVectors.TYPE, inScope(ContentVectors::load)),
          Map.entry(FewShotStrategy.TYPE, inScope(FittedFewShot::load)),
          Map.entry(FittedItemItem.TYPE, (stored, device) -> FittedItemItem.load(stored)),
          Map.entry(LowPass.TYPE, inScope(FittedLowPass::load)),
          Map.entry(Popularity.TYPE, inScope(Popularity::load)),
          Map.entry(SequenceStrategy.TYPE, inScope(FittedSequence::load)),
          Map.entry(TwoTowerStrategy.TYPE, inScope(FittedTwoTower::load)),
          Map.entry(UserNeighbours.TYPE, (stored, device) -> FittedUserNeighbours.load(stored)));

  private Strategies() {}

  /**
   * Loads a strategy onto a device. The caller closes it.
   *
   * @throws InvalidInputException if the type is unknown, or the tensors do not fit the
   *     configuration or the bundle's items
   */
  public static FittedStrategy load(StoredStrategy stored, Device device) {
    BiFunction<StoredStrategy, Device, FittedStrategy> own = LOADERS.get(stored.type());
    return TensorThreads.call(
        () ->
            checked(
                stored,
                own != null ? own.apply(stored, device) : foreign(stored).load(stored, device)));
  }

  /** Whatever type it is, the items that it scores are those of the bundle. */
  private static FittedStrategy checked(StoredStrategy stored, FittedStrategy loaded) {
    int numItems = loaded.numItems();
    if (numItems != stored.numItems()) {
      loaded.close();
      throw new InvalidInputException(
          "strategy '%s' scores %d items but the bundle has the ids of %d: save the model again"
              .formatted(stored.name(), numItems, stored.numItems()));
    }
    return loaded;
  }

  private static StrategyLoader foreign(StoredStrategy stored) {
    TreeSet<String> known = new TreeSet<>(LOADERS.keySet());
    for (StrategyLoader loader : ServiceLoader.load(StrategyLoader.class)) {
      if (loader.type().equals(stored.type())) {
        return loader;
      }
      known.add(loader.type());
    }
    throw new InvalidInputException(
        "strategy '%s' is of the unknown type '%s' (known: %s): this engine is older than the bundle, or the strategy's own jar is missing"
            .formatted(stored.name(), stored.type(), String.join(", ", known)));
  }

  /** A loader that owns a scope from the first tensor on. */
  private static BiFunction<StoredStrategy, Device, FittedStrategy> inScope(
      BiFunction<Scope, StoredStrategy, FittedStrategy> loader) {
    return (stored, device) -> {
      Scope scope = Scope.open(device);
      try {
        return loader.apply(scope, stored);
      } catch (RuntimeException | Error e) {
        scope.close();
        throw e;
      }
    };
  }
}
