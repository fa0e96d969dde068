package io.sextant;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An item that came after training. Until a bundle knows it, it scores like items that are like it.
 *
 * <p>Thread safety: immutable.
 *
 * @param itemId its id
 * @param attributes its values by attribute
 * @param like ids of items that it is like; empty to find them by attributes
 */
public record NewItem(String itemId, Map<String, Set<String>> attributes, List<String> like) {

  public NewItem {
    if (itemId.isEmpty()) {
      throw new InvalidInputException("a new item needs an id");
    }
    Map<String, Set<String>> copy = new LinkedHashMap<>();
    attributes.forEach((name, values) -> copy.put(name, Set.copyOf(values)));
    attributes = Collections.unmodifiableMap(copy);
    like = List.copyOf(like);
  }

  /** An item that is like those with the same attributes. */
  public static NewItem of(String itemId, Map<String, Set<String>> attributes) {
    return new NewItem(itemId, attributes, List.of());
  }
}
