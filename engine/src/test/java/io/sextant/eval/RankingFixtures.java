package io.sextant.eval;

import io.sextant.RankedLists;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Ranked lists for tests, and the metrics written a second time, straight from their definitions.
 */
final class RankingFixtures {

  private RankingFixtures() {}

  static RankedLists lists(int k, int[]... rows) {
    int[] items = new int[k * rows.length];
    float[] scores = new float[k * rows.length];
    int[] lengths = new int[rows.length];
    Arrays.fill(items, -1);
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    for (int row = 0; row < rows.length; row++) {
      lengths[row] = rows[row].length;
      for (int i = 0; i < rows[row].length; i++) {
        items[row * k + i] = rows[row][i];
        scores[row * k + i] = -i;
      }
    }
    return new RankedLists(k, items, scores, lengths);
  }

  /** Distinct items, a random prefix of a random permutation. */
  static int[] distinct(Random random, int numItems, int length) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < numItems; i++) {
      all.add(i);
    }
    Collections.shuffle(all, random);
    return all.stream().limit(length).mapToInt(i -> i).toArray();
  }

  static double naive(RankingMetric metric, int[] list, int[] truth) {
    Set<Integer> relevant = new HashSet<>();
    for (int item : truth) {
      relevant.add(item);
    }
    int k = metric.k();
    double hits = 0;
    double dcg = 0;
    double precisions = 0;
    double reciprocal = 0;
    for (int place = 1; place <= Math.min(k, list.length); place++) {
      if (relevant.contains(list[place - 1])) {
        hits++;
        dcg += Math.log(2) / Math.log(place + 1);
        precisions += hits / place;
        reciprocal = Math.max(reciprocal, 1.0 / place);
      }
    }
    double ideal = 0;
    for (int place = 1; place <= Math.min(k, relevant.size()); place++) {
      ideal += Math.log(2) / Math.log(place + 1);
    }
    return switch (metric.kind()) {
      case HR -> Math.min(1, hits);
      case RECALL -> hits / relevant.size();
      case PRECISION -> hits / k;
      case NDCG -> dcg / ideal;
      case MAP -> precisions / Math.min(k, relevant.size());
      case MRR -> reciprocal;
    };
  }
}
