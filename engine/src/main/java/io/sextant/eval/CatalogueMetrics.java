package io.sextant.eval;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a set of ranked lists, cut at k, does to the catalogue as a whole. A list that ends before k
 * counts with the places that it has; without any filled place all but the coverage are NaN.
 *
 * <p>Thread safety: immutable.
 *
 * @param coverage share of the catalogue that stands in at least one list
 * @param gini Gini coefficient of how often each item is shown, over the whole catalogue: 0 if all
 *     are shown alike, (I - 1) / I if only one is
 * @param novelty mean over the filled places of -log2 p, in bits, where p = (count + 1) / (sum of
 *     counts + I) is the item's share of the training interactions; one is added so that an item
 *     without interactions stays finite (after Castells, Vargas and Wang, DDR 2011)
 * @param headShare share of the filled places that the head of the catalogue takes: the {@value
 *     #HEAD} most popular part, rounded up, ties by ascending item index
 */
public record CatalogueMetrics(double coverage, double gini, double novelty, double headShare) {

  /** The part of the catalogue that is its head. */
  public static final double HEAD = 0.2;

  /** {@link Accumulator} for lists that are at hand all at once. */
  public static CatalogueMetrics of(List<RankedLists> batches, int k, int[] itemCounts) {
    Accumulator accumulator = new Accumulator(k, itemCounts);
    batches.forEach(accumulator::add);
    return accumulator.result();
  }

  /** The metrics by the names that reports use, with the cut: {@code coverage@10} and so on. */
  public Map<String, Double> toMap(int k) {
    Map<String, Double> map = new LinkedHashMap<>();
    map.put("coverage@" + k, coverage);
    map.put("gini@" + k, gini);
    map.put("novelty@" + k, novelty);
    map.put("headshare@" + k, headShare);
    return map;
  }

  /**
   * Counts batch by batch in memory O(I), so that the lists need not be kept.
   *
   * <p>Thread safety: none, one thread at a time.
   */
  public static final class Accumulator {

    private final int k;
    private final int[] itemCounts;
    private final long[] shown;

    /**
     * Starts with no list.
     *
     * @param k the cut, at least 1
     * @param itemCounts (I) interactions of each item in the training data
     */
    public Accumulator(int k, int[] itemCounts) {
      if (k < 1 || itemCounts.length == 0) {
        throw new InvalidInputException(
            "catalogue metrics need k >= 1 and at least one item but had k %d and %d items"
                .formatted(k, itemCounts.length));
      }
      for (int item = 0; item < itemCounts.length; item++) {
        if (itemCounts[item] < 0) {
          throw new InvalidInputException(
              "the count of item %d must be >= 0 but was %d".formatted(item, itemCounts[item]));
        }
      }
      this.k = k;
      this.itemCounts = itemCounts.clone();
      this.shown = new long[itemCounts.length];
    }

    /** Counts a batch of lists; their room must be at least k. */
    public void add(RankedLists lists) {
      if (lists.k() < k) {
        throw new InvalidInputException(
            "a cut at %d needs ranked lists with room for as many items but they have room for %d"
                .formatted(k, lists.k()));
      }
      for (int list = 0; list < lists.size(); list++) {
        int end = Math.min(k, lists.lengths()[list]);
        for (int place = 0; place < end; place++) {
          int item = lists.items()[list * lists.k() + place];
          if (item < 0 || item >= shown.length) {
            throw new InvalidInputException(
                "list %d has item %d, outside the catalogue of %d items"
                    .formatted(list, item, shown.length));
          }
          shown[item]++;
        }
      }
    }

    /** The metrics of all lists so far. */
    public CatalogueMetrics result() {
      int n = shown.length;
      long places = Arrays.stream(shown).sum();
      long total = Arrays.stream(itemCounts).asLongStream().sum();

      long[] ascending = shown.clone();
      Arrays.sort(ascending);
      double weighted = 0;
      for (int i = 0; i < n; i++) {
        weighted += (2.0 * (i + 1) - n - 1) * ascending[i];
      }

      double bits = 0;
      for (int item = 0; item < n; item++) {
        bits -= shown[item] * Math.log((itemCounts[item] + 1.0) / (total + (double) n));
      }

      long head =
          IntStream.range(0, n)
              .boxed()
              .sorted((a, b) -> Integer.compare(itemCounts[b], itemCounts[a]))
              .limit((long) Math.ceil(HEAD * n - 1e-9))
              .mapToLong(item -> shown[item])
              .sum();

      long covered = Arrays.stream(shown).filter(count -> count > 0).count();
      return new CatalogueMetrics(
          (double) covered / n,
          weighted / ((double) n * places),
          bits / Math.log(2) / places,
          (double) head / places);
    }
  }
}
