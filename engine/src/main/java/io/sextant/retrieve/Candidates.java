package io.sextant.retrieve;

import java.util.Arrays;

/**
 * For each of a block of lists, the best items so far.
 *
 * <p>Design. A score and its item are one long that orders candidates completely: the score's bits,
 * mapped so that they compare as integers, above the complement of the item, so that of equal
 * scores the lower item is the greater. A list appends to a buffer with room for about 2 k; when
 * that is full, quickselect keeps the k best and the k-th becomes the list's threshold, which
 * almost every later score fails. Appending is amortised O(1), and no heap is sifted.
 *
 * <p>Thread safety: different threads may use different lists at the same time.
 */
final class Candidates {

  /** The threshold of a list that takes everything: below the key of every number. */
  static final int NO_THRESHOLD = Integer.MIN_VALUE;

  static final int KEY_OF_INFINITY = keyOfBits(0x7f800000);
  private static final int KEY_OF_MINUS_INFINITY = keyOfBits(0xff800000);

  private final int k;
  private final int capacity;
  private final Exclusions excluded;
  private final int firstList;
  private final long[] buffer;
  private final int[] sizes;
  private final int[] thresholds;

  /**
   * Starts empty.
   *
   * @param excluded from each list of the search
   * @param firstList the list of the search that is list 0 here
   * @param lists how many lists there are here
   * @param k how many items each is to keep, at most the size of the catalogue
   */
  Candidates(Exclusions excluded, int firstList, int lists, int k, int numItems) {
    this.k = k;
    this.capacity = capacity(k, numItems);
    this.excluded = excluded;
    this.firstList = firstList;
    this.buffer = new long[Math.multiplyExact(lists, capacity)];
    this.sizes = new int[lists];
    this.thresholds = new int[lists];
    Arrays.fill(thresholds, NO_THRESHOLD);
  }

  /** How many longs each list needs. */
  static int capacity(int k, int numItems) {
    return (int) Math.min(numItems, Math.max(2L * k, k + 64L));
  }

  /** Integers that compare like the floats with these bits; NaNs lie outside the infinities. */
  static int keyOfBits(int bits) {
    return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
  }

  /** A long that is the greater the better the score and, of equal scores, the lower the item. */
  static long ordered(float score, int item) {
    // -0.0 + 0.0 is 0.0: they are equal scores.
    return pack(keyOfBits(Float.floatToRawIntBits(score + 0f)), item);
  }

  private static long pack(int key, int item) {
    return (long) key << 32 | (~item & 0xffffffffL);
  }

  static int item(long ordered) {
    return ~(int) ordered;
  }

  static float score(long ordered) {
    return Float.intBitsToFloat(keyOfBits((int) (ordered >> 32)));
  }

  /** The key of the k-th best score of the list so far, or a lower one. */
  int threshold(int list) {
    return thresholds[list];
  }

  /** How many items each list is to keep. */
  int keep() {
    return k;
  }

  /** How many items of the list are kept so far. */
  int size(int list) {
    return sizes[list];
  }

  /** How many of n items from the first on are excluded from the list, or a few more. */
  int numExcluded(int list, int first, int n) {
    return excluded.atMost(firstList + list, first, n);
  }

  /** Raises the threshold to a key that k eligible items, now or soon in the list, reach. */
  void raise(int list, int key) {
    thresholds[list] = Math.max(thresholds[list], key);
  }

  /**
   * Takes the item into the list, unless it is excluded, its score is NaN or there are k better
   * ones.
   *
   * @param before the threshold when all items so far had lower indices than this one: an equal
   *     score loses against it
   */
  void offer(int list, int item, int scoreBits, int before) {
    // -0.0 is 0.0: they are equal scores.
    int key = scoreBits == Integer.MIN_VALUE ? 0 : keyOfBits(scoreBits);
    if (key <= before
        || key < thresholds[list]
        || key > KEY_OF_INFINITY
        || key < KEY_OF_MINUS_INFINITY
        || excluded.contains(firstList + list, item)) {
      return;
    }
    append(list, pack(key, item));
  }

  private void append(int list, long candidate) {
    int base = list * capacity;
    buffer[base + sizes[list]++] = candidate;
    if (sizes[list] == capacity && capacity > k) {
      selectGreatest(buffer, base, base + capacity, k);
      sizes[list] = k;
      long least = buffer[base];
      for (int i = 1; i < k; i++) {
        least = Math.min(least, buffer[base + i]);
      }
      raise(list, (int) (least >> 32));
    }
  }

  /** Takes all that others have found for the same lists, among other items. */
  void offerAll(Candidates others) {
    for (int list = 0; list < sizes.length; list++) {
      int base = list * others.capacity;
      for (int i = base; i < base + others.sizes[list]; i++) {
        append(list, others.buffer[i]);
      }
    }
  }

  /** Writes the list, best first, and returns its length. */
  int write(int list, int[] items, float[] scores, int at) {
    int base = list * capacity;
    int size = sizes[list];
    Arrays.sort(buffer, base, base + size);
    int length = Math.min(k, size);
    for (int i = 0; i < length; i++) {
      long candidate = buffer[base + size - 1 - i];
      items[at + i] = item(candidate);
      scores[at + i] = score(candidate);
    }
    return length;
  }

  /** Reorders [from, to) so that its k greatest values, all distinct, come first. */
  static void selectGreatest(long[] values, int from, int to, int k) {
    int end = from + k;
    int lo = from;
    int hi = to - 1;
    int budget = 64;
    while (lo < hi) {
      if (--budget == 0) {
        // An unlucky order: a sort bounds the time.
        Arrays.sort(values, lo, hi + 1);
        for (int i = lo, j = hi; i < j; i++, j--) {
          swap(values, i, j);
        }
        return;
      }
      long pivot = median(values[lo], values[(lo + hi) >>> 1], values[hi]);
      int i = lo;
      int j = hi;
      while (i <= j) {
        while (values[i] > pivot) {
          i++;
        }
        while (values[j] < pivot) {
          j--;
        }
        if (i <= j) {
          swap(values, i++, j--);
        }
      }
      // Now [lo, j] >= pivot, [i, hi] <= pivot, and what lies between is the pivot.
      if (end <= j) {
        hi = j;
      } else if (end >= i + 1) {
        lo = i;
      } else {
        return;
      }
    }
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  private static void swap(long[] values, int i, int j) {
    long x = values[i];
    values[i] = values[j];
    values[j] = x;
  }
}
