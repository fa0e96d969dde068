package io.sextant;

import java.util.List;

/**
 * Why an item is in a list.
 *
 * <p>Thread safety: immutable.
 *
 * @param itemId its id
 * @param score by which it was ranked
 * @param sentence the largest reasons in words
 * @param reasons by strategy; with {@code bias} they sum to the score, within float rounding
 * @param bias what the policy adds whatever the strategies say
 */
public record ExplainedItem(
    String itemId, double score, String sentence, List<Reason> reasons, double bias) {

  public ExplainedItem {
    reasons = List.copyOf(reasons);
  }

  /**
   * What one strategy says for or against the item.
   *
   * @param strategy its name
   * @param type its kind, as {@code popularity}
   * @param value what it adds to the score, signed
   * @param history which items of the history speak for the item, largest first; empty if the
   *     strategy does not tell
   */
  public record Reason(String strategy, String type, double value, List<HistoryReason> history) {

    public Reason {
      history = List.copyOf(history);
    }
  }

  /**
   * What an item of the history adds to the strategy's score of the first stage.
   *
   * @param itemId of the history
   * @param value signed
   */
  public record HistoryReason(String itemId, double value) {}
}
