package io.sextant.retrieve;

import org.jspecify.annotations.Nullable;

/**
 * Which items must not appear in which list: usually those that the user has seen.
 *
 * <p>Thread safety: {@link #of} is called by one thread, once for each list, before a search
 * begins.
 */
@FunctionalInterface
public interface ExcludedItems {

  /** Every item may appear in every list. */
  ExcludedItems NONE = list -> Empty.ITEMS;

  /**
   * The excluded items of one list.
   *
   * @param list index of the list in the batch, 0 to B - 1
   * @return dense item indices, ascending; those outside the catalogue are ignored. The array is
   *     read while the search runs and never written; it may be shared between lists.
   */
  int[] of(int list);

  /**
   * Items that are excluded from one list beside those of {@link #of}: the better form where they
   * are many, or many lists share them.
   *
   * @param list index of the list in the batch, 0 to B - 1
   * @return bit {@code item % 64} of word {@code item / 64} is 1 for an excluded item; missing
   *     words are 0. Null for none. The array is read while the search runs and never written.
   */
  default long @Nullable [] mask(int list) {
    return null;
  }

  /** The given items, row by row. */
  static ExcludedItems of(int[][] rows) {
    return list -> rows[list];
  }

  /** Holds the array that all empty rows share. */
  final class Empty {
    private static final int[] ITEMS = {};

    private Empty() {}
  }
}
