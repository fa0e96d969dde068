package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One search: its checked arguments and the arrays that it fills. */
final class Search {

  /** Selection state of a block of lists stays below this: 64 MiB. */
  private static final long MAX_BUFFER_LONGS = 8L << 20;

  final NDArray queries;
  final NDArray items;
  final int numLists;
  final int numItems;

  /** How many items a list can have at most: k, or all. */
  final int keep;

  final Exclusions excluded;
  final @Nullable SparseRows added;
  private final int k;
  private final int[] outItems;
  private final float[] outScores;
  private final int[] outLengths;

  Search(
      NDArray queries,
      NDArray items,
      int numLists,
      int numItems,
      int k,
      Exclusions excluded,
      @Nullable SparseRows added) {
    this.queries = queries;
    this.items = items;
    this.numLists = numLists;
    this.numItems = numItems;
    this.k = k;
    this.keep = Math.min(k, numItems);
    this.excluded = excluded;
    this.added = added;
    this.outItems = new int[numLists * k];
    this.outScores = new float[numLists * k];
    this.outLengths = new int[numLists];
    Arrays.fill(outItems, -1);
    Arrays.fill(outScores, Float.NEGATIVE_INFINITY);
  }

  /** How many lists can be worked on at once. */
  int listsPerBlock() {
    return (int)
        Math.max(1, Math.min(numLists, MAX_BUFFER_LONGS / Candidates.capacity(keep, numItems)));
  }

  Candidates candidates(int firstList, int lists) {
    return new Candidates(excluded, firstList, lists, keep, numItems);
  }

  /** Takes one finished list. */
  void finish(Candidates candidates, int firstList, int list) {
    int row = firstList + list;
    int length = candidates.write(list, outItems, outScores, row * k);
    outLengths[row] = length;
    int eligible = numItems - excluded.count(row, numItems);
    if (length < Math.min(keep, eligible)) {
      throw new InvalidInputException(
          ("list %d: only %d of %d eligible items have a score that is a number; the query or the"
                  + " item vectors hold NaN or infinite values: has the training diverged?")
              .formatted(row, length, eligible));
    }
  }

  RankedLists result() {
    return new RankedLists(k, outItems, outScores, outLengths);
  }
}
