package io.sextant;

import java.util.List;

/**
 * The answer to a request.
 *
 * <p>Thread safety: immutable.
 *
 * @param modelVersion which bundle made the list
 * @param items best first, or as {@link Diversity} orders them; fewer than k where fewer are
 *     eligible
 */
public record Recommendations(String modelVersion, List<RecommendedItem> items) {

  public Recommendations {
    items = List.copyOf(items);
  }

  /** The items' ids in order. */
  public List<String> itemIds() {
    return items.stream().map(RecommendedItem::itemId).toList();
  }
}
