package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContentNeighboursTest {

  private static final int ITEMS = 60;
  private static final int BRANDS = 7;
  private static final int TAGS = 15;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void weightsAreThoseOfTheFormula(long seed) {
    Random random = new Random(seed);
    Interactions events = RandomEvents.of(random, 30, ITEMS, 20);
    double[][] counts = new double[ITEMS][BRANDS + TAGS];
    Dataset data = withAttributes(events, random, counts);
    ContentNeighbours strategy =
        ContentNeighbours.builder()
            .popularityExponent(random.nextDouble() - 0.3)
            .neighbours(1 + random.nextInt(60))
            .maxAttributeItems(random.nextBoolean() ? 10 : 1000)
            .build();
    NearestItemsOracle.assertNearest(
        NearestItemsOracle.fit(strategy, data),
        naive(strategy, events, counts),
        strategy.neighbours(),
        "seed " + seed + ", " + strategy);
  }

  /** A brand and some tags, one of them perhaps twice; item 5 has nothing. */
  private static Dataset withAttributes(Interactions events, Random random, double[][] counts) {
    int[] brands = new int[ITEMS];
    int[] offsets = new int[ITEMS + 1];
    List<Integer> tags = new ArrayList<>();
    for (int item = 0; item < ITEMS; item++) {
      if (item != 5) {
        brands[item] = random.nextInt(BRANDS + 1);
        for (int n = random.nextInt(5); n > 0; n--) {
          tags.add(random.nextInt(TAGS + 1));
          if (tags.get(tags.size() - 1) > 0) {
            counts[item][BRANDS + tags.get(tags.size() - 1) - 1]++;
          }
        }
        if (brands[item] > 0) {
          counts[item][brands[item] - 1]++;
        }
      }
      offsets[item + 1] = tags.size();
    }
    FeatureTable table =
        FeatureTable.builder(ITEMS)
            .add(new FeatureColumn.Categorical("brand", words(BRANDS), brands))
            .add(new FeatureColumn.Numeric("price", new float[ITEMS]))
            .add(
                new FeatureColumn.MultiHot(
                    "tags", words(TAGS), offsets, tags.stream().mapToInt(t -> t).toArray()))
            .build();
    return new Dataset(events, FeatureTable.empty(events.numUsers()), table);
  }

  private static List<String> words(int count) {
    return IntStream.rangeClosed(0, count).mapToObj(w -> w == 0 ? "" : "w" + w).toList();
  }

  private static double[][] naive(
      ContentNeighbours options, Interactions events, double[][] counts) {
    double[][] vectors = new double[ITEMS][BRANDS + TAGS];
    for (int a = 0; a < BRANDS + TAGS; a++) {
      int attribute = a;
      long items = IntStream.range(0, ITEMS).filter(i -> counts[i][attribute] > 0).count();
      for (int i = 0; i < ITEMS && items <= options.maxAttributeItems(); i++) {
        vectors[i][a] = items == 0 ? 0 : counts[i][a] * Math.log((double) ITEMS / items);
      }
    }
    double[] popularity = new double[ITEMS];
    for (int row = 0; row < events.size(); row++) {
      popularity[events.itemAt(row)] += events.weightAt(row);
    }
    double[][] weights = new double[ITEMS][ITEMS];
    for (int i = 0; i < ITEMS; i++) {
      for (int j = 0; j < ITEMS; j++) {
        double product = dot(vectors[i], vectors[j]);
        if (product > 0) {
          weights[i][j] =
              product
                  / Math.sqrt(dot(vectors[i], vectors[i]) * dot(vectors[j], vectors[j]))
                  * Math.pow(Math.max(1, popularity[j]), options.popularityExponent());
        }
      }
    }
    return weights;
  }

  private static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(d -> a[d] * b[d]).sum();
  }

  @Test
  void itemsThatNobodyKnowsAreScoredByWhatTheyAre() {
    Interactions events = RandomEvents.sequences(4, new int[] {0, 0, 1});
    Dataset data = brands(events, 1, 2, 1, 0);
    ContentNeighbours strategy = ContentNeighbours.builder().popularityExponent(0.5).build();
    ScoreSums sums = new ScoreSums(4);
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
      fitted.sparse().orElseThrow().score(UserState.unseen(0), sums);
      assertThat(sums.sortedItems()).containsExactly(2);
      assertThat(sums.get(2)).isEqualTo(1, within(1e-6f));
      sums.clear();
      // From the cold item to the one with two interactions; nothing from the one without a brand.
      fitted.sparse().orElseThrow().score(UserState.unseen(3, 2), sums);
      assertThat(sums.sortedItems()).containsExactly(0);
      assertThat(sums.get(0)).isEqualTo((float) Math.sqrt(2), within(1e-6f));
    }
    try (FittedStrategy fitted =
        strategy.fit(
            FitContext.of(
                Device.cpu(), data.withInteractions(RandomEvents.sequences(4, new int[0]))))) {
      assertThat(fitted.numItems()).isEqualTo(4);
    }
  }

  @Test
  void theResultDoesNotDependOnTheNumberOfThreads() {
    Random random = new Random(2);
    Interactions events = RandomEvents.of(random, 30, ITEMS, 20);
    NearestItemsOracle.assertIndependentOfThreads(
        ContentNeighbours.builder().neighbours(10).build(),
        withAttributes(events, random, new double[ITEMS][BRANDS + TAGS]));
  }

  @Test
  void onlyTheNamedFeaturesAreUsed() {
    Interactions events = RandomEvents.sequences(4, new int[] {0});
    FeatureTable table =
        FeatureTable.builder(4)
            .add(new FeatureColumn.Categorical("a", words(2), new int[] {1, 1, 2, 2}))
            .add(new FeatureColumn.Categorical("b", words(2), new int[] {1, 2, 1, 2}))
            .add(new FeatureColumn.Numeric("n", new float[4]))
            .build();
    Dataset data = new Dataset(events, FeatureTable.empty(1), table);
    ContentNeighbours.Builder builder = ContentNeighbours.builder();
    assertThat(NearestItemsOracle.fit(builder.build(), data).items())
        .containsExactly(1, 2, 0, 3, 0, 3, 1, 2);
    assertThat(NearestItemsOracle.fit(builder.features(List.of("b")).build(), data).items())
        .containsExactly(2, 3, 0, 1);
    assertRefused(builder.features(List.of("c")).build(), data, "no feature 'c', only [a, b, n]");
    assertRefused(builder.features(List.of("n")).build(), data, "'n' is neither");
  }

  @Test
  void attributesThatTellNothingAreRefused() {
    Interactions events = RandomEvents.sequences(4, new int[] {0});
    assertRefused(
        ContentNeighbours.attributes(), Dataset.of(events), "no categorical or multi-hot feature");
    assertRefused(
        ContentNeighbours.attributes(), brands(events, 0, 0, 0, 0), "that tells it apart");
    assertRefused(
        ContentNeighbours.attributes(), brands(events, 1, 1, 1, 1), "that tells it apart");
    assertRefused(
        ContentNeighbours.builder().maxAttributeItems(1).build(),
        brands(events, 1, 1, 2, 2),
        "maxAttributeItems = 1");
  }

  private static void assertRefused(Strategy strategy, Dataset data, String message) {
    assertThatThrownBy(() -> NearestItemsOracle.fit(strategy, data))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("strategy 'content'")
        .hasMessageContaining(message);
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    ContentNeighbours good = ContentNeighbours.attributes().ordered();
    assertThat(good.toBuilder().build()).isEqualTo(good);
    assertThat(good.history()).isEqualTo(HistoryWeights.RECENT);
    assertRefused(ContentNeighbours.builder().name(""), "name");
    assertRefused(ContentNeighbours.builder().popularityExponent(2.5), "popularityExponent");
    assertRefused(ContentNeighbours.builder().neighbours(0), "neighbours must be > 0 but was 0");
    assertRefused(ContentNeighbours.builder().maxAttributeItems(0), "maxAttributeItems");
  }

  private static void assertRefused(ContentNeighbours.Builder builder, String message) {
    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  static Dataset brands(Interactions events, int... brands) {
    FeatureTable table =
        FeatureTable.builder(brands.length)
            .add(new FeatureColumn.Categorical("brand", words(2), brands))
            .build();
    return new Dataset(events, FeatureTable.empty(events.numUsers()), table);
  }
}
