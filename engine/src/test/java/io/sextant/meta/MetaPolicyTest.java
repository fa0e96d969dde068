package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.nn.NamedParameter;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.store.TensorSpec;
import io.sextant.store.TensorType;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetaPolicyTest {

  private static final int USERS = 90;
  private static final int ITEMS = 40;
  private static final int K = 7;
  private static final MetaOptions OPTIONS =
      MetaOptions.builder()
          .k(5)
          .candidates(15)
          .poolDepth(8)
          .hidden(6)
          .epochs(3)
          .patience(0)
          .build();

  @TempDir Path folder;

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
  void aBundleGivesBackThePolicyBitByBit() {
    for (long seed = 1; seed <= 3; seed++) {
      String where = "seed " + seed;
      Interactions train = walks(seed);
      Path directory = folder.resolve("m" + seed);
      List<RankedLists> before;
      String version;
      try (StrategyPool pool = pool(train);
          MetaPolicy policy = random(pool, train, new Random(seed), seed == 3)) {
        before = lists(pool, policy, train);
        version = policy.version();
        write(directory, pool, policy, train);
      }
      try (ModelBundle bundle = ModelBundle.open(directory);
          MetaPolicy policy = MetaPolicy.load(bundle.policy().orElseThrow(), Device.cpu());
          StrategyPool pool =
              StrategyPool.load(
                  policy.strategies().stream().map(bundle::strategy).toList(), Device.cpu())) {
        assertThat(policy.version()).as(where).isEqualTo(version).matches("[0-9a-f]{12}");
        // Saved once more it is still the same.
        assertThat(policy.refitted(train).version()).as(where).isEqualTo(version);
        List<RankedLists> after = lists(pool, policy, train);
        for (Mixer mixer : Mixer.values()) {
          RankedLists expected = before.get(mixer.ordinal());
          RankedLists found = after.get(mixer.ordinal());
          assertThat(found.items()).as("%s, %s", where, mixer).isEqualTo(expected.items());
          assertThat(found.scores()).as("%s, %s", where, mixer).isEqualTo(expected.scores());
        }
        assertThat(after.get(Mixer.POLICY.ordinal()).scores())
            .as(where)
            .isNotEqualTo(after.get(Mixer.GLOBAL.ordinal()).scores());
      }
    }
  }

  @Test
  void aFittedPolicyIsSavedLikeARandomOne() {
    Split split = Splitter.leaveOneOut().split(walks(5));
    Path directory = folder.resolve("m");
    try (StrategyPool pool = pool(split.train());
        TopK topK = new TopK();
        MetaPolicy policy =
            new MetaTrainer(OPTIONS, line -> {})
                .fit(pool, topK, split.train(), split.train(), split.validation())) {
      Interactions all = split.trainAndValidation();
      MetaPolicy refitted = policy.refitted(all);
      assertThat(refitted.version()).isNotEqualTo(policy.version());
      write(directory, pool, refitted, all);
      try (ModelBundle bundle = ModelBundle.open(directory);
          MetaPolicy loaded = MetaPolicy.load(bundle.policy().orElseThrow(), Device.cpu())) {
        assertThat(lists(pool, loaded, all).get(Mixer.POLICY.ordinal()).scores())
            .isEqualTo(lists(pool, refitted, all).get(Mixer.POLICY.ordinal()).scores());
      }
    }
  }

  @Test
  void partsAddUpToTheScores() {
    for (long seed = 1; seed <= 3; seed++) {
      Interactions train = walks(seed);
      // Without a network of stage 2 the baseline's parts are all there is.
      boolean bare = seed == 3;
      try (StrategyPool pool = pool(train);
          MetaPolicy policy = random(pool, train, new Random(seed), bare);
          TopK topK = new TopK();
          MetaStrategy meta = policy.over(pool, topK)) {
        List<UserState> users = users(train);
        MixedLists mixed = meta.rankWithParts(users, K, seen(users));
        RankedLists plain = meta.rank(users, K, seen(users));
        assertThat(mixed.lists().items()).isEqualTo(plain.items());
        assertThat(mixed.lists().scores()).isEqualTo(plain.scores());
        assertThat(mixed.names()).hasSize(5).endsWith(MixedLists.BIAS);
        boolean biased = false;
        for (int u = 0; u < users.size(); u++) {
          for (int place = 0; place < plain.lengths()[u]; place++) {
            Map<String, Float> parts = mixed.partsOf(u, place);
            double sum = parts.values().stream().mapToDouble(Float::doubleValue).sum();
            double size = parts.values().stream().mapToDouble(Math::abs).sum();
            // Five terms and a mean of two networks in float32.
            assertThat(sum)
                .as("seed %d, user %d, place %d", seed, u, place)
                .isCloseTo(plain.scores()[u * K + place], within(1e-5 * (1 + size)));
            biased |= parts.getOrDefault(MixedLists.BIAS, 0f) != 0;
          }
        }
        assertThat(biased).as("seed %d", seed).isEqualTo(!bare);
      }
    }
  }

  @Test
  void everyTensorIsChecked() {
    Interactions train = walks(1);
    try (StrategyPool pool = pool(train);
        MetaPolicy policy = random(pool, train, new Random(1), false)) {
      List<TensorSource> tensors = policy.tensors();
      for (TensorSource tensor : tensors) {
        TensorSpec spec = tensor.spec();
        String name = spec.name();
        Map<String, TensorSource> changed = byName(tensors);
        changed.remove(name);
        assertRefused(policy.configJson(), changed, name);
        long[] shape = spec.dimensions();
        shape[0]++;
        changed.put(name, zeros(TensorSpec.of(name, spec.type(), shape)));
        if (!name.equals("items.log-popularity") && !name.equals("stage-two.strengths")) {
          assertRefused(policy.configJson(), changed, name);
        }
        if (spec.type() == TensorType.F32) {
          for (float value : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
            float[] values = tensor.toFloats();
            values[values.length / 2] = value;
            changed.put(name, TensorSource.of(name, values, spec.dimensions()));
            assertRefused(policy.configJson(), changed, name, Float.toString(value));
          }
          changed.put(name, zeros(TensorSpec.of(name, TensorType.F64, spec.dimensions())));
          assertRefused(policy.configJson(), changed, "F64");
        }
      }
      Map<String, TensorSource> more = byName(tensors);
      more.put("stage-two.2.network.x", TensorSource.of("stage-two.2.network.x", new float[1], 1));
      assertRefused(policy.configJson(), more, "no policy has", "stage-two.2.network.x");
      for (String name : List.of("global.baseline", "stage-two.users.deviations")) {
        Map<String, TensorSource> zero = byName(tensors);
        zero.computeIfPresent(name, (n, tensor) -> zeros(tensor.spec()));
        assertRefused(policy.configJson(), zero, name);
      }
      Map<String, TensorSource> falling = byName(tensors);
      falling.put("stage-two.edges", TensorSource.of("stage-two.edges", new int[] {3, 2, 9}, 3));
      assertRefused(policy.configJson(), falling, "do not ascend");
      Map<String, TensorSource> strong = byName(tensors);
      strong.put(
          "stage-two.strengths",
          TensorSource.of("stage-two.strengths", new float[] {0, 1, 1.5f, 0}, 4));
      assertRefused(policy.configJson(), strong, "[0, 1] but is 1.5");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"format\":1 | \"format\":2 | format 2",
        "\"Z\" | \"W\" | no normalisation",
        "\"popularity\" | \"transitions\" | names a strategy twice",
        "\"popularity\" | null | name of a strategy is missing",
        "\"popularity\", | '' | has the shape",
        "\"hidden\":6 | \"hidden\":2000000000 | has the shape",
        "\"hidden\":6 | \"hidden\":-6 | hidden must be > 0",
        "\"candidates\":15 | \"candidates\":2000000000 | candidates must be",
        "\"kappa\":2.0 | \"kappa\":\"NaN\" | kappa must be",
        "\"options\" | \"optoins\" | no options",
        "\"strategies\" | \"names\" | no strategies",
        "\"policies\":2 | \"policies\":3 | stage-two.2",
        "\"policies\":2 | \"policies\":1 | no policy has",
        "\"policies\":2 | \"policies\":-1 | -1 networks",
        "\"gate\":true | \"gate\":false | no policy has",
        "{ | '' | cannot be restored",
      })
  void theConfigurationIsChecked(String from, String to, String message) {
    Interactions train = walks(1);
    try (StrategyPool pool = pool(train);
        MetaPolicy policy = random(pool, train, new Random(1), false)) {
      String config = policy.configJson();
      assertThat(config).contains(from);
      int at = config.indexOf(from);
      assertRefused(
          config.substring(0, at) + to + config.substring(at + from.length()),
          byName(policy.tensors()),
          message);
    }
    assertRefused("", Map.of(), "configuration is empty");
  }

  @Test
  void anotherPoolIsRefused() {
    Interactions train = walks(1);
    try (StrategyPool pool = pool(train);
        MetaPolicy policy = random(pool, train, new Random(1), false);
        TopK topK = new TopK()) {
      try (StrategyPool fewer = fit(train, List.of(Popularity.allTime()))) {
        assertThatThrownBy(() -> policy.over(fewer, topK))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("[popularity]")
            .hasMessageContaining(pool.names().toString());
      }
      Interactions wider = Interactions.builder(train.users(), ids("i", ITEMS + 1)).build();
      assertThatThrownBy(() -> policy.refitted(wider).over(pool, topK))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("41 items")
          .hasMessageContaining("40");
    }
  }

  private static void assertRefused(
      String config, Map<String, TensorSource> tensors, String... parts) {
    long before = Scope.liveScopes();
    assertThatThrownBy(
            () ->
                MetaPolicy.load(
                    new StoredPolicy("v1", config, new InMemory(tensors)), Device.cpu()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("policy 'v1' cannot be restored")
        .hasMessageContainingAll(parts);
    assertThat(Scope.liveScopes()).isEqualTo(before);
  }

  private static TensorSource zeros(TensorSpec spec) {
    return TensorSource.of(spec, ByteBuffer.allocate((int) spec.bytes()));
  }

  private static Map<String, TensorSource> byName(List<TensorSource> tensors) {
    Map<String, TensorSource> byName = new LinkedHashMap<>();
    tensors.forEach(tensor -> byName.put(tensor.spec().name(), tensor));
    return byName;
  }

  private record InMemory(Map<String, TensorSource> byName) implements StoredTensors {

    @Override
    public List<TensorSpec> specs() {
      return byName.values().stream().map(TensorSource::spec).toList();
    }

    @Override
    public boolean contains(String name) {
      return byName.containsKey(name);
    }

    @Override
    public TensorSource tensor(String name) {
      TensorSource tensor = byName.get(name);
      if (tensor == null) {
        throw new InvalidInputException("there is no tensor " + name);
      }
      return tensor;
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }
  }

  private static void write(
      Path directory, StrategyPool pool, MetaPolicy policy, Interactions train) {
    BundleWriter writer = new BundleWriter();
    for (StrategyPool.Member member : pool.members()) {
      writer.strategy(
          member.name(),
          member.fitted().type(),
          member.fitted().configJson(),
          member.fitted().tensors());
    }
    writer
        .policy(policy.version(), policy.configJson(), policy.tensors())
        .users(IntStream.range(0, USERS).mapToObj(train.users()::idOf).toList())
        .items(IntStream.range(0, ITEMS).mapToObj(train.items()::idOf).toList())
        .write(directory);
  }

  /** By the ordinal of the mixer. */
  private static List<RankedLists> lists(StrategyPool pool, MetaPolicy policy, Interactions train) {
    List<RankedLists> lists = new ArrayList<>();
    List<UserState> users = users(train);
    try (TopK topK = new TopK();
        MetaStrategy meta = policy.over(pool, topK)) {
      for (Mixer mixer : Mixer.values()) {
        lists.add(meta.rank(mixer, users, K, seen(users)));
      }
    }
    return lists;
  }

  /** Known users, unseen ones, and one without history. */
  private static List<UserState> users(Interactions train) {
    List<UserState> users = new ArrayList<>();
    for (int user = 0; user < 20; user++) {
      users.add(new UserState(user, train.historyOf(user)));
      users.add(UserState.unseen(Arrays.copyOf(train.historyOf(user), 2)));
    }
    users.add(UserState.unseen());
    return users;
  }

  private static ExcludedItems seen(List<UserState> users) {
    return ExcludedItems.of(
        users.stream()
            .map(u -> Arrays.stream(u.history()).sorted().distinct().toArray())
            .toArray(int[][]::new));
  }

  private static StrategyPool pool(Interactions train) {
    return fit(
        train,
        List.of(
            Popularity.allTime(),
            SessionTransitions.wide(),
            ItemNeighbours.rp3beta(),
            LowPass.builder().factors(4).build()));
  }

  private static StrategyPool fit(Interactions train, List<Strategy> strategies) {
    return StrategyPool.fit(strategies, s -> FitContext.of(Device.cpu(), Dataset.of(train)));
  }

  /** A policy of random numbers, two networks in stage 2 unless it is bare. */
  private static MetaPolicy random(
      StrategyPool pool, Interactions train, Random random, boolean bare) {
    return TensorThreads.call(
        () -> {
          Scope scope = Scope.open(Device.cpu());
          int m = pool.size();
          ItemFacts facts = ItemFacts.of(train);
          PolicyFeatures features = new PolicyFeatures(facts, pool.names());
          MixShape gate = MixShape.ofGate(features, OPTIONS);
          MixShape policy = MixShape.ofPolicy(features, OPTIONS);
          float[] weights = positive(random, m);
          Standardiser users = standardiser(random, gate.userWidth());
          float[] base = positive(random, m);
          List<MixModel> networks =
              bare
                  ? List.of()
                  : List.of(
                      network(scope, policy, base, random), network(scope, policy, base, random));
          StageTwo two =
              new StageTwo(
                  bare ? Normalisation.MIN_MAX : Normalisation.Z,
                  base,
                  networks,
                  standardiser(random, policy.userWidth()),
                  standardiser(random, policy.itemWidth()),
                  new int[] {2, 5, 6},
                  new float[] {1, 0.75f, 0.5f, 0.25f});
          return new MetaPolicy(
              scope,
              new PolicyParts(
                  OPTIONS,
                  pool.names(),
                  facts,
                  new StageOne(weights, null, users, false),
                  new StageOne(weights, network(scope, gate, weights, random), users, false),
                  new StageOne(
                      weights, bare ? null : network(scope, gate, weights, random), users, true),
                  two));
        });
  }

  private static MixModel network(Scope scope, MixShape shape, float[] baseline, Random random) {
    MixModel network = new MixModel(scope, shape, baseline, random.nextLong());
    for (NamedParameter parameter : network.parameters()) {
      NDArray array = parameter.parameter().getArray();
      float[] values = new float[(int) array.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian() / 3;
      }
      array.set(values);
    }
    return network;
  }

  private static Standardiser standardiser(Random random, int width) {
    return new Standardiser(positive(random, width), positive(random, width), 4);
  }

  private static float[] positive(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = 0.1f + random.nextFloat();
    }
    return values;
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }

  /** Users who walk along a ring of items in steps of one to three. */
  private static Interactions walks(long seed) {
    Random random = new Random(seed);
    Interactions.Builder builder = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int user = 0; user < USERS; user++) {
      int item = random.nextInt(ITEMS);
      int length = 4 + random.nextInt(6);
      for (int i = 0; i < length; i++) {
        item = (item + 1 + random.nextInt(3)) % ITEMS;
        builder.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
      }
    }
    return builder.build();
  }
}
