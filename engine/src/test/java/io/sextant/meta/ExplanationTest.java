package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExplanationTest {

  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @Test
  void thePartsAddUpToTheScoreThatTheListHas() {
    for (Normalisation normalisation : Normalisation.values()) {
      for (long seed = 1; seed <= 2; seed++) {
        Random random = new Random(seed);
        try (RandomMeta fixture = new RandomMeta(seed, normalisation, 2)) {
          for (UserState user : fixture.users(random)) {
            String where = "%s, seed %d, %s".formatted(normalisation, seed, user);
            ExcludedItems excluded = ExcludedItems.of(new int[][] {RandomMeta.seen(user)});
            RankedLists list = fixture.meta.rank(List.of(user), 7, excluded);
            List<Explanation> explanations = fixture.meta.explain(user, 7, excluded);
            assertThat(explanations.stream().mapToInt(Explanation::item))
                .as(where)
                .containsExactly(Arrays.stream(list.itemsOf(0)).boxed().toArray(Integer[]::new));
            for (int i = 0; i < explanations.size(); i++) {
              Explanation explanation = explanations.get(i);
              assertThat(explanation.rescored()).as(where).isTrue();
              assertThat((float) explanation.score()).as(where).isEqualTo(list.scores()[i]);
              assertAddsUp(explanation, where);
            }
          }
        }
      }
    }
  }

  @Test
  void stageOneSplitsIntoStrategiesAndItemsOfTheHistory() {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      try (RandomMeta fixture = new RandomMeta(seed, Normalisation.Z, 1)) {
        for (UserState user : fixture.users(random)) {
          String where = "seed %d, %s".formatted(seed, user);
          RankedLists all =
              fixture.meta.rank(
                  Mixer.USER_GATE, List.of(user), RandomMeta.ITEMS, ExcludedItems.NONE);
          int[] items = Arrays.copyOf(all.items(), 12);
          List<Explanation> explanations = fixture.meta.explain(user, items, ExcludedItems.NONE);
          for (int i = 0; i < items.length; i++) {
            Explanation explanation = explanations.get(i);
            assertThat(explanation.item()).isEqualTo(items[i]);
            double size =
                explanation.parts().stream().mapToDouble(p -> Math.abs(p.retrieval())).sum();
            assertThat(explanation.retrievalScore())
                .as(where)
                .isCloseTo(all.scores()[i], within(1e-4 * (1 + size)));
            explanation.parts().forEach(part -> assertSplits(part, user, where));
          }
        }
      }
    }
  }

  /** With one network, what it says of an item's strategies can be put into the formula. */
  @Test
  void theTiltIsThatOfTheFormulaAtTheAttributedOutputs() {
    Random random = new Random(5);
    try (RandomMeta fixture = new RandomMeta(5, Normalisation.MIN_MAX, 1)) {
      float[] base = fixture.stageTwo.baseline();
      double greatest = IntStream.range(0, base.length).mapToDouble(m -> base[m]).max().orElse(0);
      int checked = 0;
      for (UserState user : fixture.users(random)) {
        double strength = fixture.stageTwo.strength(user.history().length);
        double n = user.history().length;
        double trust = n == 0 ? 0 : n / (n + RandomMeta.HALF_TRUST);
        for (Explanation explanation : fixture.meta.explain(user, 3, ExcludedItems.NONE)) {
          if (strength == 0) {
            assertThat(explanation.policy()).isEmpty();
            assertThat(explanation.bias()).isZero();
            assertThat(explanation.parts()).allMatch(part -> part.tilt() == 0);
            continue;
          }
          assertThat(explanation.policy()).hasSize(base.length + 2);
          for (int m = 0; m < base.length; m++) {
            StrategyPart part = explanation.parts().get(m);
            Attribution attribution = explanation.policy().get(m);
            assertThat(attribution.output()).isEqualTo(part.strategy());
            if (base[m] > 0) {
              double floored = Math.max(base[m], 0.01 * greatest);
              double weight = floored * Math.exp(RandomMeta.KAPPA * trust * attribution.value());
              double normalised = part.baseline() / base[m];
              assertThat(part.tilt())
                  .as("%s of %s", part, user)
                  .isCloseTo(strength * (weight - base[m]) * normalised, within(1e-4));
              checked++;
            }
          }
          Attribution score = explanation.policy().get(base.length + 1);
          assertThat(score.output()).isEqualTo(Attribution.SCORE);
          double baseline = explanation.parts().stream().mapToDouble(StrategyPart::baseline).sum();
          assertThat(explanation.score())
              .isCloseTo(score.value() + (1 - strength) * baseline, within(1e-4));
        }
      }
      assertThat(checked).isPositive();
    }
  }

  @Test
  void attributionsAddUpToTheDifferenceOfTheOutputs() {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      int attributions = 0;
      try (RandomMeta fixture = new RandomMeta(seed, Normalisation.SQRT_Z, 2)) {
        for (UserState user : fixture.users(random)) {
          for (Explanation explanation : fixture.meta.explain(user, 2, ExcludedItems.NONE)) {
            for (Attribution attribution : explanation.gate()) {
              assertComplete(attribution, seed);
            }
            for (Attribution attribution : explanation.policy()) {
              assertComplete(attribution, seed);
              attributions++;
            }
            assertThat(explanation.gate())
                .hasSize(user.history().length == 0 ? 0 : fixture.pool.size());
          }
        }
      }
      assertThat(attributions).as("seed %d", seed).isPositive();
    }
  }

  @Test
  void anItemThatIsNoCandidateIsExplainedByStageOneAlone() {
    try (RandomMeta fixture = new RandomMeta(3, Normalisation.Z, 1)) {
      UserState user = UserState.unseen(1, 2, 3);
      ExcludedItems excluded = ExcludedItems.of(new int[][] {{1, 2, 3}});
      Explanation explanation = fixture.meta.explain(user, new int[] {2}, excluded).get(0);
      assertThat(explanation.rescored()).isFalse();
      assertThat(explanation.score()).isEqualTo(explanation.retrievalScore());
      assertThat(explanation.parts())
          .allMatch(p -> p.baseline() == 0 && p.tilt() == 0 && p.average() == 0);
      assertThat(explanation.policy()).isEmpty();
      assertThat(fixture.meta.explain(user, new int[0], excluded)).isEmpty();
    }
  }

  @Test
  void theAveragesAreThoseOfTheCandidates() {
    try (RandomMeta fixture = new RandomMeta(4, Normalisation.LOG_RANK, 1)) {
      UserState user = UserState.unseen(1, 2, 3);
      List<Explanation> all = fixture.meta.explain(user, RandomMeta.CANDIDATES, ExcludedItems.NONE);
      assertThat(all).hasSize(RandomMeta.CANDIDATES);
      for (int m = 0; m < fixture.pool.size(); m++) {
        double sum = 0;
        for (Explanation explanation : all) {
          sum += explanation.advantage(explanation.parts().get(m));
        }
        assertThat(sum).isCloseTo(0, within(1e-4));
      }
    }
  }

  @Test
  void anItemOutsideTheCatalogueIsRefused() {
    try (RandomMeta fixture = new RandomMeta(3, Normalisation.Z, 1)) {
      for (int item : new int[] {-1, RandomMeta.ITEMS}) {
        assertThatThrownBy(
                () ->
                    fixture.meta.explain(UserState.unseen(1), new int[] {item}, ExcludedItems.NONE))
            .isInstanceOf(InvalidInputException.class)
            .hasMessage(
                "item %d cannot be explained: the catalogue has items 0 to %d",
                item, RandomMeta.ITEMS - 1);
      }
    }
  }

  private static void assertAddsUp(Explanation explanation, String where) {
    double sum = explanation.bias();
    double size = Math.abs(sum);
    for (StrategyPart part : explanation.parts()) {
      sum += part.baseline() + part.tilt();
      size += Math.abs(part.baseline()) + Math.abs(part.tilt());
    }
    // Float32 sums of six products.
    assertThat(sum).as(where).isCloseTo(explanation.score(), within(1e-5 * (1 + size)));
  }

  private static void assertSplits(StrategyPart part, UserState user, String where) {
    double sum = part.rest() + part.history().stream().mapToDouble(HistoryPart::value).sum();
    assertThat(sum).as(where).isCloseTo(part.retrieval(), within(1e-9 * (1 + Math.abs(sum))));
    double expected =
        part.deviation() == 0 ? 0 : part.weight() * (part.raw() - part.mean()) / part.deviation();
    assertThat(part.retrieval()).as(where).isCloseTo(expected, within(1e-6 * (1 + Math.abs(sum))));
    assertThat(part.history()).as(where).doesNotHaveDuplicates();
    assertThat(part.history())
        .as(where)
        .allMatch(h -> Arrays.stream(user.history()).anyMatch(i -> i == h.item()));
    boolean sums = List.of("transitions", "low-pass", "user-neighbours").contains(part.strategy());
    if (sums && part.deviation() > 0) {
      // All of the raw score comes from items: what is left is the mean of the catalogue.
      double mean = -part.weight() * part.mean() / part.deviation();
      assertThat(part.rest())
          .as("%s, %s", where, part)
          .isCloseTo(mean, within(1e-4 * (1 + Math.abs(mean) + Math.abs(part.retrieval()))));
    } else {
      assertThat(part.history()).as(where).isEmpty();
    }
  }

  /** Within 1 %, of the effects' size where they cancel out to almost nothing. */
  private static void assertComplete(Attribution attribution, long seed) {
    double difference = attribution.value() - attribution.reference();
    double size = attribution.effects().stream().mapToDouble(e -> Math.abs(e.effect())).sum();
    assertThat(Math.abs(attribution.gap()))
        .as(
            "seed %d, %s: %s to %s, effects %s",
            seed, attribution.output(), attribution.reference(), attribution.value(), size)
        .isLessThan(0.01 * Math.max(Math.abs(difference), 0.01 * size) + 1e-6);
  }
}
