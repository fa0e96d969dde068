package io.sextant.cli;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;

/**
 * What of the events {@code train} learns from, and for what it keeps the rest back.
 *
 * @param early what is learned from before a policy is fitted
 * @param slice what users did next: what a policy is fitted to
 * @param late what they did after that: it only stops trainings that could go on for too long
 */
record EventParts(Interactions early, Interactions slice, Interactions late) {

  private static final double SHARE = 0.1;

  /**
   * Each user's last event is late, the one before it the slice. Where there is no order, a random
   * tenth is the slice and a tenth of the rest late: a user with five events is in the slice.
   */
  static EventParts of(Interactions all, boolean ordered, long seed) {
    if (ordered) {
      Split split = Splitter.leaveOneOut().split(all);
      return new EventParts(split.train(), split.validation(), split.test());
    }
    Split first = Splitter.perUserRatio(0, SHARE, seed).split(all);
    Split second = Splitter.perUserRatio(0, SHARE, seed + 1).split(first.train());
    return new EventParts(second.train(), first.test(), second.test());
  }

  /**
   * Which part each row is in: 0 early, 1 slice, 2 late. The parts depend on nothing but users and
   * places, so rows whose time is their number tell.
   */
  static byte[] partOfRow(Interactions all, boolean ordered, long seed) {
    Interactions.Builder numbered = Interactions.builder(all.users(), all.items());
    for (int user = 0; user < all.numUsers(); user++) {
      for (int row = all.start(user); row < all.end(user); row++) {
        numbered.add(
            user, all.itemAt(row), EventType.VIEW, Float.NaN, 1, row, InteractionFeatures.UNKNOWN);
      }
    }
    EventParts parts = of(numbered.build(), ordered, seed);
    byte[] partOfRow = new byte[all.size()];
    for (int row = 0; row < parts.slice.size(); row++) {
      partOfRow[(int) parts.slice.timeAt(row)] = 1;
    }
    for (int row = 0; row < parts.late.size(); row++) {
      partOfRow[(int) parts.late.timeAt(row)] = 2;
    }
    return partOfRow;
  }

  /** All but the late events. */
  Interactions learned() {
    return slice.size() == 0 ? early : early.concat(slice);
  }
}
