package io.sextant.retrieve;

/**
 * Prepares items for searching: the choice between the exact index and those that are smaller or
 * faster.
 *
 * <p>Thread safety: safe.
 */
@FunctionalInterface
public interface IndexBuilder {

  /**
   * Builds an index. The items are lent: they stay open and, but for those that may change, as they
   * are until the index is closed.
   */
  ItemIndex build(IndexedItems items);
}
