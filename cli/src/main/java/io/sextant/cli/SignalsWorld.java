package io.sextant.cli;

import io.sextant.data.Interactions;
import io.sextant.models.WeightSignal;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.ExampleFeatures;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Events to learn from, with all that they carry, and wanted ones apart: two slices that are
 * trusted, and a test part.
 *
 * @param train what models learn from, wanted or not
 * @param features what a policy may know of each
 * @param metaSet a tenth of the wanted pairs that are not in the test part
 * @param guard another tenth
 * @param test what is to be ranked high, in the end
 * @param known all events but those of the test part: what users are known by in the end
 */
record SignalsWorld(
    Interactions train,
    ExampleFeatures features,
    Interactions metaSet,
    Interactions guard,
    Interactions test,
    Interactions known) {

  private static final double SHARE = 0.1;
  private static final double TEST_SHARE = 0.2;

  /**
   * Splits. Where events have times the test part is the last fifth of each user's events, of which
   * the wanted ones count; elsewhere it is a random fifth of the wanted pairs, with whatever else
   * was done with them. The slices are drawn at random.
   */
  static SignalsWorld of(SignalsData data, Interactions all, long seed) {
    boolean[] tested = all.hasTimes() ? latest(all) : someWantedPairs(data, all, seed);
    Interactions test = all.filter(row -> tested[row] && data.wanted(all).test(row));
    Interactions known = all.filter(row -> !tested[row]);
    TrustedSlices slices =
        TrustedSlices.of(known, row -> true, data.wanted(known), SHARE, SHARE, seed);
    Interactions train = known.filter(row -> slices.learnable()[row]);
    return new SignalsWorld(
        train,
        WeightSignal.features(train, row -> true, data.signals()),
        slices.metaSet(),
        slices.guardSet(),
        test,
        known);
  }

  private static boolean[] latest(Interactions all) {
    boolean[] tested = new boolean[all.size()];
    for (int user = 0; user < all.numUsers(); user++) {
      int held = (int) (all.degree(user) * TEST_SHARE);
      for (int row = all.end(user) - held; row < all.end(user); row++) {
        tested[row] = true;
      }
    }
    return tested;
  }

  private static boolean[] someWantedPairs(SignalsData data, Interactions all, long seed) {
    boolean[] tested = new boolean[all.size()];
    IntPredicate wanted = data.wanted(all);
    CounterRandom random = new CounterRandom(seed, "test-pairs", 0);
    for (int user = 0; user < all.numUsers(); user++) {
      Set<Integer> items = new HashSet<>();
      for (int row = all.start(user); row < all.end(user); row++) {
        if (wanted.test(row) && random.nextDouble() < TEST_SHARE) {
          items.add(all.itemAt(row));
        }
      }
      for (int row = all.start(user); row < all.end(user); row++) {
        tested[row] = items.contains(all.itemAt(row));
      }
    }
    return tested;
  }

  /** The two trusted slices together: what hand-set weights are chosen by. */
  Interactions trusted() {
    return metaSet.concat(guard);
  }
}
