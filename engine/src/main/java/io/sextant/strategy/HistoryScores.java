package io.sextant.strategy;

/**
 * Scores that are a sum over the items of the history: what an explanation needs to name the items
 * that speak for a recommendation.
 *
 * <p>Thread safety: may be called from several threads at the same time.
 */
public interface HistoryScores {

  /**
   * What each item of the history adds to one item's score.
   *
   * @return as long as the history and in its order; the sum is the score, within float rounding.
   *     What the strategy does not look at adds 0.
   */
  float[] parts(UserState user, int item);
}
