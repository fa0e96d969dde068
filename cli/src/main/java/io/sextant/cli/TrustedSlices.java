package io.sextant.cli;

import io.sextant.data.Interactions;
import io.sextant.tensor.CounterRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Trusted interactions in two slices, one to learn weights from and one to judge them by, and the
 * rows that are left to learn from. A pair of user and item is in one of the three with all of its
 * rows: a view of what was bought would tell of the purchase.
 *
 * @param learnable for each row whether it is left
 * @param metaSet the latest trusted row of each pair, with weight 1
 * @param guardSet the same
 */
@SuppressWarnings("ArrayRecordComponent") // Slices are used, not compared.
record TrustedSlices(boolean[] learnable, Interactions metaSet, Interactions guardSet) {

  private static final int META = 1;
  private static final int GUARD = 2;

  /**
   * Draws the slices.
   *
   * @param among which rows may be learned from; the others are in no slice
   * @param trusted which of these can be trusted
   * @param metaShare of the trusted pairs
   * @param guardShare of the trusted pairs
   */
  static TrustedSlices of(
      Interactions all,
      IntPredicate among,
      IntPredicate trusted,
      double metaShare,
      double guardShare,
      long seed) {
    CounterRandom random = new CounterRandom(seed, "trusted-slices", 0);
    boolean[] learnable = new boolean[all.size()];
    int[] sliceOf = new int[all.size()];
    for (int user = 0; user < all.numUsers(); user++) {
      Map<Integer, Integer> latest = new HashMap<>();
      for (int row = all.start(user); row < all.end(user); row++) {
        if (among.test(row) && trusted.test(row)) {
          latest.put(all.itemAt(row), row);
        }
      }
      Map<Integer, Integer> drawn = new HashMap<>();
      for (int row = all.start(user); row < all.end(user); row++) {
        Integer last = latest.get(all.itemAt(row));
        if (last != null && last == row) {
          double draw = random.nextDouble();
          int slice = draw < metaShare ? META : draw < metaShare + guardShare ? GUARD : 0;
          sliceOf[row] = slice;
          drawn.put(all.itemAt(row), slice);
        }
      }
      for (int row = all.start(user); row < all.end(user); row++) {
        learnable[row] = among.test(row) && drawn.getOrDefault(all.itemAt(row), 0) == 0;
      }
    }
    return new TrustedSlices(
        learnable,
        equal(all.filter(row -> sliceOf[row] == META)),
        equal(all.filter(row -> sliceOf[row] == GUARD)));
  }

  /** The same rows with weight 1, whatever their types weigh. */
  private static Interactions equal(Interactions rows) {
    float[] factors = new float[rows.size()];
    for (int row = 0; row < factors.length; row++) {
      factors[row] = rows.weightAt(row) > 0 ? 1 / rows.weightAt(row) : 1;
    }
    return rows.reweighted(factors);
  }
}
