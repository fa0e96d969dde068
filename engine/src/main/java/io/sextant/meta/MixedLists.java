package io.sextant.meta;

import io.sextant.RankedLists;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Ranked lists of a mixture, with what each strategy adds to each score. The parts of an item are
 * signed and add up to its score, up to the rounding of float.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param lists B lists of at most K items
 * @param names the M strategies, and {@link #BIAS} at the end
 * @param parts (B * K * (M + 1)); 0 behind the end of a list
 */
public record MixedLists(RankedLists lists, List<String> names, float[] parts) {

  /** The name of what the policy adds for user and item, whatever the strategies say. */
  public static final String BIAS = "bias";

  /**
   * Finds the parts of what was ranked.
   *
   * @param candidateParts (B * N * (M + 1))
   */
  static MixedLists of(
      RankedLists lists, List<String> strategies, Evidence evidence, float[] candidateParts) {
    int width = strategies.size() + 1;
    int n = evidence.numCandidates();
    float[] parts = new float[lists.items().length * width];
    for (int u = 0; u < lists.size(); u++) {
      Map<Integer, Integer> candidateOf = new HashMap<>();
      for (int c = 0; c < evidence.length(u); c++) {
        candidateOf.put(evidence.item(u, c), c);
      }
      for (int at = u * lists.k(); at < u * lists.k() + lists.lengths()[u]; at++) {
        int candidate = Objects.requireNonNull(candidateOf.get(lists.items()[at]));
        System.arraycopy(candidateParts, (u * n + candidate) * width, parts, at * width, width);
      }
    }
    List<String> names = new ArrayList<>(strategies);
    names.add(BIAS);
    return new MixedLists(lists, List.copyOf(names), parts);
  }

  /** The parts of the score at one place of one list, by name. */
  public Map<String, Float> partsOf(int list, int place) {
    Map<String, Float> named = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      named.put(names.get(i), parts[(list * lists.k() + place) * names.size() + i]);
    }
    return named;
  }
}
