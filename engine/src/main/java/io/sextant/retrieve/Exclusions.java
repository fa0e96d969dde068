package io.sextant.retrieve;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What must not appear in each list of a search, asked for once before it begins.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param rows for each list its excluded items, ascending
 * @param masks for each list a bit for each item that is excluded, too; null for none
 */
record Exclusions(int[][] rows, long[] @Nullable [] masks) {

  /** Rows without masks. */
  static Exclusions of(int[][] rows) {
    return new Exclusions(rows, new long[rows.length][]);
  }

  /**
   * Asks for what is excluded.
   *
   * @throws InvalidInputException if the items of a list are not ascending
   */
  static Exclusions of(ExcludedItems excluded, int numLists) {
    int[][] rows = new int[numLists][];
    long[][] masks = new long[numLists][];
    for (int list = 0; list < numLists; list++) {
      rows[list] = requireAscending(excluded.of(list), list);
      masks[list] = excluded.mask(list);
    }
    return new Exclusions(rows, masks);
  }

  /** What must not appear in some of the lists. */
  Exclusions rows(int[] lists) {
    int[][] someRows = new int[lists.length][];
    long[][] someMasks = new long[lists.length][];
    for (int i = 0; i < lists.length; i++) {
      someRows[i] = rows[lists[i]];
      someMasks[i] = masks[lists[i]];
    }
    return new Exclusions(someRows, someMasks);
  }

  /** What must not appear of the items [first, end), counted from the first on. */
  Exclusions part(int first, int end) {
    int[][] someRows = new int[rows.length][];
    long[][] someMasks = new long[rows.length][];
    // Lists that share a mask go on sharing it.
    Map<long[], long[]> cut = new IdentityHashMap<>();
    for (int list = 0; list < rows.length; list++) {
      int[] row = rows[list];
      int[] some = Arrays.copyOfRange(row, insertionPoint(row, first), insertionPoint(row, end));
      for (int i = 0; i < some.length; i++) {
        some[i] -= first;
      }
      someRows[list] = some;
      long[] mask = masks[list];
      if (mask != null) {
        someMasks[list] = cut.computeIfAbsent(mask, whole -> bits(whole, first, end));
      }
    }
    return new Exclusions(someRows, someMasks);
  }

  /** Bits [first, end), and perhaps some more. */
  private static long[] bits(long[] mask, int first, int end) {
    long[] some = new long[(end - first + Long.SIZE - 1) / Long.SIZE];
    int shift = first % Long.SIZE;
    for (int i = 0; i < some.length; i++) {
      int word = first / Long.SIZE + i;
      long low = word < mask.length ? mask[word] >>> shift : 0;
      long high = shift > 0 && word + 1 < mask.length ? mask[word + 1] << (Long.SIZE - shift) : 0;
      some[i] = low | high;
    }
    return some;
  }

  /** Whether a list has a mask. */
  boolean hasMasks() {
    for (long[] mask : masks) {
      if (mask != null) {
        return true;
      }
    }
    return false;
  }

  /** Whether an item must not appear in a list. */
  boolean contains(int list, int item) {
    return isMasked(masks[list], item) || Arrays.binarySearch(rows[list], item) >= 0;
  }

  /** How many of n items from the first on are excluded from the list, or a few more. */
  int atMost(int list, int first, int n) {
    int[] items = rows[list];
    int count = insertionPoint(items, first + n) - insertionPoint(items, first);
    long[] mask = masks[list];
    if (mask != null) {
      int end = Math.min(mask.length, (first + n + Long.SIZE - 1) / Long.SIZE);
      for (int word = first / Long.SIZE; word < end; word++) {
        count += Long.bitCount(mask[word]);
      }
    }
    return count;
  }

  /** How many items of a catalogue are excluded from the list. */
  int count(int list, int numItems) {
    int count = 0;
    int last = -1;
    long[] mask = masks[list];
    for (int item : rows[list]) {
      if (item > last && item < numItems) {
        count += isMasked(mask, item) ? 0 : 1;
        last = item;
      }
    }
    if (mask != null) {
      int words = numItems / Long.SIZE;
      for (int word = 0; word < Math.min(mask.length, words); word++) {
        count += Long.bitCount(mask[word]);
      }
      if (words < mask.length && numItems % Long.SIZE != 0) {
        count += Long.bitCount(mask[words] & ((1L << numItems) - 1));
      }
    }
    return count;
  }

  /** The excluded items in [first, end), ascending or not, some perhaps twice. */
  int[] between(int list, int first, int end) {
    int[] items = rows[list];
    int from = insertionPoint(items, first);
    int[] found = Arrays.copyOfRange(items, from, insertionPoint(items, end));
    long[] mask = masks[list];
    if (mask == null) {
      return found;
    }
    int n = found.length;
    found = Arrays.copyOf(found, n + atMost(list, first, end - first));
    for (int word = first / Long.SIZE; word * Long.SIZE < end && word < mask.length; word++) {
      for (long bits = mask[word]; bits != 0; bits &= bits - 1) {
        int item = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        if (item >= first && item < end) {
          found[n++] = item;
        }
      }
    }
    return Arrays.copyOf(found, n);
  }

  /** Marks the items below n that are excluded from the list. */
  void markIn(int list, int n, ItemGraph.Marks marks) {
    int[] items = rows[list];
    for (int i = insertionPoint(items, 0); i < items.length && items[i] < n; i++) {
      marks.set(items[i]);
    }
    long[] mask = masks[list];
    for (int word = 0; mask != null && word < mask.length && word <= n / Long.SIZE; word++) {
      marks.setAll(word, mask[word]);
    }
  }

  private static boolean isMasked(long @Nullable [] mask, int item) {
    return mask != null
        && item / Long.SIZE < mask.length
        && (mask[item / Long.SIZE] & (1L << item)) != 0;
  }

  static int insertionPoint(int[] ascending, int item) {
    int index = Arrays.binarySearch(ascending, item);
    return index < 0 ? -index - 1 : index;
  }

  private static int[] requireAscending(int[] items, int list) {
    for (int i = 1; i < items.length; i++) {
      if (items[i] < items[i - 1]) {
        throw new InvalidInputException(
            "the excluded items of list %d must be ascending but item %d follows %d"
                .formatted(list, items[i], items[i - 1]));
      }
    }
    return items;
  }
}
