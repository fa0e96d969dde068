package io.sextant.meta;

import java.util.List;
import java.util.function.IntFunction;

/**
 * Why an item is recommended to a user: the exact split of its score, and what made the policy
 * weigh the strategies as it did.
 *
 * <p>Thread safety: immutable.
 *
 * @param item dense index
 * @param rescored whether the item was among the candidates of stage 2; if not, its score is that
 *     of stage 1, and the parts of stage 2 are 0
 * @param score by which the item is ordered: the sum of the parts' baseline and tilt and of the
 *     bias, or else the sum of the parts' retrieval, within float rounding
 * @param parts by strategy, in the pool's order
 * @param bias what the policy adds to the item whatever the strategies say
 * @param gate why stage 1 weighs the strategies so, one attribution for each; empty if no policy
 *     takes part
 * @param policy why stage 2 does: one for each strategy, the bias and the score; empty if no policy
 *     takes part
 */
public record Explanation(
    int item,
    boolean rescored,
    double score,
    List<StrategyPart> parts,
    double bias,
    List<Attribution> gate,
    List<Attribution> policy) {

  public Explanation {
    parts = List.copyOf(parts);
    gate = List.copyOf(gate);
    policy = List.copyOf(policy);
  }

  /** The score of stage 1, by which the item was retrieved. */
  public double retrievalScore() {
    return parts.stream().mapToDouble(StrategyPart::retrieval).sum();
  }

  /**
   * How much a strategy speaks for the item rather than for others: against the mean candidate of
   * stage 2, or against the mean of the catalogue if the item did not get there.
   */
  public double advantage(StrategyPart part) {
    return rescored ? part.baseline() + part.tilt() - part.average() : part.retrieval();
  }

  /**
   * A sentence made of the largest parts, as {@code Because you liked A and B (transitions) and it
   * is popular (late-popularity).}
   *
   * @param title what people call an item
   */
  public String describe(IntFunction<String> title) {
    return ExplanationSentence.of(this, title);
  }
}
