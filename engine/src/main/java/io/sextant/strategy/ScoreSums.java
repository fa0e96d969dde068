package io.sextant.strategy;

import java.util.Arrays;

/**
 * Sums of scores over a catalogue of which most items stay untouched. Adding costs O(1), emptying
 * as much as there was added; memory is 8 bytes an item at most.
 *
 * <p>Thread safety: none, one for each thread.
 */
public final class ScoreSums {

  /** While there are at most so many words for a touched item, a pass is quicker than a sort. */
  private static final int WORDS_PER_ITEM = 16;

  private final float[] sums;
  private final long[] touched;
  private int[] items = new int[256];
  private int size;

  /** Empty sums over so many items. */
  public ScoreSums(int numItems) {
    sums = new float[numItems];
    touched = new long[(numItems + Long.SIZE - 1) / Long.SIZE];
  }

  /** How many items there are in the catalogue, I. */
  public int numItems() {
    return sums.length;
  }

  /** How many items were touched since the sums were empty. */
  public int size() {
    return size;
  }

  /** Adds to one item's sum. */
  public void add(int item, float value) {
    if ((touched[item >>> 6] & (1L << item)) == 0) {
      touch(item);
    }
    sums[item] += value;
  }

  /** Adds {@code factor * values[at]} to {@code items[at]}'s sum for each at in [from, to). */
  public void addAll(int[] neighbours, float[] values, int from, int to, float factor) {
    for (int at = from; at < to; at++) {
      int item = neighbours[at];
      if ((touched[item >>> 6] & (1L << item)) == 0) {
        touch(item);
      }
      sums[item] += factor * values[at];
    }
  }

  /** The sum of an item, 0 where nothing was added. */
  public float get(int item) {
    return sums[item];
  }

  /** Empties the sums. */
  public void clear() {
    for (int i = 0; i < size; i++) {
      sums[items[i]] = 0;
      touched[items[i] >>> 6] = 0;
    }
    size = 0;
  }

  /** The touched items, ascending. */
  public int[] sortedItems() {
    if ((long) WORDS_PER_ITEM * size < touched.length) {
      int[] sorted = Arrays.copyOf(items, size);
      Arrays.sort(sorted);
      return sorted;
    }
    int[] sorted = new int[size];
    int n = 0;
    for (int word = 0; word < touched.length; word++) {
      for (long bits = touched[word]; bits != 0; bits &= bits - 1) {
        sorted[n++] = (word << 6) + Long.numberOfTrailingZeros(bits);
      }
    }
    return sorted;
  }

  private void touch(int item) {
    if (size == items.length) {
      items = Arrays.copyOf(items, Math.min(sums.length, 2 * size));
    }
    items[size++] = item;
    touched[item >>> 6] |= 1L << item;
  }
}
