package io.sextant.cli;

import io.sextant.EventType;
import io.sextant.data.Interactions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Weights of training interactions, one way to choose them among others.
 *
 * @param name says them
 * @param ofRow a weight for each row, mean 1
 * @param drops whether rows of weight 0 are left out altogether; otherwise they are still no
 *     negatives
 * @param histories what users are known by, of the events that are known of them
 */
@SuppressWarnings("ArrayRecordComponent") // Weights are used, not compared.
record RowWeights(
    String name, float[] ofRow, boolean drops, UnaryOperator<Interactions> histories) {

  private static final double[] VIEWS = {0, 0.1, 0.3, 1};
  private static final double[] CARTS = {0.3, 1, 3};

  /** Thresholds that would leave out less of the rows than this are all alike. */
  private static final double LEAST_SHARE = 0.02;

  /** Shares of the rows, those of the least weight, that may be left out. */
  private static final double[] CUTS = {0, 0.05, 0.1, 0.2, 0.3, 0.5};

  /** Every row weighs the same. */
  static RowWeights equal(Interactions rows) {
    float[] ones = new float[rows.size()];
    Arrays.fill(ones, 1);
    return new RowWeights("equal", ones, false, known -> known);
  }

  /**
   * Hand-set weights to choose from; equal ones are always among them. Of ratings only those from
   * some threshold on count: the others weigh 0, or are left out of what users are known by, too.
   * Of types a purchase weighs 1, and carts and views what a grid says.
   */
  static List<RowWeights> handSet(SignalsData data, Interactions rows) {
    return data.rated() ? thresholds(rows) : ofTypes(rows);
  }

  private static List<RowWeights> thresholds(Interactions rows) {
    List<RowWeights> candidates = new ArrayList<>(List.of(equal(rows)));
    float[] sorted = new float[rows.size()];
    for (int row = 0; row < sorted.length; row++) {
      sorted[row] = rows.valueAt(row);
    }
    Arrays.sort(sorted);
    for (int i = 1; i < sorted.length; i++) {
      if (sorted[i] > sorted[i - 1] && i >= LEAST_SHARE * sorted.length) {
        float least = sorted[i];
        float[] weights = new float[sorted.length];
        for (int row = 0; row < weights.length; row++) {
          weights[row] = rows.valueAt(row) >= least ? 1 : 0;
        }
        scale(weights);
        String name = String.format(Locale.ROOT, "from %.3g on", least);
        candidates.add(new RowWeights(name, weights, false, known -> known));
        candidates.add(
            new RowWeights(
                name + ", others left out",
                weights,
                true,
                known -> known.filter(row -> known.valueAt(row) >= least)));
      }
    }
    return candidates;
  }

  private static List<RowWeights> ofTypes(Interactions rows) {
    List<RowWeights> candidates = new ArrayList<>();
    for (double view : VIEWS) {
      for (double cart : CARTS) {
        float[] weights = new float[rows.size()];
        for (int row = 0; row < weights.length; row++) {
          weights[row] =
              switch (rows.typeAt(row)) {
                case VIEW -> (float) view;
                case CART -> (float) cart;
                default -> 1;
              };
        }
        scale(weights);
        String name = "view %s, cart %s, purchase 1".formatted(view, cart);
        candidates.add(new RowWeights(name, weights, view == 0, known -> known));
        if (view == 0) {
          candidates.add(
              new RowWeights(
                  name + ", views left out",
                  weights,
                  true,
                  known -> known.filter(row -> known.typeAt(row) != EventType.VIEW)));
        }
      }
    }
    return candidates;
  }

  /**
   * Learned weights to choose from: as they are, and with some share of the rows left out, those of
   * the least weight.
   */
  static List<RowWeights> learned(Interactions rows, float[] weights) {
    List<RowWeights> candidates = new ArrayList<>();
    float[] sorted = weights.clone();
    Arrays.sort(sorted);
    for (double cut : CUTS) {
      float least = sorted[(int) (cut * sorted.length)];
      boolean drops = cut > 0;
      float[] kept = weights.clone();
      Set<String> dropped = new HashSet<>();
      int[] users = rows.userOfRow();
      for (int row = 0; row < kept.length && drops; row++) {
        if (kept[row] < least) {
          kept[row] = 0;
          dropped.add(key(rows, users, row));
        }
      }
      scale(kept);
      candidates.add(
          new RowWeights(
              drops
                  ? String.format(Locale.ROOT, "learned, %.0f %% left out", 100 * cut)
                  : "learned",
              kept,
              drops,
              known -> {
                int[] whose = known.userOfRow();
                return known.filter(row -> !dropped.contains(key(known, whose, row)));
              }));
    }
    return candidates;
  }

  private static String key(Interactions rows, int[] users, int row) {
    return users[row] + " " + rows.itemAt(row) + " " + rows.typeAt(row);
  }

  private static void scale(float[] weights) {
    double sum = 0;
    for (float weight : weights) {
      sum += weight;
    }
    float scale = (float) (weights.length / sum);
    for (int row = 0; row < weights.length; row++) {
      weights[row] *= scale;
    }
  }

  /** What a strategy learns from. */
  Interactions weighed(Interactions rows) {
    Interactions weighed = rows.reweighted(ofRow);
    return drops ? weighed.filter(row -> ofRow[row] > 0) : weighed;
  }
}
