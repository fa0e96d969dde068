package io.sextant;

import java.util.Arrays;

/**
 * Ranked lists for a batch of users, as a structure of arrays: B lists of at most K items, best
 * first; equal scores are ordered by ascending item index.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param k K, the room that each list has in the arrays
 * @param items (B * K) dense item indices, row after row; -1 behind a list's end
 * @param scores (B * K) the scores; negative infinity behind a list's end
 * @param lengths (B) how many items each list has: less than K where the catalogue ran out
 */
public record RankedLists(int k, int[] items, float[] scores, int[] lengths) {

  public RankedLists {
    if (k < 0 || items.length != (long) k * lengths.length || scores.length != items.length) {
      throw new InvalidInputException(
          "%d lists of %d need %d items and scores but had %d and %d"
              .formatted(
                  lengths.length, k, (long) k * lengths.length, items.length, scores.length));
    }
  }

  /** How many lists there are, B. */
  public int size() {
    return lengths.length;
  }

  /** The items of one list, best first, a copy without the padding. */
  public int[] itemsOf(int list) {
    return Arrays.copyOfRange(items, list * k, list * k + lengths[list]);
  }

  /** The scores of one list, best first, a copy without the padding. */
  public float[] scoresOf(int list) {
    return Arrays.copyOfRange(scores, list * k, list * k + lengths[list]);
  }
}
