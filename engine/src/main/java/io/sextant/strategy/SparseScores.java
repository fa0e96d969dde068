package io.sextant.strategy;

/**
 * The part of a strategy's scores that is zero for most items, as neighbour lists give it. It is
 * computed on the host.
 *
 * <p>Thread safety: may be called from several threads at the same time, each with its own sums.
 */
public interface SparseScores {

  /**
   * Adds the user's scores.
   *
   * @param into empty sums over the catalogue, which belong to the caller
   */
  void score(UserState user, ScoreSums into);
}
