package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a gate looks at: a log in parts (days, or policy versions), and what candidate and incumbent
 * would do in its rounds.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array, which is not copied.
 *
 * @param log all rounds
 * @param parts (n) the number of the part that each round belongs to
 * @param learnedFrom the parts that the candidate was learned from, in whatever way: also those on
 *     which its settings were chosen
 * @param candidate what the candidate would do
 * @param incumbent what the incumbent would do
 * @param model predictions for estimators with a reward model, cross-fitted or learned from other
 *     parts; else null
 */
public record PromotionEvidence(
    LoggedRounds log,
    int[] parts,
    Set<Integer> learnedFrom,
    ActionProbabilities candidate,
    ActionProbabilities incumbent,
    @Nullable RewardPredictions model) {

  public PromotionEvidence {
    learnedFrom = Set.copyOf(learnedFrom);
    int n = log.size();
    if (parts.length != n || candidate.size() != n || incumbent.size() != n) {
      throw new InvalidInputException(
          "%d rounds need as many parts and rows of the candidate and the incumbent but had %d, %d"
                  .formatted(n, parts.length, candidate.size())
              + " and "
              + incumbent.size());
    }
  }

  /** The rounds that the candidate was not learned from. */
  int[] unseen() {
    return IntStream.range(0, parts.length).filter(i -> !learnedFrom.contains(parts[i])).toArray();
  }
}
