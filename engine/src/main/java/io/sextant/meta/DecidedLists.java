package io.sextant.meta;

import io.sextant.RankedLists;
import java.util.Arrays;

/**
 * Ranked lists with what decided: all that a later policy needs to be evaluated on them.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param lists B lists of at most K items
 * @param numStrategies M
 * @param scores (B * K * M) what each strategy says of each item; 0 behind the end of a list
 * @param numInputs F
 * @param inputs (B * F) what the policy knew of each user before candidates were known
 * @param gates (B * M) how it weighed the strategies in the first stage
 */
public record DecidedLists(
    RankedLists lists,
    int numStrategies,
    float[] scores,
    int numInputs,
    float[] inputs,
    float[] gates) {

  /** (M) what each strategy says of the item at one place of one list; a copy. */
  public float[] scoresOf(int list, int place) {
    int from = (list * lists.k() + place) * numStrategies;
    return Arrays.copyOfRange(scores, from, from + numStrategies);
  }

  /** (F) what the policy knew of a user; a copy. */
  public float[] inputsOf(int list) {
    return Arrays.copyOfRange(inputs, list * numInputs, (list + 1) * numInputs);
  }

  /** (M) how the strategies were weighed for a user; a copy. */
  public float[] gatesOf(int list) {
    return Arrays.copyOfRange(gates, list * numStrategies, (list + 1) * numStrategies);
  }

  /** Lists of which nothing is known but the one score by which they are ranked. */
  static DecidedLists plain(RankedLists lists) {
    float[] scores = lists.scores().clone();
    float[] gates = new float[lists.size()];
    Arrays.fill(gates, 1);
    for (int i = 0; i < scores.length; i++) {
      scores[i] = lists.items()[i] < 0 ? 0 : scores[i];
    }
    return new DecidedLists(lists, 1, scores, 0, new float[0], gates);
  }

  /** Finds the strategies' standardised scores of what was ranked. */
  static DecidedLists of(RankedLists lists, Evidence evidence, float[] inputs, float[] gates) {
    int strategies = evidence.numStrategies();
    float[] scores = new float[lists.items().length * strategies];
    for (int u = 0; u < lists.size(); u++) {
      Integer[] byItem = new Integer[evidence.length(u)];
      int user = u;
      Arrays.setAll(byItem, c -> c);
      Arrays.sort(byItem, (a, b) -> evidence.item(user, a) - evidence.item(user, b));
      int[] items = new int[byItem.length];
      for (int i = 0; i < items.length; i++) {
        items[i] = evidence.item(u, byItem[i]);
      }
      for (int place = 0; place < lists.lengths()[u]; place++) {
        int at = u * lists.k() + place;
        int candidate = byItem[Arrays.binarySearch(items, lists.items()[at])];
        for (int m = 0; m < strategies; m++) {
          scores[at * strategies + m] = evidence.z(u, candidate, m);
        }
      }
    }
    int inputWidth = lists.size() == 0 ? 0 : inputs.length / lists.size();
    return new DecidedLists(lists, strategies, scores, inputWidth, inputs, gates);
  }
}
