package io.sextant.strategy;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.store.StoredTensors;
import java.util.function.BiFunction;

/** Restores a strategy from a bundle, with errors that name it. */
final class Restored {

  private static final Gson GSON = new Gson();

  private Restored() {}

  /**
   * What {@code restore} makes of configuration and tensors.
   *
   * @param configType a record whose constructor refuses what is out of range
   * @throws InvalidInputException if the configuration cannot be read, or {@code restore} throws
   *     it: with the strategy's name
   */
  static <C, T> T from(
      StoredStrategy stored, Class<C> configType, BiFunction<C, StoredTensors, T> restore) {
    try {
      C config = GSON.fromJson(stored.configJson(), configType);
      if (config == null) {
        throw new InvalidInputException("its configuration is empty");
      }
      return restore.apply(config, stored.tensors());
    } catch (JsonParseException | InvalidInputException e) {
      throw failure(stored, e, e);
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws into a plain RuntimeException.
      throw failure(stored, e.getCause() == null ? e : e.getCause(), e);
    }
  }

  private static InvalidInputException failure(
      StoredStrategy stored, Throwable reason, RuntimeException cause) {
    return new InvalidInputException(
        "strategy '%s' cannot be restored: %s".formatted(stored.name(), reason.getMessage()),
        cause);
  }
}
