package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ItemNeighboursTest {

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void weightsAreThoseOfTheFormula(long seed) {
    Random random = new Random(seed);
    Interactions events = RandomEvents.of(random, 30, 75, 25);
    ItemNeighbours strategy =
        ItemNeighbours.builder()
            .userExponent(random.nextDouble() * 1.5 - 0.5)
            .sourceExponent(random.nextDouble())
            .targetExponent(random.nextDouble())
            .shrinkage(random.nextInt(2) * 3.5)
            .neighbours(1 + random.nextInt(60))
            .maxUserItems(random.nextBoolean() ? 7 : 1000)
            .build();
    NearestItemsOracle.assertNearest(
        NearestItemsOracle.fit(strategy, Dataset.of(events)),
        naive(strategy, RandomEvents.heaviest(events, strategy.maxUserItems())),
        strategy.neighbours(),
        "seed " + seed + ", " + strategy);
  }

  private static double[][] naive(ItemNeighbours options, double[][] x) {
    int numItems = x[0].length;
    double[][] weights = new double[numItems][numItems];
    for (int i = 0; i < numItems; i++) {
      for (int j = 0; j < numItems; j++) {
        double sum = 0;
        for (int user = 0; user < x.length; user++) {
          if (x[user][i] > 0 && x[user][j] > 0) {
            double degree = RandomEvents.rowSum(x, user);
            sum += Math.pow(degree, -options.userExponent()) * x[user][i] * x[user][j];
          }
        }
        if (sum > 0) {
          double source = Math.pow(RandomEvents.columnSum(x, i), options.sourceExponent());
          double target = Math.pow(RandomEvents.columnSum(x, j), options.targetExponent());
          weights[i][j] = sum / (source * target + options.shrinkage());
        }
      }
    }
    return weights;
  }

  @Test
  void presetsByHand() {
    // Item 0 has 4 users, item 1 has 1, item 2 has 2; user 0 has all three.
    Interactions events =
        RandomEvents.sequences(
            3, new int[] {0, 1, 2}, new int[] {0, 2}, new int[] {0}, new int[] {0});
    ItemWeights cosine = weights(ItemNeighbours.cosine().toBuilder().shrinkage(0).build(), events);
    assertThat(cosine.starts()).containsExactly(0, 2, 4, 6);
    assertThat(cosine.items()).containsExactly(1, 2, 0, 2, 0, 1);
    float root2 = (float) Math.sqrt(2);
    float root8 = (float) Math.sqrt(8);
    assertThat(cosine.weights())
        .containsExactly(new float[] {0.5f, 2 / root8, 0.5f, 1 / root2, 2 / root8, 1 / root2}, e());
    assertThat(weights(ItemNeighbours.cosine(), events).weights()[0])
        .isEqualTo(1f / 12, within(1e-6f));
    // From 0 to 1: 1 of the 4 users of 0; from 1 to 0: all users of 1.
    ItemWeights confidence =
        weights(ItemNeighbours.asymmetricCosine(1).toBuilder().shrinkage(0).build(), events);
    assertThat(confidence.weights()).containsExactly(new float[] {0.25f, 0.5f, 1, 1, 1, 0.5f}, e());
    // A walk 0 -> user -> 2: user 0 (1/4, then 1/3) or user 1 (1/4, then 1/2).
    ItemWeights walks =
        weights(
            ItemNeighbours.builder().userExponent(1).sourceExponent(1).targetExponent(0).build(),
            events);
    assertThat(walks.weights()[1]).isEqualTo(1f / 12 + 1f / 8, within(1e-6f));
  }

  @Test
  void ofEqualWeightsThoseOfLowerItemsAreKept() {
    Interactions events = RandomEvents.sequences(6, new int[] {0, 1, 2, 3, 4, 5});
    ItemWeights weights =
        weights(ItemNeighbours.rp3beta().toBuilder().neighbours(2).build(), events);
    assertThat(weights.items()).containsExactly(1, 2, 0, 2, 0, 1, 0, 1, 0, 1, 0, 1);
  }

  @Test
  void theResultDoesNotDependOnTheNumberOfThreads() {
    Interactions events = RandomEvents.of(new Random(11), 200, 300, 40);
    NearestItemsOracle.assertIndependentOfThreads(
        ItemNeighbours.builder().neighbours(50).build(), Dataset.of(events));
  }

  @Test
  void theLatestItemsOfAnOrderedHistoryCountMost() {
    Interactions events =
        RandomEvents.sequences(4, new int[] {0, 2}, new int[] {1, 3}, new int[] {1, 3});
    ItemNeighbours strategy =
        ItemNeighbours.builder().userExponent(0).sourceExponent(0).targetExponent(0).build();
    ScoreSums sums = new ScoreSums(4);
    try (FittedStrategy fitted =
        strategy.ordered().fit(FitContext.of(Device.cpu(), Dataset.of(events)))) {
      fitted.sparse().orElseThrow().score(UserState.unseen(1, 0), sums);
    }
    assertThat(sums.get(2)).isEqualTo(1);
    assertThat(sums.get(3)).isEqualTo(2 * 0.6f);
  }

  @Test
  void nothingToLearnFromIsRefused() {
    Interactions none = RandomEvents.sequences(2, new int[0]);
    assertThatThrownBy(() -> weights(ItemNeighbours.rp3beta(), none))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'rp3beta' has no interaction");
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    ItemNeighbours.Builder good = ItemNeighbours.builder();
    assertThat(good.build().toBuilder().build()).isEqualTo(good.build());
    assertRefused(ItemNeighbours.builder().name(" "), "name");
    assertRefused(ItemNeighbours.builder().userExponent(Double.NaN), "userExponent");
    assertRefused(ItemNeighbours.builder().sourceExponent(2.1), "sourceExponent");
    assertRefused(ItemNeighbours.builder().targetExponent(-1.1), "targetExponent");
    assertRefused(ItemNeighbours.builder().shrinkage(-1), "shrinkage must be finite and >= 0");
    assertRefused(ItemNeighbours.builder().neighbours(0), "neighbours must be > 0 but was 0");
    assertRefused(ItemNeighbours.builder().maxUserItems(-3), "maxUserItems");
    assertThatThrownBy(() -> ItemNeighbours.asymmetricCosine(1.5)).hasMessageContaining("alpha");
  }

  private static void assertRefused(ItemNeighbours.Builder builder, String message) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  private static ItemWeights weights(Strategy strategy, Interactions events) {
    return NearestItemsOracle.fit(strategy, Dataset.of(events));
  }

  private static Offset<Float> e() {
    return within(1e-6f);
  }
}
