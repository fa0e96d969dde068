package io.sextant.eval;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import java.util.Arrays;
import java.util.List;

/**
 * Evaluates rankings of the full catalogue. The lists are taken as they are: whoever makes them
 * masks the items that a user has seen and decides ties (in Sextant, by ascending item index).
 *
 * <p>Thread safety: stateless.
 */
public final class RankingEvaluation {

  private RankingEvaluation() {}

  /**
   * Computes metrics list by list, in time O(B (K + n) log n).
   *
   * <ul>
   *   <li>Empty truth: the list has no row in the table, and is counted.
   *   <li>Duplicates: an item that the truth names twice counts once; an item that a list names
   *       twice counts at its first place.
   *   <li>Ties: the order of the list decides.
   *   <li>Short lists: the missing places are misses. Lists whose <i>room</i> is less than a
   *       metric's k are refused, because hits would be lost unseen.
   * </ul>
   *
   * @param lists B ranked lists
   * @param truth (B) for each list the dense indices of the relevant items, in any order
   * @param metrics what to compute, without duplicates
   * @throws InvalidInputException if the sizes do not fit together
   */
  public static MetricTable perUser(RankedLists lists, int[][] truth, List<RankingMetric> metrics) {
    if (truth.length != lists.size()) {
      throw new InvalidInputException(
          "each list needs its truth but there were %d lists and %d truths"
              .formatted(lists.size(), truth.length));
    }
    checkMetrics(metrics);
    int depth = 0;
    for (RankingMetric metric : metrics) {
      if (metric.k() > lists.k()) {
        throw new InvalidInputException(
            "%s needs ranked lists with room for %d items but they have room for %d: rank with k >= %d"
                .formatted(metric, metric.k(), lists.k(), metric.k()));
      }
      depth = Math.max(depth, metric.k());
    }

    int[] rowList = new int[truth.length];
    double[][] columns = new double[metrics.size()][truth.length];
    int[] places = new int[depth];
    int rows = 0;
    for (int list = 0; list < truth.length; list++) {
      int[] relevant = sortedDistinct(truth[list]);
      if (relevant.length == 0) {
        continue;
      }
      int hits = places(lists, list, depth, relevant, places);
      for (int m = 0; m < columns.length; m++) {
        columns[m][rows] = metrics.get(m).value(places, hits, relevant.length);
      }
      rowList[rows++] = list;
    }
    for (int m = 0; m < columns.length; m++) {
      columns[m] = Arrays.copyOf(columns[m], rows);
    }
    return new MetricTable(metrics, columns, Arrays.copyOf(rowList, rows), truth.length);
  }

  /**
   * The area under the ROC curve of one user's full ranking: the probability that a relevant item
   * scores higher than one that is neither relevant nor excluded; an equal score counts one half.
   * Time O(I log n).
   *
   * @param scores (I) the scores of all items
   * @param truth dense indices of the relevant items, in any order; duplicates count once
   * @param excluded dense indices of items that take no part, even if they are in the truth
   * @return the area, or NaN where no relevant or no other item is left
   * @throws InvalidInputException if an index is outside the catalogue or a score is NaN
   */
  public static double auc(float[] scores, int[] truth, int[] excluded) {
    byte[] role = new byte[scores.length];
    for (int item : truth) {
      role[checkItem(item, scores.length)] = 1;
    }
    for (int item : excluded) {
      role[checkItem(item, scores.length)] = 2;
    }
    float[] positives = new float[scores.length];
    float[] negatives = new float[scores.length];
    int numPositives = 0;
    int numNegatives = 0;
    for (int item = 0; item < scores.length; item++) {
      if (role[item] == 2) {
        continue;
      }
      if (Float.isNaN(scores[item])) {
        throw new InvalidInputException("the score of item " + item + " is NaN");
      }
      if (role[item] == 1) {
        positives[numPositives++] = scores[item];
      } else {
        negatives[numNegatives++] = scores[item];
      }
    }
    return auc(positives, numPositives, negatives, numNegatives);
  }

  /**
   * AUC with equal scores counting one half; sorts the positives in place; NaN if a side is empty.
   */
  static double auc(float[] positives, int numPositives, float[] negatives, int numNegatives) {
    Arrays.sort(positives, 0, numPositives);
    long twiceWins = 0;
    for (int i = 0; i < numNegatives; i++) {
      // Of each pair: 2 where the positive is above, 1 where they are equal.
      twiceWins += numPositives - countUpTo(positives, numPositives, negatives[i], true);
      twiceWins += numPositives - countUpTo(positives, numPositives, negatives[i], false);
    }
    return twiceWins / (2.0 * numPositives * numNegatives);
  }

  /** How many of the ascending values are below x, or, if inclusive, not above it. */
  private static int countUpTo(float[] ascending, int length, float x, boolean inclusive) {
    int lo = 0;
    int hi = length;
    while (lo < hi) {
      int mid = (lo + hi) >>> 1;
      if (ascending[mid] < x || (inclusive && ascending[mid] == x)) {
        lo = mid + 1;
      } else {
        hi = mid;
      }
    }
    return lo;
  }

  static void checkMetrics(List<RankingMetric> metrics) {
    if (metrics.stream().distinct().count() != metrics.size()) {
      throw new InvalidInputException("each metric may be asked for once but was " + metrics);
    }
  }

  private static int checkItem(int item, int numItems) {
    if (item < 0 || item >= numItems) {
      throw new InvalidInputException(
          "item index %d is outside the catalogue of %d items".formatted(item, numItems));
    }
    return item;
  }

  private static int[] sortedDistinct(int[] items) {
    int[] sorted = items.clone();
    Arrays.sort(sorted);
    int n = 0;
    for (int item : sorted) {
      if (n == 0 || sorted[n - 1] != item) {
        sorted[n++] = item;
      }
    }
    return n == sorted.length ? sorted : Arrays.copyOf(sorted, n);
  }

  private static int places(RankedLists lists, int list, int depth, int[] relevant, int[] places) {
    boolean[] found = new boolean[relevant.length];
    int start = list * lists.k();
    int end = Math.min(depth, lists.lengths()[list]);
    int hits = 0;
    for (int place = 0; place < end; place++) {
      int index = Arrays.binarySearch(relevant, lists.items()[start + place]);
      if (index >= 0 && !found[index]) {
        found[index] = true;
        places[hits++] = place;
      }
    }
    return hits;
  }
}
