package io.sextant;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request.
 *
 * <p>Thread safety: immutable.
 *
 * @param modelVersion which bundle made the list
 * @param decisionId by which outcomes name this answer; null if it was not logged
 * @param items best first, or as {@link Diversity} orders them; fewer than k where fewer are
 *     eligible
 */
public record Recommendations(
    String modelVersion, @Nullable String decisionId, List<RecommendedItem> items) {

  public Recommendations {
    items = List.copyOf(items);
  }

  /** The items' ids in order. */
  public List<String> itemIds() {
    return items.stream().map(RecommendedItem::itemId).toList();
  }
}
