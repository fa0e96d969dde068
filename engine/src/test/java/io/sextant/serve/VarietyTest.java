package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.Diversity;
import io.sextant.InvalidInputException;
import io.sextant.RecommendationRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VarietyTest {

  @TempDir Path folder;

  /** The definition, with everything computed anew for each place. */
  private static List<Integer> naive(
      float[] scores, int k, Diversity diversity, int[][] values, Variety.Likeness likeness) {
    List<Integer> list = new ArrayList<>();
    double least = scores[scores.length - 1];
    double range = scores[0] - least;
    while (list.size() < k) {
      Map<Integer, Integer> counts = new HashMap<>();
      for (int i : list) {
        for (int code : values.length == 0 ? new int[0] : values[i]) {
          counts.merge(code, 1, Integer::sum);
        }
      }
      int best = -1;
      double bestValue = 0;
      for (int i = 0; i < scores.length; i++) {
        boolean full =
            values.length > 0
                && Arrays.stream(values[i])
                    .anyMatch(c -> counts.getOrDefault(c, 0) >= diversity.maxPerValue());
        if (list.contains(i) || full) {
          continue;
        }
        int item = i;
        double likest = list.stream().mapToDouble(j -> likeness.of(item, j)).max().orElse(0);
        double value =
            diversity.relevance() * (range > 0 ? (scores[i] - least) / range : 1)
                - (1 - diversity.relevance()) * likest;
        if (best < 0 || value > bestValue) {
          best = i;
          bestValue = value;
        }
      }
      if (best < 0) {
        break;
      }
      list.add(best);
    }
    return list;
  }

  @Test
  void greedyChoicesAreThoseOfTheDefinition() {
    for (long seed = 1; seed <= 60; seed++) {
      Random random = new Random(seed);
      int pool = 1 + random.nextInt(40);
      float[] scores = new float[pool];
      for (int i = 0; i < pool; i++) {
        scores[i] = random.nextInt(20);
      }
      Arrays.sort(scores);
      for (int i = 0; i < pool / 2; i++) {
        float swapped = scores[i];
        scores[i] = scores[pool - 1 - i];
        scores[pool - 1 - i] = swapped;
      }
      float[] directions = new float[pool * 3];
      for (int i = 0; i < directions.length; i++) {
        directions[i] = (float) random.nextGaussian();
      }
      Variety.Likeness likeness = Variety.cosine(directions, 3);
      int[][] values =
          random.nextBoolean()
              ? new int[0][]
              : IntStream.range(0, pool)
                  .mapToObj(i -> random.ints(random.nextInt(3), 0, 4).distinct().toArray())
                  .toArray(int[][]::new);
      Diversity diversity =
          new Diversity(
              "a", 1 + random.nextInt(3), random.nextInt(3) == 0 ? 1 : random.nextFloat());
      int k = 1 + random.nextInt(15);
      assertThat(Variety.take(scores, k, diversity, values, likeness))
          .as("seed %d, %s", seed, diversity)
          .containsExactly(
              naive(scores, k, diversity, values, likeness).stream().mapToInt(i -> i).toArray());
    }
  }

  @Test
  void likenessOfAttributesIsTheSharedPart() {
    Variety.Likeness likeness =
        Variety.shared(List.of(Set.of("a", "b"), Set.of("b", "c", "d"), Set.of(), Set.of()));
    assertThat(likeness.of(0, 1)).isCloseTo(0.25, within(1e-12));
    assertThat(likeness.of(0, 0)).isEqualTo(1);
    assertThat(likeness.of(0, 2)).isZero();
    assertThat(likeness.of(2, 3)).isZero();
  }

  @Test
  void aLimitLooksAsFarDownTheRankingAsItMust() {
    // The best items of the user are all of one kind: the others stand far below.
    int[] history = {1, 0};
    List<Integer> ranking =
        IntStream.range(0, FakeModel.ITEMS)
            .filter(i -> i > 1)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -FakeModel.score(1, history, i)))
            .toList();
    StringBuilder attributes = new StringBuilder("{\"i0\": {}");
    List<String> expected = new ArrayList<>(List.of("i" + ranking.get(0), "i" + ranking.get(1)));
    for (int rank = 0; rank < ranking.size(); rank++) {
      boolean other = rank >= 150 && rank % 10 == 0;
      attributes.append(
          ", \"i%d\": {\"kind\": \"%s\"}"
              .formatted(ranking.get(rank), other ? "k" + rank : "usual"));
      if (other && expected.size() < 8) {
        expected.add("i" + ranking.get(rank));
      }
    }
    Path bundle = folder.resolve("b");
    FakeModel.writer(1)
        .document(ServedVersion.ATTRIBUTES, attributes.append('}').toString())
        .write(bundle);
    Queue<FakeModel> models = new ConcurrentLinkedQueue<>();
    RecommenderOptions options =
        RecommenderOptions.builder().timeout(Duration.ofSeconds(30)).build();
    try (Recommender recommender =
        Recommender.open(bundle, options, FakeModel.loader(models, users -> {}))) {
      RecommendationRequest request =
          RecommendationRequest.forUser("u0").k(8).diversity(Diversity.atMost(2, "kind")).build();
      models.element().batches.clear();
      assertThat(recommender.recommend(request).itemIds()).isEqualTo(expected);
      // The best 100, 200, and then all.
      assertThat(models.element().batches).containsExactly(1, 1, 1);
      assertThat(recommender.recommendAsync(request).join().itemIds()).isEqualTo(expected);
    }
  }

  @Test
  void numbersOutOfRangeAreRefused() {
    assertThatThrownBy(() -> Diversity.atMost(0, "a")).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Diversity.marginalRelevance(1.5))
        .hasMessage("relevance must lie in [0, 1] but was 1.5");
    assertThatThrownBy(() -> Diversity.marginalRelevance(Double.NaN))
        .isInstanceOf(InvalidInputException.class);
  }
}
