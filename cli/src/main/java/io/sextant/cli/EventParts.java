package io.sextant.cli;

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
   * Each user's last event is late, the one before it the slice; where there is no order, a random
   * tenth each.
   */
  static EventParts of(Interactions all, boolean ordered, long seed) {
    Split split =
        (ordered ? Splitter.leaveOneOut() : Splitter.perUserRatio(SHARE, SHARE, seed)).split(all);
    return new EventParts(split.train(), split.validation(), split.test());
  }

  /** All but the late events. */
  Interactions learned() {
    return slice.size() == 0 ? early : early.concat(slice);
  }
}
