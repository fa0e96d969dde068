package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrategyTest {

  private static final int BLOCKS = 4;
  private static final int PER_BLOCK = 10;
  private static final int SEEN = 7;
  private static final int N = BLOCKS * PER_BLOCK;

  @TempDir Path folder;

  private final Ranker ranker = new Ranker();
  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    ranker.close();
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @Test
  void popularityIsTheSumOfWeights() {
    Interactions.Builder rows = Interactions.builder(ids("u", 3), ids("i", 4));
    long day = TimeUnit.DAYS.toMillis(1);
    add(rows, 0, 2, 1, 0);
    add(rows, 1, 2, 1, 2 * day);
    add(rows, 2, 1, 3, 0);
    add(rows, 0, 0, 0.5f, 4 * day);
    Dataset data = Dataset.of(rows.build());
    try (FittedStrategy all = Popularity.allTime().fit(FitContext.of(Device.cpu(), data));
        FittedStrategy recent =
            new Popularity("recent", 2).fit(FitContext.of(Device.cpu(), data))) {
      assertThat(HostArrays.toFloats(all.dense().orElseThrow().itemVectors()))
          .containsExactly(0.5f, 3, 2, 0);
      // Ages are 4, 2, 4 and 0 days.
      assertThat(HostArrays.toFloats(recent.dense().orElseThrow().itemVectors()))
          .containsExactly(0.5f, 0.75f, 0.75f, 0);
      RankedLists lists =
          ranker.rank(all, List.of(new UserState(0, new int[] {2, 0}), UserState.unseen()), 3);
      assertThat(lists.itemsOf(0)).containsExactly(1, 3);
      assertThat(lists.itemsOf(1)).containsExactly(1, 2, 0);
      assertThat(lists.scoresOf(1)).containsExactly(3, 2, 0.5f);
    }
  }

  @Test
  void latePopularityHalvesWithEachStepBack() {
    Interactions.Builder rows = Interactions.builder(ids("u", 2), ids("i", 3));
    add(rows, 0, 0, 1, 1);
    add(rows, 0, 1, 1, 2);
    add(rows, 0, 2, 1, 3);
    add(rows, 1, 0, 2, 1);
    FitContext context = FitContext.of(Device.cpu(), Dataset.of(rows.build()));
    try (FittedStrategy late = Popularity.late().fit(context)) {
      assertThat(HostArrays.toFloats(late.dense().orElseThrow().itemVectors()))
          .containsExactly(2.25f, 0.5f, 1);
    }
  }

  @Test
  void savedPopularityIsLoadedWithItsSettings() {
    Dataset data = Dataset.of(blocks(1));
    Interactions.Builder rows = Interactions.builder(ids("u", 1), ids("i", 2));
    add(rows, 0, 0, 1, 0);
    add(rows, 0, 1, 1, 5);
    for (Popularity popularity : List.of(Popularity.allTime(), new Popularity("p", 0.25))) {
      try (FittedStrategy fitted = popularity.fit(FitContext.of(Device.cpu(), data))) {
        Path bundle = save(fitted, data, "popularity-" + popularity.name());
        try (ModelBundle open = ModelBundle.open(bundle);
            FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
          assertThat(HostArrays.toFloats(loaded.dense().orElseThrow().itemVectors()))
              .isEqualTo(HostArrays.toFloats(fitted.dense().orElseThrow().itemVectors()));
          assertThat(loaded.configJson()).isEqualTo(fitted.configJson());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void twoTowersLearnBlocks(long seed) {
    Interactions train = blocks(seed);
    try (FittedStrategy fitted = fit(train, seed)) {
      List<UserState> users = users(train);
      RankedLists known = ranker.rank(fitted, users, PER_BLOCK - SEEN);
      assertThat(inBlock(known)).as("seed %d, known users", seed).isGreaterThan(0.9);
      List<UserState> unseen = users.stream().map(u -> UserState.unseen(u.history())).toList();
      RankedLists byHistory = ranker.rank(fitted, unseen, PER_BLOCK - SEEN);
      assertThat(inBlock(byHistory)).as("seed %d, by history", seed).isGreaterThan(0.9);
    }
  }

  @Test
  void aBatchIsServedAsItsUsersOneByOne() {
    Interactions train = blocks(1);
    try (FittedStrategy fitted = fit(train, 1)) {
      List<UserState> users = users(train);
      RankedLists together = ranker.rank(fitted, users, 5);
      for (int u = 0; u < users.size(); u++) {
        RankedLists alone = ranker.rank(fitted, List.of(users.get(u)), 5);
        assertThat(alone.itemsOf(0)).as("user %d", u).isEqualTo(together.itemsOf(u));
        for (int i = 0; i < 5; i++) {
          assertThat(alone.scoresOf(0)[i]).isCloseTo(together.scoresOf(u)[i], within(1e-4f));
        }
      }
    }
  }

  @Test
  void moreItemsThanThereAreGivesAllThatAreLeft() {
    Interactions train = blocks(1);
    try (FittedStrategy fitted = fit(train, 1)) {
      RankedLists lists =
          ranker.rank(fitted, List.of(users(train).get(3), UserState.unseen()), 5 * N);
      assertThat(lists.itemsOf(0))
          .hasSize(N - SEEN)
          .doesNotHaveDuplicates()
          .doesNotContain(train.seenOf(3));
      assertThat(lists.itemsOf(1)).hasSize(N).doesNotHaveDuplicates();
      float[] scores = lists.scoresOf(0);
      for (int i = 1; i < scores.length; i++) {
        assertThat(scores[i]).isLessThanOrEqualTo(scores[i - 1]);
      }
    }
  }

  @Test
  void aSavedTwoTowerGivesTheSameListsWhenLoaded() {
    Interactions train = blocks(1);
    Dataset data = new Dataset(train, features("user", 5), features("item", 6));
    TwoTowerStrategy strategy = strategy(1, 3).withItemStatistics(true);
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), data))) {
      Path bundle = save(fitted, data, "two-tower");
      List<UserState> users = new ArrayList<>(users(train));
      users.add(UserState.unseen(3, 1));
      users.add(UserState.unseen());
      RankedLists expected = ranker.rank(fitted, users, 6);
      try (ModelBundle open = ModelBundle.open(bundle);
          FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
        RankedLists actual = ranker.rank(loaded, users, 6);
        assertThat(actual.items()).isEqualTo(expected.items());
        assertThat(actual.scores()).isEqualTo(expected.scores());
        assertThat(loaded.configJson()).isEqualTo(fitted.configJson());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"shape\":{\"dimension\":-1}}",
        "{\"shape\":7}",
        "{\"shape\":{\"dimension\":4,\"hidden\":[],\"history\":\"LATER\"}}",
        "{\"shape\":{\"dimension\":\"x\"}}"
      })
  void aBrokenConfigurationIsRefused(String config) {
    Path bundle = folder.resolve("broken");
    new BundleWriter()
        .strategy("s", "two-tower", config, List.of())
        .users(List.of("a"))
        .items(List.of("b"))
        .write(bundle);
    try (ModelBundle open = ModelBundle.open(bundle)) {
      assertThatThrownBy(() -> Strategies.load(open.strategy("s"), Device.cpu()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("strategy 's'");
    }
  }

  @Test
  void anUnknownTypeIsRefused() {
    Path bundle = folder.resolve("unknown");
    new BundleWriter()
        .strategy("s", "three-tower", "{}", List.of())
        .users(List.of("a"))
        .items(List.of("b"))
        .write(bundle);
    try (ModelBundle open = ModelBundle.open(bundle)) {
      assertThatThrownBy(() -> Strategies.load(open.strategy("s"), Device.cpu()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("three-tower");
    }
  }

  @Test
  void trainingStartsAtGivenVectorsOrAtAnEarlierModel() {
    FitContext context = FitContext.of(Device.cpu(), Dataset.of(blocks(1)));
    float[] given = new float[N * 8];
    for (int i = 0; i < given.length; i++) {
      given[i] = i % 13 - 6;
    }
    TwoTowerStrategy still =
        strategy(1, 1)
            .withTraining(
                TrainingOptions.builder()
                    .epochs(1)
                    .userLearningRate(0)
                    .itemLearningRate(0)
                    .learningRate(0)
                    .build());
    try (FittedStrategy fitted =
            still.fit(context.withStart(List.of(TensorSource.of("item.id", given, N, 8))));
        FittedStrategy learned = strategy(2, 5).fit(context)) {
      assertThat(tensor(fitted, "item.id")).isEqualTo(given);
      try (FittedStrategy again = still.fit(context.withStart(learned.tensors()))) {
        assertThat(ranker.rank(again, users(blocks(1)), 5).scores())
            .isEqualTo(ranker.rank(learned, users(blocks(1)), 5).scores());
      }
    }
    assertThatThrownBy(
            () ->
                still.fit(context.withStart(List.of(TensorSource.of("item.id", given, N / 2, 16)))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item.id");
    assertThatThrownBy(
            () -> still.fit(context.withStart(List.of(TensorSource.of("items", given, N, 8)))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("belongs to one of its parameters");
  }

  private static float[] tensor(FittedStrategy fitted, String name) {
    return fitted.tensors().stream()
        .filter(source -> source.spec().name().equals(name))
        .findFirst()
        .orElseThrow()
        .toFloats();
  }

  @Test
  void nothingToLearnFromIsRefused() {
    Dataset data = Dataset.of(Interactions.empty(ids("u", 2), ids("i", 2)));
    assertThatThrownBy(() -> strategy(1, 1).fit(FitContext.of(Device.cpu(), data)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two-tower");
  }

  private Path save(FittedStrategy fitted, Dataset data, String name) {
    Path bundle = folder.resolve(name);
    new BundleWriter()
        .strategy("s", fitted.type(), fitted.configJson(), fitted.tensors())
        .users(namesOf(data.interactions().users()))
        .items(namesOf(data.interactions().items()))
        .write(bundle);
    return bundle;
  }

  private static List<String> namesOf(IdIndex ids) {
    return IntStream.range(0, ids.size()).mapToObj(ids::idOf).toList();
  }

  private static FittedStrategy fit(Interactions train, long seed) {
    return strategy(seed, 30).fit(FitContext.of(Device.cpu(), Dataset.of(train)));
  }

  private static TwoTowerStrategy strategy(long seed, int epochs) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder()
            .dimension(8)
            .history(TwoTowerOptions.History.SHARED)
            .biases(true)
            .build(),
        SamplingOptions.builder()
            .negatives(20)
            .idDropout(0.5f)
            .history(SamplingOptions.HistoryView.OTHERS)
            .build(),
        TrainingOptions.builder().epochs(epochs).batchSize(64).seed(seed).build());
  }

  /** Each user knows most items of one block, in random order. */
  private static Interactions blocks(long seed) {
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(ids("u", N), ids("i", N));
    for (int user = 0; user < N; user++) {
      List<Integer> items = new ArrayList<>();
      for (int i = 0; i < PER_BLOCK; i++) {
        items.add(user % BLOCKS + i * BLOCKS);
      }
      Collections.shuffle(items, random);
      for (int i = 0; i < SEEN; i++) {
        add(rows, user, items.get(i), 1, 1000L * i);
      }
    }
    return rows.build();
  }

  private static List<UserState> users(Interactions train) {
    List<UserState> users = new ArrayList<>();
    for (int user = 0; user < train.numUsers(); user++) {
      users.add(new UserState(user, train.historyOf(user)));
    }
    return users;
  }

  /** The share of list entries of the user's own block; by chance it would be 0.09. */
  private static double inBlock(RankedLists lists) {
    int hits = 0;
    for (int user = 0; user < N; user++) {
      int block = user % BLOCKS;
      hits += (int) Arrays.stream(lists.itemsOf(user)).filter(i -> i % BLOCKS == block).count();
    }
    return hits / (double) (N * (PER_BLOCK - SEEN));
  }

  private static FeatureTable features(String prefix, long seed) {
    Random random = new Random(seed);
    int[] codes = new int[N];
    float[] numbers = new float[N];
    float[] vectors = new float[2 * N];
    for (int i = 0; i < N; i++) {
      codes[i] = random.nextInt(3);
      numbers[i] = (float) random.nextGaussian();
      vectors[2 * i] = (float) random.nextGaussian();
      vectors[2 * i + 1] = (float) random.nextGaussian();
    }
    return FeatureTable.builder(N)
        .add(new FeatureColumn.Categorical(prefix + "-kind", List.of("", "a", "b"), codes))
        .add(new FeatureColumn.Numeric(prefix + "-size", numbers))
        .add(new FeatureColumn.DenseVector(prefix + "-text", 2, vectors))
        .build();
  }

  private static void add(Interactions.Builder rows, int user, int item, float weight, long time) {
    rows.add(user, item, EventType.CLICK, Float.NaN, weight, time, InteractionFeatures.UNKNOWN);
  }

  private static IdIndex ids(String prefix, int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(prefix + i);
    }
    return IdIndex.of(ids);
  }
}
