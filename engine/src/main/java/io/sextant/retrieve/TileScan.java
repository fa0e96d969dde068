package io.sextant.retrieve;

import java.nio.IntBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Offers a row of scores to a list, in ascending order of items chunk by chunk, at a cost near that
 * of reading the scores.
 *
 * <p>Design. Nearly every score fails the list's threshold, so the test is done for interleaved
 * lanes at once, in integer arithmetic that the compiler turns into vector instructions: a lane's
 * sign bit is set where one of its scores may pass. Halving the keys keeps the difference from
 * overflowing and lets through a few scores too many; the offer decides exactly. The two steps (8
 * scores to a lane, then 4 lanes to a group) are short because the compiler of Java 17 gives up on
 * longer loop bodies.
 *
 * <p>Thread safety: none, one for each thread.
 */
final class TileScan {

  static final int CHUNK = 2048;
  private static final int LANES = CHUNK / 8;
  private static final int GROUPS = LANES / 4;

  /** A NaN with the least of all keys. */
  private static final int PADDING = -1;

  private final int[] chunk = new int[CHUNK];
  private final int[] keys = new int[CHUNK];
  private final int[] lanes = new int[LANES];
  private final int[] groups = new int[GROUPS];
  private final long[] greatestOfLane = new long[LANES];

  /**
   * Scans one row.
   *
   * @param bits the bits of the scores
   * @param from where the row begins
   * @param length how many scores it has
   * @param firstItem the item of its first score
   */
  void scan(IntBuffer bits, int from, int length, Candidates candidates, int list, int firstItem) {
    scan(bits, from, length, candidates, list, firstItem, null, 0);
  }

  /**
   * Scans one row to which a sparse row is added.
   *
   * @param added sparse rows; null for none
   * @param addedRow which of them
   */
  void scan(
      IntBuffer bits,
      int from,
      int length,
      Candidates candidates,
      int list,
      int firstItem,
      @Nullable SparseRows added,
      int addedRow) {
    for (int start = 0; start < length; start += CHUNK) {
      int n = Math.min(CHUNK, length - start);
      bits.get(from + start, chunk, 0, n);
      if (n < CHUNK) {
        Arrays.fill(chunk, n, CHUNK, PADDING);
      }
      if (added != null) {
        addTo(chunk, n, firstItem + start, added, addedRow);
      }
      int before = candidates.threshold(list);
      int limit = (before >> 1) - 1;
      classify(chunk, keys, lanes, groups, before, limit);
      if (before == Candidates.NO_THRESHOLD && n == CHUNK) {
        // The list is empty: without a first threshold it would take the whole chunk.
        int floor = floor(candidates.keep() + candidates.numExcluded(list, firstItem + start, n));
        candidates.raise(list, floor);
        limit = (floor >> 1) - 1;
        classify(chunk, keys, lanes, groups, -1, limit);
      }
      // For a threshold at or above zero the bits of a float are its key, as far as they matter.
      int[] tested = before < 0 ? keys : chunk;
      for (int group = 0; group < GROUPS; group++) {
        if (groups[group] < 0) {
          offerGroup(tested, limit, group, candidates, list, firstItem + start, n, before);
        }
      }
    }
  }

  /**
   * A key that at least so many scores of a sample of {@value #CHUNK} reach, or the least of all
   * keys. The sample lies in runs.
   *
   * @param from where the first run begins
   * @param run how long a run is
   * @param stride from run to run
   */
  int floorOfSample(IntBuffer bits, int from, int run, int stride, int reached) {
    for (int at = 0, start = from; at < CHUNK; at += run, start += stride) {
      bits.get(start, chunk, at, run);
    }
    classify(chunk, keys, lanes, groups, -1, 0);
    return floor(reached);
  }

  private static void addTo(int[] chunk, int n, int firstItem, SparseRows added, int row) {
    int end = added.starts()[row + 1];
    int[] items = added.items();
    float[] values = added.values();
    for (int at = added.firstFrom(row, firstItem); at < end && items[at] < firstItem + n; at++) {
      int i = items[at] - firstItem;
      chunk[i] = Float.floatToRawIntBits(Float.intBitsToFloat(chunk[i]) + values[at]);
    }
  }

  /**
   * A key that at least so many scores of the chunk reach: so many lanes have a greatest one that
   * does. The least of all keys where there are not that many lanes.
   */
  private int floor(int reached) {
    if (reached > LANES) {
      return Candidates.NO_THRESHOLD;
    }
    for (int lane = 0; lane < LANES; lane++) {
      int greatest = Candidates.NO_THRESHOLD;
      for (int i = lane; i < CHUNK; i += LANES) {
        if (keys[i] <= Candidates.KEY_OF_INFINITY) {
          greatest = Math.max(greatest, keys[i]);
        }
      }
      greatestOfLane[lane] = (long) greatest << 32 | lane;
    }
    Candidates.selectGreatest(greatestOfLane, 0, LANES, reached);
    long least = greatestOfLane[0];
    for (int lane = 1; lane < reached; lane++) {
      least = Math.min(least, greatestOfLane[lane]);
    }
    return (int) (least >> 32);
  }

  private void offerGroup(
      int[] tested,
      int limit,
      int group,
      Candidates candidates,
      int list,
      int firstItem,
      int n,
      int before) {
    for (int lane = group; lane < LANES; lane += GROUPS) {
      if (lanes[lane] < 0) {
        for (int i = lane; i < n; i += LANES) {
          if (limit - (tested[i] >> 1) < 0) {
            candidates.offer(list, firstItem + i, chunk[i], before);
          }
        }
      }
    }
  }

  /**
   * Sets the sign bits of lanes and groups. One method with both cases written out, because it must
   * stay too large to be inlined: inlined, the compiler of Java 17 makes no vectors of it.
   */
  private static void classify(
      int[] bits, int[] keys, int[] lanes, int[] groups, int before, int limit) {
    if (before < 0) {
      for (int i = 0; i < CHUNK; i++) {
        keys[i] = bits[i] ^ ((bits[i] >> 31) & Integer.MAX_VALUE);
      }
      for (int j = 0; j < LANES; j++) {
        lanes[j] =
            (limit - (keys[j] >> 1))
                | (limit - (keys[j + LANES] >> 1))
                | (limit - (keys[j + 2 * LANES] >> 1))
                | (limit - (keys[j + 3 * LANES] >> 1))
                | (limit - (keys[j + 4 * LANES] >> 1))
                | (limit - (keys[j + 5 * LANES] >> 1))
                | (limit - (keys[j + 6 * LANES] >> 1))
                | (limit - (keys[j + 7 * LANES] >> 1));
      }
    } else {
      for (int j = 0; j < LANES; j++) {
        lanes[j] =
            (limit - (bits[j] >> 1))
                | (limit - (bits[j + LANES] >> 1))
                | (limit - (bits[j + 2 * LANES] >> 1))
                | (limit - (bits[j + 3 * LANES] >> 1))
                | (limit - (bits[j + 4 * LANES] >> 1))
                | (limit - (bits[j + 5 * LANES] >> 1))
                | (limit - (bits[j + 6 * LANES] >> 1))
                | (limit - (bits[j + 7 * LANES] >> 1));
      }
    }
    for (int j = 0; j < GROUPS; j++) {
      groups[j] = lanes[j] | lanes[j + GROUPS] | lanes[j + 2 * GROUPS] | lanes[j + 3 * GROUPS];
    }
  }
}
