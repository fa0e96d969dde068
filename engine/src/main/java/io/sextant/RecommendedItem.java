package io.sextant;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One item of a list.
 *
 * <p>Thread safety: immutable.
 *
 * @param itemId its id
 * @param score by which it was ranked; comparable within one list only
 * @param parts what each strategy, and the policy itself, adds to the score: they sum to it. Empty
 *     unless asked for
 */
public record RecommendedItem(String itemId, float score, Map<String, Float> parts) {

  public RecommendedItem {
    // Keeps the order of the strategies, as Map.copyOf does not.
    parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
  }
}
