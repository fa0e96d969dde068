package io.sextant.retrieve;

import java.nio.IntBuffer;

/**
 * Offers a row of scores to a list, in ascending order of items chunk by chunk, at a cost near that
 * of reading the scores.
 *
 * <p>Design. Nearly every score fails the list's threshold, so the test is done for {@value #LANES}
 * interleaved lanes at once in integer arithmetic that the compiler turns into vector instructions:
 * a lane's sign bit is set where one of its {@value #DEPTH} scores may pass. Halving the keys keeps
 * the difference from overflowing and lets through a few scores too many; the offer decides
 * exactly.
 *
 * <p>Thread safety: none, one for each thread.
 */
final class TileScan {

  static final int LANES = 128;
  static final int DEPTH = 16;
  static final int CHUNK = LANES * DEPTH;

  /** A NaN with the least of all keys. */
  private static final int PADDING = -1;

  private final int[] chunk = new int[CHUNK];
  private final int[] lanes = new int[LANES];

  /**
   * Scans one row.
   *
   * @param bits the bits of the scores
   * @param from where the row begins
   * @param length how many scores it has
   * @param firstItem the item of its first score
   */
  void scan(IntBuffer bits, int from, int length, Candidates candidates, int list, int firstItem) {
    for (int start = 0; start < length; start += CHUNK) {
      int n = Math.min(CHUNK, length - start);
      bits.get(from + start, chunk, 0, n);
      if (n < CHUNK) {
        java.util.Arrays.fill(chunk, n, CHUNK, PADDING);
      }
      int before = candidates.threshold(list);
      if (before >= 0) {
        testAboveZero(chunk, lanes, (before >> 1) - 1);
      } else {
        test(chunk, lanes, (before >> 1) - 1);
      }
      for (int lane = 0; lane < LANES; lane++) {
        if (lanes[lane] < 0) {
          for (int i = lane; i < n; i += LANES) {
            candidates.offer(list, firstItem + start + i, chunk[i], before);
          }
        }
      }
    }
  }

  /** For a threshold at or above zero the bits of a float are its key, as far as they matter. */
  private static void testAboveZero(int[] a, int[] out, int t) {
    for (int j = 0; j < LANES; j++) {
      out[j] =
          (t - (a[j] >> 1))
              | (t - (a[j + LANES] >> 1))
              | (t - (a[j + 2 * LANES] >> 1))
              | (t - (a[j + 3 * LANES] >> 1))
              | (t - (a[j + 4 * LANES] >> 1))
              | (t - (a[j + 5 * LANES] >> 1))
              | (t - (a[j + 6 * LANES] >> 1))
              | (t - (a[j + 7 * LANES] >> 1))
              | (t - (a[j + 8 * LANES] >> 1))
              | (t - (a[j + 9 * LANES] >> 1))
              | (t - (a[j + 10 * LANES] >> 1))
              | (t - (a[j + 11 * LANES] >> 1))
              | (t - (a[j + 12 * LANES] >> 1))
              | (t - (a[j + 13 * LANES] >> 1))
              | (t - (a[j + 14 * LANES] >> 1))
              | (t - (a[j + 15 * LANES] >> 1));
    }
  }

  private static void test(int[] a, int[] out, int t) {
    for (int j = 0; j < LANES; j++) {
      int any = 0;
      for (int i = j; i < CHUNK; i += LANES) {
        any |= t - (Candidates.keyOfBits(a[i]) >> 1);
      }
      out[j] = any;
    }
  }
}
