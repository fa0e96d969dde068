package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import org.jspecify.annotations.Nullable;

/**
 * The items of a catalogue, prepared for finding those with the greatest inner product with a
 * query. Made by an {@link IndexBuilder}.
 *
 * <p>Thread safety: safe; {@link #close} after all searches have returned.
 */
public interface ItemIndex extends AutoCloseable {

  /** How many items there are, I, with those that may still change. */
  int numItems();

  /** {@link #search(NDArray, int, ExcludedItems, SparseRows)} without a sparse score. */
  default RankedLists search(NDArray queries, int k, ExcludedItems excluded) {
    return search(queries, k, excluded, null);
  }

  /**
   * Searches by the inner product plus a sparse score. Of equal scores the lower item is the
   * better.
   *
   * @param queries (B, D) float32 on the device of the items; lent
   * @param k how long the lists are to be; where fewer items are eligible they are shorter
   * @param excluded what must not appear in which list
   * @param added a row for each query; null for none
   * @return B lists with room for k; of an approximate index they may lack some of the best items,
   *     and hold none that is excluded
   * @throws InvalidInputException as {@link TopK#search(NDArray, NDArray, int, ExcludedItems,
   *     SparseRows)}
   */
  RankedLists search(NDArray queries, int k, ExcludedItems excluded, @Nullable SparseRows added);

  /** Frees what was prepared, not the items. */
  @Override
  void close();
}
