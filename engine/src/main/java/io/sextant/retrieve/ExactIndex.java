package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.RankedLists;
import org.jspecify.annotations.Nullable;

/**
 * The items as they are, searched by {@link TopK}: nothing is prepared, nothing is copied and
 * nothing is missed.
 *
 * <p>Thread safety: safe.
 */
public final class ExactIndex implements ItemIndex {

  private final TopK topK;
  private final NDArray items;

  private ExactIndex(TopK topK, NDArray items) {
    this.topK = topK;
    this.items = items;
  }

  /** Builds indices that search with {@code topK}, which is lent. */
  public static IndexBuilder with(TopK topK) {
    return items -> new ExactIndex(topK, items.vectors());
  }

  @Override
  public int numItems() {
    return Math.toIntExact(items.getShape().get(0));
  }

  @Override
  public RankedLists search(
      NDArray queries, int k, ExcludedItems excluded, @Nullable SparseRows added) {
    return topK.search(queries, items, k, excluded, added);
  }

  @Override
  public void close() {
    // All is lent.
  }
}
