package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Parts by item of the history: they add up, and each is what the item alone would give. */
class HistoryScoresTest {

  private static final int USERS = 60;
  private static final int ITEMS = 40;
  private static final HistoryWeights DECAYING = new HistoryWeights(0.7, 0.5, 5);

  @Test
  void thePartsAddUpToTheScore() {
    for (long seed = 1; seed <= 4; seed++) {
      Random random = new Random(seed);
      Dataset data = data(random);
      for (Strategy strategy : strategies(DECAYING)) {
        try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
          HistoryScores parts = fitted.byHistory().orElseThrow();
          for (int i = 0; i < 40; i++) {
            UserState user = user(random, data.interactions());
            int item = random.nextInt(ITEMS);
            float score = Ranker.scores(fitted, List.of(user), new int[] {item})[0];
            float[] split = parts.parts(user, item);
            double sum = 0;
            double size = 0;
            for (float part : split) {
              sum += part;
              size += Math.abs(part);
            }
            assertThat(split).hasSize(user.history().length);
            // Float32 sums of less than 100 products.
            assertThat(sum)
                .as("seed %d, %s, item %d, %s", seed, strategy.name(), item, user)
                .isCloseTo(score, within(1e-5 * (1 + size)));
          }
        }
      }
    }
  }

  @Test
  void eachPartIsTheScoreOfThatItemAlone() {
    for (long seed = 1; seed <= 4; seed++) {
      Random random = new Random(seed);
      Dataset data = data(random);
      for (Strategy strategy : strategies(HistoryWeights.EQUAL)) {
        try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
          int[] history = random.ints(6, 0, ITEMS - 1).distinct().toArray();
          int item = random.nextInt(ITEMS);
          float[] split = fitted.byHistory().orElseThrow().parts(UserState.unseen(history), item);
          // The mean of the vectors that there are, not their sum.
          float share =
              strategy instanceof ContentVectors
                  ? Arrays.stream(history).filter(i -> i % 7 != 0).count()
                  : 1;
          for (int i = 0; i < history.length; i++) {
            UserState alone = UserState.unseen(history[i]);
            float score = Ranker.scores(fitted, List.of(alone), new int[] {item})[0];
            assertThat(split[i])
                .as(
                    "seed %d, %s, item %d of %s",
                    seed, strategy.name(), i, Arrays.toString(history))
                .isCloseTo(score / share, within(1e-5f * (1 + Math.abs(score))));
          }
        }
      }
    }
  }

  @Test
  void whatIsNoSumOverTheHistoryHasNoParts() {
    Dataset data = data(new Random(1));
    try (FittedStrategy popular = Popularity.allTime().fit(FitContext.of(Device.cpu(), data))) {
      assertThat(popular.byHistory()).isEmpty();
    }
  }

  private static List<Strategy> strategies(HistoryWeights history) {
    return List.of(
        ItemNeighbours.builder().history(history).build(),
        SessionTransitions.builder().history(history).build(),
        // All users are neighbours: else the neighbours of one item are not those of many.
        UserNeighbours.builder().neighbours(USERS).history(history).build(),
        LowPass.builder().factors(8).neighbours(20).history(history).build(),
        new ContentVectors("content", "", 0.3, history));
  }

  private static Dataset data(Random random) {
    Interactions events = RandomEvents.of(random, USERS, ITEMS, 12);
    float[] vectors = new float[ITEMS * 3];
    for (int i = 0; i < vectors.length; i++) {
      // Some items have no vector.
      vectors[i] = i / 3 % 7 == 0 ? 0 : (float) random.nextGaussian();
    }
    return new Dataset(
        events,
        FeatureTable.empty(USERS),
        FeatureTable.builder(ITEMS).add(new FeatureColumn.DenseVector("text", 3, vectors)).build());
  }

  /** Known or not, with repeated items, sometimes without any. */
  private static UserState user(Random random, Interactions events) {
    if (random.nextBoolean()) {
      int user = random.nextInt(USERS);
      return new UserState(user, events.historyOf(user));
    }
    return UserState.unseen(random.ints(random.nextInt(9), 0, ITEMS).toArray());
  }
}
