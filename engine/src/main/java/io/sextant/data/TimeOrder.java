package io.sextant.data;

/** Stable sorting of row numbers by the time of the row, within each user. */
final class TimeOrder {

  private static final int INSERTION = 24;

  private TimeOrder() {}

  /** Orders {@code rows[offsets[u] .. offsets[u+1])} by {@code time[row]}, for every u. */
  static void sort(int[] rows, int[] offsets, long[] time) {
    int[] spare = null;
    for (int u = 0; u + 1 < offsets.length; u++) {
      int from = offsets[u];
      int to = offsets[u + 1];
      if (isSorted(rows, from, to, time)) {
        continue;
      }
      if (to - from > INSERTION && (spare == null || spare.length < to - from)) {
        spare = new int[to - from];
      }
      sort(rows, from, to, time, spare == null ? rows : spare);
    }
  }

  private static boolean isSorted(int[] rows, int from, int to, long[] time) {
    for (int i = from + 1; i < to; i++) {
      if (time[rows[i - 1]] > time[rows[i]]) {
        return false;
      }
    }
    return true;
  }

  // A merge sort: the JDK sorts ints by a foreign key neither stably nor without boxing.
  private static void sort(int[] rows, int from, int to, long[] time, int[] spare) {
    if (to - from <= INSERTION) {
      for (int i = from + 1; i < to; i++) {
        int row = rows[i];
        int j = i - 1;
        while (j >= from && time[rows[j]] > time[row]) {
          rows[j + 1] = rows[j];
          j--;
        }
        rows[j + 1] = row;
      }
      return;
    }
    int middle = (from + to) >>> 1;
    sort(rows, from, middle, time, spare);
    sort(rows, middle, to, time, spare);
    int left = middle - from;
    System.arraycopy(rows, from, spare, 0, left);
    int i = 0;
    int j = middle;
    int out = from;
    while (i < left) {
      if (j < to && time[rows[j]] < time[spare[i]]) {
        rows[out++] = rows[j++];
      } else {
        rows[out++] = spare[i++];
      }
    }
  }
}
