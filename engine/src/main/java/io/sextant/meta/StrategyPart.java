package io.sextant.meta;

import java.util.List;

/**
 * What one strategy says of a recommended item, and what that adds to the item's scores.
 *
 * <pre>
 *   retrieval = weight (raw - mean) / deviation = sum of history + rest      stage 1
 *   baseline  = b n,  tilt = strength (w - b) n                              stage 2
 * </pre>
 *
 * <p>with n the normalised score, b the global weight and w the policy's weight for this user and
 * item. All are signed.
 *
 * <p>Thread safety: immutable.
 *
 * @param strategy its name in the pool
 * @param type its kind, as {@code popularity}
 * @param raw its own score of the item
 * @param mean of its scores of the user over the catalogue
 * @param deviation of the same; 0 where it scores all items alike, and then it adds nothing
 * @param weight of its standardised score in stage 1
 * @param retrieval what it adds to the score of stage 1
 * @param history how retrieval splits by items of the history, largest first; empty if the strategy
 *     does not sum over the history
 * @param rest what else there is in retrieval: that the item is compared with the catalogue's mean,
 *     and scores that come from no item of the history
 * @param baseline what it adds to the score of stage 2 with the weight that all users share; 0 if
 *     the item did not reach stage 2
 * @param tilt what the policy changes in that for this user and item
 * @param average mean of baseline + tilt over the user's candidates in stage 2
 */
public record StrategyPart(
    String strategy,
    String type,
    double raw,
    double mean,
    double deviation,
    double weight,
    double retrieval,
    List<HistoryPart> history,
    double rest,
    double baseline,
    double tilt,
    double average) {

  public StrategyPart {
    history = List.copyOf(history);
  }
}
