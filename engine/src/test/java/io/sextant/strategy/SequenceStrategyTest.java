package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.SequenceSampling;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SequenceStrategyTest {

  private static final int ITEMS = 15;
  private static final int USERS = 60;

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
  void theOrderOfTheHistoryDecides() {
    for (long seed = 1; seed <= 3; seed++) {
      try (FittedSequence fitted = strategy(40, 0).fit(context(walks(seed)))) {
        List<UserState> users = new ArrayList<>();
        for (int item = 0; item < ITEMS; item++) {
          users.add(UserState.unseen(item, (item + 2) % ITEMS));
          users.add(UserState.unseen((item + 2) % ITEMS, item));
        }
        RankedLists lists = ranker.rank(fitted, users, 1);
        for (int item = 0; item < ITEMS; item++) {
          assertThat(lists.itemsOf(2 * item))
              .as("seed %d, forward from %d", seed, item)
              .containsExactly((item + 4) % ITEMS);
          assertThat(lists.itemsOf(2 * item + 1))
              .as("seed %d, backward from %d", seed, item + 2)
              .containsExactly((item + ITEMS - 2) % ITEMS);
        }
      }
    }
  }

  @Test
  void validationStopsTheTrainingAndTheBestEpochIsKept() {
    Split split = Splitter.leaveOneOut().split(walks(4));
    try (FittedSequence fitted =
        strategy(60, 2).fit(context(split.train()).withValidation(split.validation()))) {
      TrainingResult result = fitted.trainingResult().orElseThrow();
      assertThat(result.epochs()).isLessThan(60).isEqualTo(result.bestEpoch() + 3);
      double best = result.validations().get(result.bestEpoch()).getOrDefault("ndcg@10", -1.0);
      result.validations().forEach(v -> assertThat(v.get("ndcg@10")).isLessThanOrEqualTo(best));
      assertThat(best).isGreaterThan(0.9);
      double now =
          ranker
              .evaluate(fitted, split.train(), split.validation(), List.of(RankingMetric.ndcg(10)))
              .mean(RankingMetric.ndcg(10));
      assertThat(now).isCloseTo(best, within(1e-9));
    }
  }

  @Test
  void aUserWithoutHistoryGetsTheMeanQuery() {
    Interactions train = walks(5);
    try (FittedSequence fitted = strategy(2, 0).fit(context(train))) {
      List<UserState> users = new ArrayList<>(StrategyContract.users(train));
      users.add(UserState.unseen());
      float[] queries = queries(fitted, users);
      int d = queries.length / users.size();
      for (int j = 0; j < d; j++) {
        double mean = 0;
        for (int user = 0; user < USERS; user++) {
          mean += queries[user * d + j] / USERS;
        }
        assertThat((double) queries[USERS * d + j]).isCloseTo(mean, within(1e-4));
      }
    }
  }

  @Test
  void onlyTheLatestItemsAreRead() {
    try (FittedSequence fitted = strategy(2, 0).fit(context(walks(6)))) {
      int[] shortHistory = {1, 2, 3, 4, 5, 6};
      int[] longHistory = {9, 9, 8, 1, 2, 3, 4, 5, 6};
      float[] queries =
          queries(fitted, List.of(UserState.unseen(shortHistory), UserState.unseen(longHistory)));
      for (int j = 0; j < queries.length / 2; j++) {
        assertThat(queries[queries.length / 2 + j]).isCloseTo(queries[j], within(1e-4f));
      }
    }
  }

  @Test
  void aLargeRequestIsServedInChunks() {
    try (FittedSequence fitted = strategy(2, 0).fit(context(walks(7)))) {
      Random random = new Random(7);
      List<UserState> users = new ArrayList<>();
      for (int u = 0; u < 6000; u++) {
        users.add(UserState.unseen(random.ints(random.nextInt(7), 0, ITEMS).toArray()));
      }
      float[] together = queries(fitted, users);
      int d = together.length / users.size();
      for (int u : new int[] {0, 1, 2999, 4500, 5999}) {
        float[] alone = queries(fitted, List.of(users.get(u)));
        for (int j = 0; j < d; j++) {
          assertThat(together[u * d + j])
              .as("seed 7, user %d", u)
              .isCloseTo(alone[j], within(1e-4f));
        }
      }
      assertThat(queries(fitted, List.of())).isEmpty();
    }
  }

  @Test
  void usersWithOneItemTeachNothing() {
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", 2), StrategyContract.ids("i", 3));
    StrategyContract.add(rows, 0, 1, 0);
    StrategyContract.add(rows, 1, 2, 0);
    assertThatThrownBy(() -> strategy(2, 0).fit(context(rows.build())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'sequence'")
        .hasMessageContaining("no user has two interactions");
  }

  @Test
  void aBundleThatDoesNotFitIsRefused() {
    try (FittedSequence fitted = strategy(1, 0).fit(context(walks(8)))) {
      String config = fitted.configJson();
      List<TensorSource> tensors = fitted.tensors();
      refused(config.replace("\"heads\":2", "\"heads\":3"), tensors, "heads");
      refused(config.replace("\"hidden\":16", "\"hidden\":17"), tensors, "block0.hidden");
      refused(config.replace("\"hidden\":16", "\"hidden\":2000000000"), tensors, "2000000000");
      refused(config.replace("\"blocks\":1", "\"blocks\":2000000000"), tensors, "block1999999999");
      refused(config.replace("\"historyLength\":6", "\"historyLength\":7"), tensors, "positions");
      refused("{}", tensors, "shape");
      refused(config, tensors.subList(1, tensors.size()), "item.id");
      refused(config, tensors.subList(0, tensors.size() - 1), "query.unknown");
      List<TensorSource> flat = new ArrayList<>(tensors);
      flat.set(0, TensorSource.of("item.id", new float[3], 3));
      refused(config, flat, "item.id");
    }
  }

  @Test
  void aSavedCosineGivesTheSameListsWhenLoaded() {
    Interactions train = walks(9);
    SequenceStrategy cosine =
        SequenceStrategy.of(
            shape().similarity(TwoTowerOptions.Similarity.COSINE).temperature(0.1f).build(),
            SequenceSampling.builder().build(),
            training(2, 0));
    try (FittedSequence fitted = cosine.fit(context(train));
        ModelBundle open = save(fitted.configJson(), fitted.tensors());
        FittedStrategy loaded = Strategies.load(open.strategy("s"), Device.cpu())) {
      List<UserState> users = StrategyContract.users(train);
      RankedLists expected = ranker.rank(fitted, users, 5);
      assertThat(ranker.rank(loaded, users, 5).items()).isEqualTo(expected.items());
      assertThat(ranker.rank(loaded, users, 5).scores()).isEqualTo(expected.scores());
      assertThat(expected.scores()[0]).isBetween(-10.001f, 10.001f);
    }
  }

  private void refused(String config, List<TensorSource> tensors, String message) {
    try (ModelBundle open = save(config, tensors)) {
      assertThatThrownBy(() -> Strategies.load(open.strategy("s"), Device.cpu()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining(message);
    }
  }

  private ModelBundle save(String config, List<TensorSource> tensors) {
    Path bundle = folder.resolve("bundle" + System.nanoTime());
    new BundleWriter()
        .strategy("s", SequenceStrategy.TYPE, config, tensors)
        .users(names("u", USERS))
        .items(names("i", ITEMS))
        .write(bundle);
    return ModelBundle.open(bundle);
  }

  private static float[] queries(FittedSequence fitted, List<UserState> users) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            return HostArrays.toFloats(fitted.queries(scope, users));
          }
        });
  }

  /**
   * A user's first row is no target: its weight alone must change nothing but the weighted path.
   */
  @Test
  void weightsOfOneTrainTheSameBits() {
    Interactions train = walks(8);
    float[] ones = new float[train.size()];
    Arrays.fill(ones, 1);
    float[] notOfTargets = ones.clone();
    for (int user = 0; user < USERS; user++) {
      notOfTargets[train.start(user)] = 5;
    }
    try (FittedSequence plain = strategy(3, 0).fit(context(train));
        FittedSequence weighed = strategy(3, 0).fit(context(train.reweighted(ones)));
        FittedSequence column = strategy(3, 0).fit(context(train.reweighted(notOfTargets)))) {
      List<UserState> users = StrategyContract.users(train);
      float[] expected = queries(plain, users);
      assertThat(queries(weighed, users)).isEqualTo(expected);
      assertThat(queries(column, users)).isEqualTo(expected);
      assertThat(column.trainingResult().orElseThrow().meanLosses())
          .isEqualTo(plain.trainingResult().orElseThrow().meanLosses());
    }
  }

  @Test
  void rowsOfWeightZeroAreReadButNotLearned() {
    Interactions train = walks(9);
    float[] forward = new float[train.size()];
    int[] userOfRow = train.userOfRow();
    for (int row = 0; row < forward.length; row++) {
      forward[row] = userOfRow[row] % 2 == 0 ? 2 : 0;
    }
    try (FittedSequence fitted = strategy(40, 0).fit(context(train.reweighted(forward)))) {
      int right = 0;
      int backward = 0;
      for (int item = 0; item < ITEMS; item++) {
        RankedLists lists =
            ranker.rank(
                fitted,
                List.of(
                    UserState.unseen(item, (item + 2) % ITEMS),
                    UserState.unseen((item + 2) % ITEMS, item)),
                1);
        right += lists.itemsOf(0)[0] == (item + 4) % ITEMS ? 1 : 0;
        backward += lists.itemsOf(1)[0] == (item + ITEMS - 2) % ITEMS ? 1 : 0;
      }
      assertThat(right).as("seed 9, forward walks").isEqualTo(ITEMS);
      assertThat(backward).as("seed 9, backward walks").isLessThan(ITEMS / 3);
    }
  }

  /** From every item some users walk forward around the circle by steps of two, others back. */
  private static Interactions walks(long seed) {
    Random random = new Random(seed);
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", USERS), StrategyContract.ids("i", ITEMS));
    for (int user = 0; user < USERS; user++) {
      int item = user / 2 % ITEMS;
      int step = user % 2 == 0 ? 2 : ITEMS - 2;
      int length = 4 + random.nextInt(3);
      for (int i = 0; i < length; i++) {
        StrategyContract.add(rows, user, item, 1000L * i);
        item = (item + step) % ITEMS;
      }
    }
    return rows.build();
  }

  private static FitContext context(Interactions train) {
    return FitContext.of(Device.cpu(), Dataset.of(train));
  }

  private static SequenceStrategy strategy(int epochs, int patience) {
    return SequenceStrategy.of(
        shape().build(), SequenceSampling.builder().build(), training(epochs, patience));
  }

  private static SequenceOptions.Builder shape() {
    return SequenceOptions.builder()
        .dimension(16)
        .heads(2)
        .hidden(16)
        .historyLength(6)
        .dropout(0.1f);
  }

  private static TrainingOptions training(int epochs, int patience) {
    return SequenceStrategy.trainingDefaults()
        .epochs(epochs)
        .batchSize(10)
        .learningRate(1e-2f)
        .itemLearningRate(1e-2f)
        .patience(patience)
        .build();
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }
}
