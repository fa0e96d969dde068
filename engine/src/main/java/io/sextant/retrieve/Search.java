package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.Dtypes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One search: its checked arguments and the arrays that it fills. */
final class Search {

  /** Selection state of a block of lists stays below this: 64 MiB. */
  static final long MAX_BUFFER_LONGS = 8L << 20;

  final NDArray queries;
  final ItemRows items;
  final int numLists;
  final int numItems;

  /** How many items a list can have at most: k, or all. */
  final int keep;

  final Exclusions excluded;
  final @Nullable SparseRows added;

  /** How long the lists were asked to be. */
  final int k;

  /** Whether these are some of the items: lists are judged when all have been searched. */
  private final boolean part;

  private final int[] outItems;
  private final float[] outScores;
  private final int[] outLengths;

  /**
   * Checks the arguments of a search.
   *
   * @throws InvalidInputException as {@link TopK#search}
   */
  static Search of(
      NDArray queries,
      ItemRows items,
      Device device,
      int k,
      ExcludedItems excluded,
      @Nullable SparseRows added) {
    requireMatrix(queries, "queries");
    if (queries.getShape().get(1) != items.dimension() || !queries.getDevice().equals(device)) {
      throw new InvalidInputException(
          "queries and items must have the same width and device but were %s on %s and (%d, %d) on %s"
              .formatted(
                  queries.getShape(),
                  queries.getDevice(),
                  items.size(),
                  items.dimension(),
                  device));
    }
    if (k < 1) {
      throw new InvalidInputException("k must be >= 1 but was " + k);
    }
    int numLists = Math.toIntExact(queries.getShape().get(0));
    if ((long) numLists * k > Integer.MAX_VALUE - 8) {
      throw new InvalidInputException(
          "%d lists of %d items are more than an array can hold: ask for fewer at once"
              .formatted(numLists, k));
    }
    requireSparse(added, numLists, items.size());
    return new Search(queries, items, k, Exclusions.of(excluded, numLists), added);
  }

  Search(NDArray queries, ItemRows items, int k, Exclusions excluded, @Nullable SparseRows added) {
    this(queries, items, k, excluded, added, false);
  }

  private Search(
      NDArray queries,
      ItemRows items,
      int k,
      Exclusions excluded,
      @Nullable SparseRows added,
      boolean part) {
    int numLists = Math.toIntExact(queries.getShape().get(0));
    int numItems = items.size();
    this.queries = queries;
    this.items = items;
    this.numLists = numLists;
    this.numItems = numItems;
    this.k = k;
    this.keep = Math.min(k, numItems);
    this.excluded = excluded;
    this.added = added;
    this.part = part;
    this.outItems = new int[numLists * k];
    this.outScores = new float[numLists * k];
    this.outLengths = new int[numLists];
    Arrays.fill(outItems, -1);
    Arrays.fill(outScores, Float.NEGATIVE_INFINITY);
  }

  /**
   * The same search among some of the items.
   *
   * @param queries the same
   * @param some the items from {@code first} on
   */
  Search part(NDArray queries, ItemRows some, int first) {
    int end = first + some.size();
    SparseRows sparse = added == null ? null : added.part(first, end);
    return new Search(queries, some, k, excluded.part(first, end), sparse, true);
  }

  /**
   * The same search with other arrays.
   *
   * @param queries the same, perhaps elsewhere
   * @param items the same, perhaps elsewhere, or nearly the same
   * @param length of the lists
   */
  Search over(NDArray queries, ItemRows items, int length) {
    return new Search(queries, items, length, excluded, added, part);
  }

  /**
   * The same search for some of the lists.
   *
   * @param queries those of the lists
   */
  Search rows(NDArray queries, int[] lists) {
    SparseRows sparse = added == null ? null : added.rows(lists);
    return new Search(queries, items, k, excluded.rows(lists), sparse, part);
  }

  /** How many lists can be worked on at once. */
  int listsPerBlock() {
    return (int)
        Math.max(1, Math.min(numLists, MAX_BUFFER_LONGS / Candidates.capacity(keep, numItems)));
  }

  Candidates candidates(int firstList, int lists) {
    return new Candidates(excluded, firstList, lists, keep, numItems);
  }

  /** Whether a list has fewer items than there are for it. */
  boolean isShort(Candidates candidates, int firstList, int list) {
    int found = candidates.size(list);
    return found < keep && found < numItems - excluded.count(firstList + list, numItems);
  }

  /** Takes one finished list. */
  void finish(Candidates candidates, int firstList, int list) {
    int row = firstList + list;
    finish(row, candidates.write(list, outItems, outScores, row * k));
  }

  /**
   * Takes one finished list.
   *
   * @param best its scores, descending, and its items, those of equal scores in any order
   * @param scores where the scores begin
   * @param items where the items begin
   * @param length how many they are, at most k
   */
  void finish(int row, double[] best, int scores, int items, int length) {
    int out = row * k;
    int tied = 0;
    for (int i = 0; i < length; i++) {
      // What is too great for a float32 stands for an infinite score, and -0.0 is 0.0.
      outScores[out + i] = (float) best[scores + i] + 0f;
      outItems[out + i] = (int) best[items + i];
      if (outScores[out + i] != outScores[out + tied]) {
        Arrays.sort(outItems, out + tied, out + i);
        tied = i;
      }
    }
    Arrays.sort(outItems, out + tied, out + length);
    finish(row, length);
  }

  /** How many items may appear in a list. */
  int eligible(int row) {
    return numItems - excluded.count(row, numItems);
  }

  private void finish(int row, int length) {
    outLengths[row] = length;
    int eligible = eligible(row);
    if (!part && length < Math.min(keep, eligible)) {
      throw new InvalidInputException(
          ("list %d: only %d of %d eligible items have a score that is a number; the query or the"
                  + " item vectors hold NaN or infinite values: has the training diverged?")
              .formatted(row, length, eligible));
    }
  }

  RankedLists result() {
    return new RankedLists(k, outItems, outScores, outLengths);
  }

  static void requireMatrix(NDArray array, String name) {
    Dtypes.require(array, DataType.FLOAT32, name);
    if (array.getShape().dimension() != 2) {
      throw new InvalidInputException(
          "%s must be a matrix but had the shape %s".formatted(name, array.getShape()));
    }
  }

  private static void requireSparse(@Nullable SparseRows added, int numLists, int numItems) {
    if (added == null) {
      return;
    }
    if (added.size() != numLists) {
      throw new InvalidInputException(
          "there must be a sparse row for each of %d queries but there are %d"
              .formatted(numLists, added.size()));
    }
    for (int row = 0; row < numLists; row++) {
      int start = added.starts()[row];
      int end = added.starts()[row + 1];
      if (start < end && (added.items()[start] < 0 || added.items()[end - 1] >= numItems)) {
        throw new InvalidInputException(
            "sparse row %d has items from %d to %d but the catalogue has %d"
                .formatted(row, added.items()[start], added.items()[end - 1], numItems));
      }
    }
  }
}
