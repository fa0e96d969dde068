package io.sextant.models;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One try of a strategy's settings.
 *
 * <p>Thread safety: immutable.
 *
 * @param strategy its name
 * @param settings by option; empty for those of the recipe
 * @param users how many users it learned from
 * @param value of the metric on validation data; NaN if it failed
 * @param seconds what it cost
 * @param failure why it could not be fitted; null if it could
 */
public record Trial(
    String strategy,
    Map<String, Number> settings,
    int users,
    double value,
    double seconds,
    @Nullable String failure) {

  public Trial {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  /** Whether this is the recipe as it stands. */
  public boolean asInRecipe() {
    return settings.isEmpty();
  }
}
