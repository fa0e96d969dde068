package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ExplanationSentenceTest {

  private static final List<String> TITLES = List.of("Alpha", "Beta", "Gamma", "Delta");

  @Test
  void namesTheLargestReasonsWithTheItemsBehindThem() {
    StrategyPart transitions =
        part("transitions", "item-item", 2, new HistoryPart(0, 3), new HistoryPart(2, -2));
    StrategyPart cosine =
        part("cosine", "item-item", 1, new HistoryPart(1, 1.5), new HistoryPart(0, 0.5));
    StrategyPart popular = part("late-popularity", "popularity", 1.5);
    StrategyPart weak = part("als", "als", 0.1);
    assertThat(describe(transitions, cosine, popular, weak))
        .isEqualTo(
            "Because you liked Alpha and Beta (transitions, cosine) and it is popular (late-popularity).");
  }

  @Test
  void aReasonWithoutItemsIsNamedByItsStrategy() {
    StrategyPart sequence = part("sequence", "sequence", 2);
    StrategyPart popular = part("popularity", "popularity", 1);
    StrategyPart als = part("als", "als", 1.5);
    assertThat(describe(popular, sequence, als))
        .isEqualTo("Because it suits you (sequence, als) and it is popular (popularity).");
    assertThat(describe(popular)).isEqualTo("Because it is popular (popularity).");
  }

  /** A history whose items all speak against it is no reason to name them. */
  @Test
  void itemsThatSpeakAgainstTheItemAreNotNamed() {
    assertThat(describe(part("ease", "item-item", 1, new HistoryPart(3, -1))))
        .isEqualTo("Because it suits you (ease).");
  }

  @Test
  void whatNothingSpeaksForFillsTheList() {
    assertThat(describe(part("a", "item-item", -1), part("b", "popularity", 0)))
        .isEqualTo("No strategy prefers this item: it fills the list.");
  }

  @Test
  void inStageTwoTheMeanCandidateIsWhatCountsNotZero() {
    // Of logarithms of ranks all parts are negative; the second is far above its average.
    StrategyPart low = rescored("als", -0.1, -0.05);
    StrategyPart high = rescored("sequence", -0.25, -1.2);
    Explanation explanation =
        new Explanation(0, true, -0.35, List.of(low, high), 0, List.of(), List.of());
    assertThat(explanation.describe(TITLES::get)).isEqualTo("Because it suits you (sequence).");
  }

  private static String describe(StrategyPart... parts) {
    return new Explanation(0, false, 1, List.of(parts), 0, List.of(), List.of())
        .describe(TITLES::get);
  }

  private static StrategyPart part(
      String name, String type, double retrieval, HistoryPart... history) {
    return new StrategyPart(name, type, 0, 0, 1, 1, retrieval, List.of(history), 0, 0, 0, 0);
  }

  private static StrategyPart rescored(String name, double baseline, double average) {
    return new StrategyPart(name, name, 0, 0, 1, 1, 0, List.of(), 0, baseline, 0, average);
  }
}
