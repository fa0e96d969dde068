package io.sextant.serve;

import io.sextant.Diversity;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Takes a varied list from a ranking, greedily; see {@link Diversity}.
 *
 * <p>Cost O(pool) for a limit, O(k pool width) for marginal relevance.
 */
final class Variety {

  /** How alike two items of the pool are, by their numbers there. */
  @FunctionalInterface
  interface Likeness {
    /** At most 1, for items that are alike in everything. */
    double of(int a, int b);
  }

  private Variety() {}

  /** How many of the best items a list of k is taken from. */
  static int pool(Diversity diversity, int k) {
    return diversity.equals(Diversity.NONE) ? k : (int) Math.max(4L * k, 100);
  }

  /**
   * The numbers of the items to take, in order.
   *
   * @param scores of the pool, descending
   * @param values codes of the values of the limited attribute, by item; empty for no limit
   * @param likeness asked for only if the relevance is below 1
   */
  static int[] take(float[] scores, int k, Diversity diversity, int[][] values, Likeness likeness) {
    Map<Integer, Integer> counts = new HashMap<>();
    boolean marginal = diversity.relevance() < 1;
    double[] relevance = marginal ? scaled(scores) : new double[0];
    double[] nearest = new double[marginal ? scores.length : 0];
    boolean[] taken = new boolean[scores.length];
    int[] list = new int[Math.min(k, scores.length)];
    int size = 0;
    int next = 0;
    while (size < list.length) {
      int best = -1;
      double bestValue = Double.NEGATIVE_INFINITY;
      for (int i = next; i < scores.length; i++) {
        if (taken[i] || isFull(values, i, counts, diversity.maxPerValue())) {
          continue;
        }
        if (!marginal) {
          best = i;
          next = i + 1;
          break;
        }
        double likest = size == 0 ? 0 : nearest[i];
        double value = diversity.relevance() * relevance[i] - (1 - diversity.relevance()) * likest;
        if (value > bestValue) {
          best = i;
          bestValue = value;
        }
      }
      if (best < 0) {
        break;
      }
      taken[best] = true;
      list[size++] = best;
      if (values.length > 0) {
        for (int code : values[best]) {
          counts.merge(code, 1, Integer::sum);
        }
      }
      for (int i = 0; i < nearest.length && size < list.length; i++) {
        if (!taken[i]) {
          double like = likeness.of(i, best);
          nearest[i] = size == 1 ? like : Math.max(nearest[i], like);
        }
      }
    }
    return Arrays.copyOf(list, size);
  }

  private static boolean isFull(
      int[][] values, int item, Map<Integer, Integer> counts, int maxPerValue) {
    if (values.length == 0) {
      return false;
    }
    for (int code : values[item]) {
      if (counts.getOrDefault(code, 0) >= maxPerValue) {
        return true;
      }
    }
    return false;
  }

  private static double[] scaled(float[] scores) {
    double[] scaled = new double[scores.length];
    if (scores.length > 0) {
      double least = scores[scores.length - 1];
      double range = scores[0] - least;
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] = range > 0 ? (scores[i] - least) / range : 1;
      }
    }
    return scaled;
  }

  /** The inner product of unit vectors that lie one after the other. */
  static Likeness cosine(float[] directions, int width) {
    return (a, b) -> {
      double product = 0;
      for (int d = 0; d < width; d++) {
        product += (double) directions[a * width + d] * directions[b * width + d];
      }
      return product;
    };
  }

  /** The share of their values that two items have in common; 0 where neither has one. */
  static Likeness shared(List<Set<String>> values) {
    return (a, b) -> {
      Set<String> common = new HashSet<>(values.get(a));
      common.retainAll(values.get(b));
      int all = values.get(a).size() + values.get(b).size() - common.size();
      return all == 0 ? 0 : (double) common.size() / all;
    };
  }
}
