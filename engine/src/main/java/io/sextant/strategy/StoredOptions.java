package io.sextant.strategy;

import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;

/** Reads the configuration of a stored strategy and says which strategy it is if it is damaged. */
final class StoredOptions {

  private StoredOptions() {}

  static <T> T read(Gson gson, StoredStrategy stored, Class<T> type) {
    try {
      T options = gson.fromJson(stored.configJson(), type);
      require(options != null, stored, "its configuration is empty");
      return options;
    } catch (InvalidInputException e) {
      throw e;
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws into a plain RuntimeException.
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new InvalidInputException(message(stored, String.valueOf(cause.getMessage())), e);
    }
  }

  /** Refuses the strategy unless this holds. */
  static void require(boolean holds, StoredStrategy stored, String what) {
    if (!holds) {
      throw new InvalidInputException(message(stored, what));
    }
  }

  private static String message(StoredStrategy stored, String what) {
    return "strategy '%s' cannot be restored: %s".formatted(stored.name(), what);
  }
}
