package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotInput;
import io.sextant.nn.FewShotModel;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Users of four tastes, each with items of their own, popular and rare; a user's kind tells the
 * taste. The last users are not in the training part.
 */
class FewShotStrategyTest {

  private static final int TASTES = 4;
  private static final int PER_TASTE = 15;
  private static final int ITEMS = TASTES * PER_TASTE;
  private static final int USERS = 200;
  private static final int UNSEEN = 40;
  private static final int EVENTS = 8;

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

  /** With one event nearly all of the list is of the taste; ALS, folded in, is no better. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void oneEventOfAnUnseenUserTellsTheTaste(long seed) {
    Interactions all = events(seed);
    Dataset train = Dataset.of(seen(all));
    try (FittedStrategy adapted = strategy(seed).fit(FitContext.of(Device.cpu(), train));
        FittedStrategy als =
            Als.builder().factors(8).build().fit(FitContext.of(Device.cpu(), train))) {
      double share = ofTheTaste(adapted, all, 1);
      assertThat(share).as("seed %d", seed).isGreaterThan(0.9);
      assertThat(share).as("seed %d", seed).isGreaterThanOrEqualTo(ofTheTaste(als, all, 1));
      assertThat(ofTheTaste(adapted, all, 0)).as("seed %d, no event", seed).isLessThan(0.5);
      assertThat(ofTheTaste(adapted, all, 5)).as("seed %d, 5 events", seed).isGreaterThan(0.95);
    }
  }

  /** A user of known features starts where users of these features are. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void featuresTellTheTasteWithoutAnyEvent(long seed) {
    Interactions all = events(seed);
    Dataset train = new Dataset(seen(all), kinds(), FeatureTable.empty(ITEMS));
    try (FittedStrategy adapted = strategy(seed).fit(FitContext.of(Device.cpu(), train))) {
      assertThat(ofTheTaste(adapted, all, 0)).as("seed %d", seed).isGreaterThan(0.9);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "META_SGD, LOGISTIC, TUNED, 0, 1",
    "META_SGD, LOGISTIC, MAPPED, 5, 3",
    "META_SGD, SOFTMAX, TUNED, 6, 3",
    "META_SGD, SOFTMAX, GIVEN, 6, 2",
    "FIRST_ORDER_MAML, SOFTMAX, TUNED, 6, 3",
    "FIRST_ORDER_MAML, LOGISTIC, GIVEN, 0, 2",
  })
  void theStepsInJavaAreTheRecordedOnes(
      FewShotOptions.Method method,
      FewShotOptions.Loss loss,
      FewShotOptions.Items items,
      int negatives,
      int steps) {
    FewShotOptions options =
        FewShotOptions.builder()
            .method(method)
            .loss(loss)
            .items(items)
            .negatives(negatives)
            .steps(steps)
            .maxEvents(4)
            .build();
    Random random = new Random(3);
    List<UserState> users =
        List.of(
            UserState.unseen(),
            UserState.unseen(5),
            new UserState(1, new int[] {5, 5, 7}),
            new UserState(2, new int[] {1, 2, 3, 4, 5, 6, 7}),
            new UserState(3, new int[0]));
    FeatureBags features = FeatureBags.of(EntityFeatures.of(kinds()));
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray vectors =
                HostArrays.floats(scope.manager(), gaussian(random, ITEMS * 5), ITEMS, 5);
            int[] against = IntStream.range(0, negatives).map(i -> 2 * i).toArray();
            FewShotModel model =
                new FewShotModel(scope, vectors, gaussian(random, 5), features, against, options);
            for (NamedParameter named : model.namedParameters()) {
              NDArray value = named.parameter().getArray();
              NDArray noise =
                  HostArrays.floats(
                      scope.manager(),
                      gaussian(random, (int) value.size()),
                      value.getShape().getShape());
              value.addi(noise.mul(0.3f));
            }
            FewShotInput input =
                FewShotInput.of(
                    scope.manager(),
                    features,
                    users.stream().mapToInt(UserState::userIndex).toArray(),
                    users.stream().map(UserState::history).toArray(int[][]::new),
                    options.maxEvents());
            float[] recorded =
                HostArrays.toFloats(model.adapt(new ParameterValues(scope.manager()), input));
            float[] inJava = FewShotAdapter.of(model, features).adapt(users);
            assertThat(inJava).usingComparatorWithPrecision(1e-4f).containsExactly(recorded);
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"MAPPED, LOGISTIC, 0", "TUNED, SOFTMAX, 7", "GIVEN, LOGISTIC, 3"})
  void aSavedOneWithFeaturesAdaptsAlikeWhenLoaded(
      FewShotOptions.Items items, FewShotOptions.Loss loss, int negatives) {
    Interactions all = events(1);
    Dataset train = new Dataset(seen(all), kinds(), FeatureTable.empty(ITEMS));
    FewShotOptions options =
        FewShotOptions.builder().items(items).loss(loss).negatives(negatives).build();
    FewShotStrategy strategy =
        FewShotStrategy.of(
            new FewShotSettings(options, TrainingOptions.builder().epochs(2).build()),
            Als.builder().factors(4).build());
    List<UserState> users = new ArrayList<>(states(all, 3));
    users.add(UserState.unseen());
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), train))) {
      RankedLists expected = ranker.rank(fitted, users, 9);
      Path bundle = write(fitted, tensors -> tensors);
      try (ModelBundle open = ModelBundle.open(bundle);
          FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
        RankedLists actual = ranker.rank(loaded, users, 9);
        assertThat(actual.items()).isEqualTo(expected.items());
        assertThat(actual.scores()).isEqualTo(expected.scores());
      }
    }
  }

  @Test
  void aBundleThatContradictsItselfIsRefused() {
    Interactions all = events(1);
    Dataset train = new Dataset(seen(all), kinds(), FeatureTable.empty(ITEMS));
    FewShotStrategy strategy =
        FewShotStrategy.of(
            new FewShotSettings(
                FewShotOptions.builder().negatives(3).build(),
                TrainingOptions.builder().epochs(1).build()),
            Als.builder().factors(4).build());
    try (FittedStrategy fitted = strategy.fit(FitContext.of(Device.cpu(), train))) {
      refused(fitted, TensorSource.of("fewshot.start", new float[4], 4), "fewshot.start");
      refused(
          fitted, TensorSource.of("fewshot.power", new float[] {Float.NaN}, 1), "fewshot.power");
      refused(
          fitted,
          TensorSource.of("fewshot.negatives", new int[] {0, 1, ITEMS}, 3),
          "fewshot.negatives");
      refused(fitted, TensorSource.of("fewshot.map", new float[9], 9), "fewshot.map");
      refused(
          fitted,
          TensorSource.of("users.bags.rows", filled(USERS, 99), USERS, 1),
          "users.bags.rows");
    }
  }

  private void refused(FittedStrategy fitted, TensorSource other, String message) {
    String name = other.spec().name();
    Path bundle =
        write(
            fitted,
            tensors ->
                tensors.stream().map(t -> t.spec().name().equals(name) ? other : t).toList());
    try (ModelBundle open = ModelBundle.open(bundle)) {
      assertThatThrownBy(() -> Strategies.load(open.strategy("s"), Device.cpu()).close())
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(message);
    }
  }

  /** Without adaptation a two-tower of ids knows nothing of them; for its own users all stays. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aTwoTowerAdaptsToUsersThatItHasNotSeen(long seed) {
    Interactions all = events(seed);
    Dataset train = new Dataset(seen(all), kinds(), FeatureTable.empty(ITEMS));
    TwoTowerStrategy plain = twoTower(seed);
    TwoTowerStrategy few =
        plain.withFewShot(
            new FewShotSettings(
                FewShotOptions.builder().maxEvents(5).build(),
                TrainingOptions.builder()
                    .epochs(20)
                    .batchSize(32)
                    .learningRate(0.02f)
                    .userLearningRate(0.05f)
                    .seed(seed)
                    .build()));
    List<UserState> known =
        IntStream.range(0, USERS - UNSEEN)
            .mapToObj(user -> new UserState(user, all.historyOf(user)))
            .toList();
    try (FittedStrategy without = plain.fit(FitContext.of(Device.cpu(), train));
        FittedStrategy with = few.fit(FitContext.of(Device.cpu(), train))) {
      assertThat(ranker.rank(with, known, 5).scores())
          .isEqualTo(ranker.rank(without, known, 5).scores());
      List<UserState> byEvent =
          states(all, 1).stream().map(u -> UserState.unseen(u.history())).toList();
      assertThat(ofTheTaste(ranker.rank(with, byEvent, 5), all))
          .as("seed %d, by one event", seed)
          .isGreaterThan(0.7);
      assertThat(ofTheTaste(ranker.rank(without, byEvent, 5), all))
          .as("seed %d, not adapted", seed)
          .isLessThan(0.5);
      assertThat(ofTheTaste(with, all, 0)).as("seed %d, by features", seed).isGreaterThan(0.85);

      List<UserState> users = new ArrayList<>(states(all, 3));
      users.addAll(known.subList(0, 5));
      users.addAll(byEvent);
      RankedLists expected = ranker.rank(with, users, 9);
      Path bundle = write(with, tensors -> tensors);
      try (ModelBundle open = ModelBundle.open(bundle);
          FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
        assertThat(ranker.rank(loaded, users, 9).scores()).isEqualTo(expected.scores());
        assertThat(loaded.configJson()).isEqualTo(with.configJson());
      }
      refused(with, TensorSource.of("users.trained", new int[3], 3), "users.trained");
    }
    assertThatThrownBy(() -> twoTower(1).withFewShot(strategy(1).settings()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("TUNED");
  }

  /**
   * Items without any event, but of a known kind, come before those of other kinds and share the
   * list with trained ones of their kind; one of which nothing is known comes last of all.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aColdItemWithFeaturesRanksWithItsKind(long seed) {
    Interactions all = events(seed);
    int firstCold = ITEMS - 2 * TASTES;
    int[] kinds = IntStream.range(0, ITEMS).map(item -> 1 + item % TASTES).toArray();
    kinds[ITEMS - 1] = 0;
    FeatureTable items =
        FeatureTable.builder(ITEMS)
            .add(new FeatureColumn.Categorical("kind", List.of("", "a", "b", "c", "d"), kinds))
            .build();
    Interactions train = all.filter(row -> all.itemAt(row) < firstCold);
    Dataset data = new Dataset(train, FeatureTable.empty(USERS), items);
    try (FittedStrategy fitted = twoTower(seed).fit(FitContext.of(Device.cpu(), data))) {
      double above = 0;
      double unknownBelow = 0;
      int pairs = 0;
      for (int user = 0; user < USERS; user++) {
        float[] scores = new float[ITEMS];
        RankedLists list = ranker.rank(fitted, List.of(new UserState(user, new int[0])), ITEMS);
        for (int place = 0; place < ITEMS; place++) {
          scores[list.itemsOf(0)[place]] = list.scoresOf(0)[place];
        }
        int own = firstCold + user % TASTES;
        for (int item = 0; item < ITEMS - 1; item++) {
          if (item % TASTES != user % TASTES) {
            above += scores[own] > scores[item] ? 1 : 0;
            unknownBelow += scores[ITEMS - 1] < scores[own] ? 1 : 0;
            pairs++;
          }
        }
      }
      assertThat(above / pairs).as("seed %d, above other kinds", seed).isGreaterThan(0.9);
      assertThat(unknownBelow / pairs).as("seed %d, unknown item", seed).isGreaterThan(0.9);
    }
  }

  private static TwoTowerStrategy twoTower(long seed) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(8).biases(true).build(),
        SamplingOptions.builder().negatives(30).build(),
        TrainingOptions.builder().epochs(25).batchSize(64).seed(seed).build());
  }

  @Test
  void anItemThatIsNotThereIsNamed() {
    try (FittedStrategy fitted =
        strategy(1).fit(FitContext.of(Device.cpu(), Dataset.of(seen(events(1)))))) {
      for (int item : new int[] {-1, ITEMS}) {
        assertThatThrownBy(() -> ranker.rank(fitted, List.of(UserState.unseen(2, item)), 3))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("item " + item);
      }
    }
  }

  @Test
  void usersWithoutTwoItemsAreTooFewToLearnFrom() {
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int user = 0; user < USERS; user++) {
      add(rows, user, user % ITEMS);
    }
    assertThatThrownBy(() -> strategy(1).fit(FitContext.of(Device.cpu(), Dataset.of(rows.build()))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least 2 different items");
  }

  private static FewShotStrategy strategy(long seed) {
    return FewShotStrategy.of(
            new FewShotSettings(
                FewShotOptions.builder().items(FewShotOptions.Items.TUNED).maxEvents(5).build(),
                TrainingOptions.builder()
                    .epochs(30)
                    .batchSize(32)
                    .learningRate(0.02f)
                    .userLearningRate(0.05f)
                    .itemLearningRate(0.02f)
                    .build()),
            Als.builder().factors(8).build())
        .withSeed(seed);
  }

  /** The share of the first five of unseen users' lists that is of their taste. */
  private double ofTheTaste(FittedStrategy fitted, Interactions all, int shown) {
    return ofTheTaste(ranker.rank(fitted, states(all, shown), 5), all);
  }

