package io.sextant.train;

import io.sextant.data.Interactions;
import java.util.Arrays;

/**
 * The distinct items of every user, ascending, in one array.
 *
 * <p>Thread safety: immutable.
 */
final class SeenItems {

  private final int[] offsets;
  private final int[] items;

  SeenItems(Interactions interactions) {
    int users = interactions.numUsers();
    offsets = new int[users + 1];
    int[] flat = new int[interactions.size()];
    int size = 0;
    for (int user = 0; user < users; user++) {
      int[] seen = interactions.seenOf(user);
      System.arraycopy(seen, 0, flat, size, seen.length);
      size += seen.length;
      offsets[user + 1] = size;
    }
    items = Arrays.copyOf(flat, size);
  }

  /** Whether the item is among those from {@code start} to {@code end} of one user. */
  boolean contains(int start, int end, int item) {
    return start < end && Arrays.binarySearch(items, start, end, item) >= 0;
  }

  int start(int user) {
    return offsets[user];
  }

  int end(int user) {
    return offsets[user + 1];
  }

  int itemAt(int position) {
    return items[position];
  }
}
