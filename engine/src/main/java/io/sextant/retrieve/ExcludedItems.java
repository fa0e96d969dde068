package io.sextant.retrieve;

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