  private static double ofTheTaste(RankedLists lists, Interactions all) {
    double hits = 0;
    for (int u = 0; u < UNSEEN; u++) {
      int taste = all.historyOf(USERS - UNSEEN + u)[0] % TASTES;
      hits += Arrays.stream(lists.itemsOf(u)).filter(item -> item % TASTES == taste).count();
    }
    return hits / (5.0 * UNSEEN);
  }

  private static List<UserState> states(Interactions all, int shown) {
    List<UserState> states = new ArrayList<>();
    for (int user = USERS - UNSEEN; user < USERS; user++) {
      states.add(new UserState(user, Arrays.copyOf(all.historyOf(user), shown)));
    }
    return states;
  }

  private static Interactions seen(Interactions all) {
    return all.filter(row -> all.userAt(row) < USERS - UNSEEN);
  }

  /** Of each taste the first items are popular; one event in ten is of another taste. */
  private static Interactions events(long seed) {
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int user = 0; user < USERS; user++) {
      for (int e = 0; e < EVENTS; e++) {
        boolean own = e == 0 || random.nextInt(10) > 0;
        int taste = own ? user % TASTES : random.nextInt(TASTES);
        int rank = (int) (PER_TASTE * random.nextDouble() * random.nextDouble());
        add(rows, user, rank * TASTES + taste);
      }
    }
    return rows.build();
  }

  private static FeatureTable kinds() {
    int[] codes = IntStream.range(0, USERS).map(user -> 1 + user % TASTES).toArray();
    return FeatureTable.builder(USERS)
        .add(new FeatureColumn.Categorical("kind", List.of("", "a", "b", "c", "d"), codes))
        .build();
  }

  private Path write(FittedStrategy fitted, UnaryOperator<List<TensorSource>> change) {
    Path bundle = folder.resolve("bundle");
    new BundleWriter()
        .strategy("s", fitted.type(), fitted.configJson(), change.apply(fitted.tensors()))
        .users(names("u", USERS))
        .items(names("i", ITEMS))
        .write(bundle);
    return bundle;
  }

  private static float[] gaussian(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static int[] filled(int length, int value) {
    int[] values = new int[length];
    Arrays.fill(values, value);
    return values;
  }

  private static void add(Interactions.Builder rows, int user, int item) {
    rows.add(user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(names(prefix, count));
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }
}
