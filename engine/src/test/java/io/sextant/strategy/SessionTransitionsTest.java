package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionTransitionsTest {

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void weightsAreThoseOfTheFormula(long seed) {
    Random random = new Random(seed);
    Interactions events = RandomEvents.of(random, 30, 70, 25);
    SessionTransitions strategy =
        SessionTransitions.builder()
            .maxGap(1 + random.nextInt(30))
            .gapDecay(0.5 + random.nextDouble() / 2)
            .reverse(random.nextInt(3) / 2.0)
            .sourceExponent(random.nextDouble())
            .targetExponent(random.nextDouble())
            .neighbours(1 + random.nextInt(60))
            .build();
    NearestItemsOracle.assertNearest(
        NearestItemsOracle.fit(strategy, Dataset.of(events)),
        naive(strategy, events),
        strategy.neighbours(),
        "seed " + seed + ", " + strategy);
  }

  /** Sequence by sequence, pair by pair. */
  private static double[][] naive(SessionTransitions options, Interactions events) {
    int numItems = events.numItems();
    double[][] weights = new double[numItems][numItems];
    double[] popularity = new double[numItems];
    for (int user = 0; user < events.numUsers(); user++) {
      int[] rows =
          IntStream.range(events.start(user), events.end(user))
              .filter(row -> events.weightAt(row) > 0)
              .toArray();
      for (int p = 0; p < rows.length; p++) {
        popularity[events.itemAt(rows[p])] += events.weightAt(rows[p]);
        for (int q = p + 1; q < rows.length && q - p <= options.maxGap(); q++) {
          double decay = Math.pow(options.gapDecay(), q - p - 1);
          int earlier = events.itemAt(rows[p]);
          int later = events.itemAt(rows[q]);
          weights[earlier][later] += decay * events.weightAt(rows[q]);
          weights[later][earlier] += decay * options.reverse() * events.weightAt(rows[p]);
        }
      }
    }
    for (int i = 0; i < numItems; i++) {
      for (int j = 0; j < numItems; j++) {
        if (weights[i][j] > 0) {
          weights[i][j] /=
              Math.pow(popularity[i], options.sourceExponent())
                  * Math.pow(popularity[j], options.targetExponent());
        }
      }
    }
    return weights;
  }

  @Test
  void byHand() {
    Interactions events = RandomEvents.sequences(3, new int[] {0, 1, 2}, new int[] {0, 0, 1});
    SessionTransitions plain =
        SessionTransitions.builder()
            .maxGap(2)
            .gapDecay(0.5)
            .reverse(0.25)
            .sourceExponent(0)
            .targetExponent(0)
            .build();
    ItemWeights weights = NearestItemsOracle.fit(plain, Dataset.of(events));
    // 0 -> 1: 1 in the first, 1 and .5 in the second; 0 -> 2: .5; back a quarter of each.
    assertThat(weights.items()).containsExactly(1, 2, 0, 2, 0, 1);
    assertThat(weights.weights()).containsExactly(2.5f, 0.5f, 0.625f, 1, 0.125f, 0.25f);
    ItemWeights next =
        NearestItemsOracle.fit(
            SessionTransitions.next().toBuilder().sourceExponent(1).targetExponent(0).build(),
            Dataset.of(events));
    // Item 0 occurs three times and is followed by 1 twice: one time it follows itself.
    assertThat(next.starts()).containsExactly(0, 1, 2, 2);
    assertThat(next.items()).containsExactly(1, 2);
    assertThat(next.weights()).containsExactly(2 / 3f, 1 / 2f);
  }

  @Test
  void theResultDoesNotDependOnTheNumberOfThreads() {
    Interactions events = RandomEvents.of(new Random(12), 200, 300, 40);
    NearestItemsOracle.assertIndependentOfThreads(
        SessionTransitions.builder().neighbours(50).build(), Dataset.of(events));
  }

  @Test
  void nothingToLearnFromIsRefused() {
    Interactions.Builder rows =
        Interactions.builder(RandomEvents.ids("u", 1), RandomEvents.ids("i", 2));
    RandomEvents.add(rows, 0, 1, 0);
    assertThatThrownBy(
            () -> NearestItemsOracle.fit(SessionTransitions.wide(), Dataset.of(rows.build())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'transitions' has no interaction");
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    SessionTransitions good = SessionTransitions.builder().name("t").maxGap(3).build();
    assertThat(good.toBuilder().build()).isEqualTo(good);
    assertRefused(SessionTransitions.builder().name(""), "name");
    assertRefused(SessionTransitions.builder().maxGap(0), "maxGap must be > 0 but was 0");
    assertRefused(SessionTransitions.builder().gapDecay(0), "gapDecay must be in (0, 1]");
    assertRefused(SessionTransitions.builder().reverse(1.1), "reverse must be in [0, 1]");
    assertRefused(SessionTransitions.builder().sourceExponent(3), "sourceExponent");
    assertRefused(SessionTransitions.builder().targetExponent(Double.NaN), "targetExponent");
    assertRefused(SessionTransitions.builder().neighbours(-1), "neighbours");
  }

  private static void assertRefused(SessionTransitions.Builder builder, String message) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }
}
