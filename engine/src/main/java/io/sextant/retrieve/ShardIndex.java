package io.sextant.retrieve;

import io.sextant.RankedLists;

/** One part of the items of a {@link ShardedIndex}, on its device. Used by one thread at a time. */
interface ShardIndex extends AutoCloseable {

  /**
   * Searches the part.
   *
   * @param asked of which the items are those of the part, where they were before
   * @return lists that may be short where scores are NaN
   */
  RankedLists search(Search asked);

  @Override
  void close();
}
