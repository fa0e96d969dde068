package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a gate looks at where slates are shown: decisions in parts (days, policy versions, groups of
 * users), seen from the candidate and from the incumbent.
 *
 * <p>Thread safety: immutable as long as nobody writes into the array, which is not copied.
 *
 * @param candidate the decisions seen from the candidate
 * @param incumbent the same decisions, by the same estimator, seen from the incumbent
 * @param parts (n) the number of the part that each decision belongs to
 * @param learnedFrom the parts that the candidate was learned from, in whatever way
 */
public record SlateEvidence(
    SlateRounds candidate, SlateRounds incumbent, int[] parts, Set<Integer> learnedFrom) {

  public SlateEvidence {
    learnedFrom = Set.copyOf(learnedFrom);
    if (candidate.size() != parts.length || incumbent.size() != parts.length) {
      throw new InvalidInputException(
          "%d parts need as many decisions of the candidate and the incumbent but had %d and %d"
              .formatted(parts.length, candidate.size(), incumbent.size()));
    }
  }

  /** The decisions that the candidate was not learned from. */
  int[] unseen() {
    return IntStream.range(0, parts.length).filter(i -> !learnedFrom.contains(parts[i])).toArray();
  }
}
