package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.AttributeFilter;
import io.sextant.Diversity;
import io.sextant.Eligibility;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.ExplainedItem;
import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import io.sextant.RankedLists;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.RecommendedItem;
import io.sextant.SimilarItemsRequest;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.CompactIndex;
import io.sextant.retrieve.CompactOptions;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.GraphIndex;
import io.sextant.retrieve.GraphOptions;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lists of real models against the same models ranked directly, one user at a time. */
@Timeout(120)
class RecommenderTest {

  private static final int ITEMS = ServedBundles.ITEMS;

  @TempDir static Path folder;
  private static Path policy = Path.of("");
  private static Path otherPolicy = Path.of("");
  private static Path strategies = Path.of("");

  private long scopes;

  @BeforeAll
  static void write() {
    policy = ServedBundles.policy(folder.resolve("policy"), 1);
    otherPolicy = ServedBundles.policy(folder.resolve("other"), 2);
    strategies = ServedBundles.strategies(folder.resolve("strategies"), 3);
  }

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  /** Ranks one user over everything that is not excluded. */
  private interface Oracle extends AutoCloseable {
    RankedLists rank(UserState user, int k, int[] excluded);

    @Override
    void close();
  }

  private static Oracle policyOracle(Path directory) {
    try (ModelBundle bundle = ModelBundle.open(directory)) {
      MetaPolicy policy = MetaPolicy.load(bundle.policy().orElseThrow(), Device.cpu());
      StrategyPool pool =
          StrategyPool.load(
              policy.strategies().stream().map(bundle::strategy).toList(), Device.cpu());
      TopK topK = new TopK();
      MetaStrategy meta = policy.over(pool, topK);
      return new Oracle() {
        @Override
        public RankedLists rank(UserState user, int k, int[] excluded) {
          return meta.rank(List.of(user), k, ExcludedItems.of(new int[][] {excluded}));
        }

        @Override
        public void close() {
          meta.close();
          policy.close();
          pool.close();
          topK.close();
        }
      };
    }
  }

  private static Oracle strategyOracle(Path directory, String name) {
    try (ModelBundle bundle = ModelBundle.open(directory)) {
      StrategyPool pool = StrategyPool.load(List.of(bundle.strategy(name)), Device.cpu());
      FittedStrategy strategy = pool.members().get(0).fitted();
      Ranker ranker = new Ranker();
      return new Oracle() {
        @Override
        public RankedLists rank(UserState user, int k, int[] excluded) {
          return ranker.rank(strategy, List.of(user), k, ExcludedItems.of(new int[][] {excluded}));
        }

        @Override
        public void close() {
          ranker.close();
          pool.close();
        }
      };
    }
  }

  /** The same items in the same order, but for those whose scores differ by rounding alone. */
  private static void assertSame(Recommendations found, RankedLists expected, String what) {
    float[] scores = expected.scoresOf(0);
    int[] items = expected.itemsOf(0);
    assertThat(found.items()).as(what).hasSize(items.length);
    double bound = 1e-5 * (1 + (scores.length == 0 ? 0 : Math.abs(scores[0])));
    Map<String, Float> scoreOf = new HashMap<>();
    for (int i = 0; i < items.length; i++) {
      scoreOf.put("i" + items[i], scores[i]);
    }
    for (int i = 0; i < items.length; i++) {
      RecommendedItem item = found.items().get(i);
      assertThat(item.score())
          .as("%s, place %d", what, i)
          .isCloseTo(scores[i], within((float) bound));
      Float own = scoreOf.get(item.itemId());
      if (own != null) {
        assertThat(item.score()).as("%s, %s", what, item).isCloseTo(own, within((float) bound));
      } else {
        // Another item of the same score stood at the cut.
        assertThat(item.score())
            .as(what)
            .isCloseTo(scores[scores.length - 1], within((float) bound));
      }
    }
  }

  private static boolean has(int item, String attribute, String value) {
    if (item % 7 == 6) {
      return false;
    }
    return attribute.equals("category")
        ? value.equals("c" + item % 5)
        : value.equals(item % 2 == 0 ? "at" : "de");
  }

  /** A request with demands drawn at random, and what they exclude item by item. */
  private record Drawn(RecommendationRequest request, UserState user, int[] excluded) {

    static Drawn of(Random random, Path bundle, int maxK) {
      boolean known = random.nextInt(4) > 0;
      int index = known ? random.nextInt(ServedBundles.USERS) : -1;
      int[] stored = known ? stored(bundle, index) : new int[0];
      int[] given = random.ints(random.nextInt(6), 0, ITEMS).toArray();
      boolean givesHistory = !known || random.nextInt(4) == 0;
      int[] history = givesHistory ? given : stored;
      Eligibility eligibility = Eligibility.UNSEEN;
      boolean[] out = new boolean[ITEMS];
      if (random.nextInt(3) == 0) {
        eligibility = eligibility.withSeen();
      } else {
        Arrays.stream(history).forEach(item -> out[item] = true);
      }
      if (random.nextInt(3) == 0) {
        Set<String> deny = new HashSet<>(Set.of("unknown"));
        random.ints(10, 0, ITEMS).forEach(item -> deny.add("i" + item));
        deny.stream().filter(id -> id.startsWith("i")).forEach(id -> out[number(id)] = true);
        eligibility = eligibility.without(deny);
      }
      if (random.nextInt(3) == 0) {
        Set<String> allow = new HashSet<>(Set.of("unknown"));
        random.ints(random.nextInt(40), 0, ITEMS).forEach(item -> allow.add("i" + item));
        for (int item = 0; item < ITEMS; item++) {
          out[item] |= !allow.contains("i" + item);
        }
        eligibility = eligibility.among(allow);
      }
      if (random.nextInt(2) == 0) {
        boolean negated = random.nextBoolean();
        AttributeFilter filter =
            negated
                ? AttributeFilter.notIn("category", "c1", "c2")
                : AttributeFilter.in("category", "c1", "c2", "never");
        for (int item = 0; item < ITEMS; item++) {
          boolean meets = has(item, "category", "c1") || has(item, "category", "c2");
          out[item] |= meets == negated;
        }
        eligibility = eligibility.and(filter);
      }
      if (random.nextInt(4) == 0) {
        for (int item = 0; item < ITEMS; item++) {
          out[item] |= !has(item, "country", "de");
        }
        eligibility = eligibility.and(AttributeFilter.in("country", "de"));
      }
      RecommendationRequest.Builder request =
          known
              ? RecommendationRequest.forUser("u" + index)
              : RecommendationRequest.forHistory(List.of());
      if (givesHistory) {
        request.history(Arrays.stream(given).mapToObj(i -> "i" + i).toList());
      }
      return new Drawn(
          request
              .k(1 + random.nextInt(maxK))
              .eligibility(eligibility)
              .timeout(Duration.ofMinutes(1))
              .build(),
          new UserState(index, history),
          IntStream.range(0, ITEMS).filter(item -> out[item]).toArray());
    }
  }

  private static int number(String id) {
    return Integer.parseInt(id.substring(1));
  }

  private static int[] stored(Path bundle, int user) {
    try (ModelBundle opened = ModelBundle.open(bundle)) {
      return opened.histories().orElseThrow().of(user);
    }
  }

  private static Recommender open(Path bundle) {
    return Recommender.open(
        bundle, RecommenderOptions.builder().timeout(Duration.ofMinutes(1)).build());
  }

  private static void assertAgrees(Recommender recommender, Oracle oracle, Path bundle, int maxK)
      throws Exception {
    Random random = new Random(maxK);
    List<Drawn> all = new ArrayList<>();
    List<CompletableFuture<Recommendations>> together = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      all.add(Drawn.of(random, bundle, maxK));
      together.add(recommender.recommendAsync(all.get(i).request()));
    }
    for (int i = 0; i < all.size(); i++) {
      Drawn drawn = all.get(i);
      RankedLists expected = oracle.rank(drawn.user(), drawn.request().k(), drawn.excluded());
      assertSame(together.get(i).get(), expected, "together, " + drawn.request());
      if (i % 3 == 0) {
        assertSame(recommender.recommend(drawn.request()), expected, "alone, " + drawn.request());
      }
    }
  }

  @Test
  void listsOfThePolicyAreThoseOfTheMetaStrategy() throws Exception {
    try (Oracle oracle = policyOracle(policy);
        Recommender recommender = open(policy)) {
      // Beyond 25 items the number of candidates depends on k, and batches fall apart.
      assertAgrees(recommender, oracle, policy, 20);
      assertAgrees(recommender, oracle, policy, ITEMS + 10);
    }
  }

  /**
   * The catalogue is so small that the graph compares all items; where it does not, its lists are
   * tested in its own room.
   */
  @Test
  void indicesThatMissNothingChangeNoList() throws Exception {
    List<Function<TopK, IndexBuilder>> indices =
        List.of(
            topK -> CompactIndex.with(topK, CompactOptions.of(CompactOptions.Precision.FLOAT16)),
            topK -> CompactIndex.with(topK, CompactOptions.of(CompactOptions.Precision.INT8)),
            topK -> GraphIndex.with(GraphOptions.builder().threads(1).build()));
    for (Path bundle : List.of(policy, strategies)) {
      for (Function<TopK, IndexBuilder> index : indices) {
        RecommenderOptions options =
            RecommenderOptions.builder().index(index).timeout(Duration.ofMinutes(1)).build();
        try (Oracle oracle =
                bundle.equals(policy)
                    ? policyOracle(policy)
                    : strategyOracle(strategies, lastStrategy());
            Recommender recommender = Recommender.open(bundle, options)) {
          assertAgrees(recommender, oracle, bundle, 20);
          recommender.swap(otherPolicy);
          recommender.swap(bundle);
          assertAgrees(recommender, oracle, bundle, 20);
          // The newest item is no part of what was indexed.
          String like =
              recommender.recommend(RecommendationRequest.forUser("u3").build()).itemIds().get(0);
          recommender.addItem(new NewItem("fresh", Map.of(), List.of(like)));
          assertThat(recommender.recommend(RecommendationRequest.forUser("u3").build()).itemIds())
              .contains("fresh");
        }
      }
    }
  }

  private static String lastStrategy() {
    try (ModelBundle bundle = ModelBundle.open(strategies)) {
      return bundle.strategies().get(bundle.strategies().size() - 1).name();
    }
  }

  @Test
  void listsOfOneStrategyAreItsOwn() throws Exception {
    for (String name : List.of("popularity", "transitions", "low-pass", "als")) {
      RecommenderOptions options =
          RecommenderOptions.builder()
              .strategy(strategyNamed(name))
              .timeout(Duration.ofMinutes(1))
              .build();
      try (Oracle oracle = strategyOracle(strategies, strategyNamed(name));
          Recommender recommender = Recommender.open(strategies, options)) {
        assertAgrees(recommender, oracle, strategies, 30);
      }
    }
  }

  /** The strategy of the bundle whose name contains this. */
  private static String strategyNamed(String part) {
    try (ModelBundle bundle = ModelBundle.open(strategies)) {
      return bundle.strategies().stream()
          .map(s -> s.name())
          .filter(name -> name.contains(part))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void partsSumToTheScore() {
    try (Recommender recommender = open(policy)) {
      Recommendations plain = recommender.recommend(RecommendationRequest.forUser("u7").build());
      Recommendations split =
          recommender.recommend(RecommendationRequest.forUser("u7").parts(true).build());
      assertThat(split.itemIds()).isEqualTo(plain.itemIds());
      assertThat(plain.items().get(0).parts()).isEmpty();
      for (RecommendedItem item : split.items()) {
        assertThat(item.parts()).hasSize(5).containsKey("bias");
        double sum = item.parts().values().stream().mapToDouble(Float::doubleValue).sum();
        double size = item.parts().values().stream().mapToDouble(Math::abs).sum();
        assertThat(sum).isCloseTo(item.score(), within(1e-5 * (1 + size)));
      }
    }
  }

  @Test
  void explanationsAreOfTheListAndSumToItsScores() {
    for (Path bundle : List.of(policy, strategies)) {
      try (Recommender recommender = open(bundle)) {
        RecommendationRequest request = RecommendationRequest.forUser("u5").k(4).build();
        Recommendations list = recommender.recommend(request);
        List<ExplainedItem> explained = recommender.explain(request);
        assertThat(explained.stream().map(ExplainedItem::itemId)).isEqualTo(list.itemIds());
        for (int i = 0; i < explained.size(); i++) {
          ExplainedItem item = explained.get(i);
          double sum = item.bias() + item.reasons().stream().mapToDouble(r -> r.value()).sum();
          double size = item.reasons().stream().mapToDouble(r -> Math.abs(r.value())).sum();
          assertThat(sum).isCloseTo(item.score(), within(1e-4 * (1 + size)));
          assertThat(item.score())
              .isCloseTo(list.items().get(i).score(), within(1e-4 * (1 + size)));
          assertThat(item.sentence()).endsWith(".");
        }
        assertThatThrownBy(
                () -> recommender.explain(RecommendationRequest.forUser("u5").k(101).build()))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("at most 100");
      }
    }
  }

  @Test
  void similarItemsFollowTheirItemAndNotPopularity() {
    try (Recommender recommender = open(policy)) {
      int close = 0;
      Set<String> firsts = new HashSet<>();
      for (int item = 0; item < ITEMS; item++) {
        Recommendations list = recommender.similarItems(SimilarItemsRequest.of("i" + item, 5));
        assertThat(list.itemIds()).hasSize(5).doesNotContain("i" + item);
        firsts.add(list.itemIds().get(0));
        int distance = Math.floorMod(number(list.itemIds().get(0)) - item, ITEMS);
        // Three of four steps of a walk go one to three items ahead.
        close += distance <= 6 || distance >= ITEMS - 6 ? 1 : 0;
      }
      // By chance 12 of 69 are so close, that is 12 of 70 items.
      assertThat(close).isGreaterThan(ITEMS / 2);
      assertThat(firsts).hasSizeGreaterThan(ITEMS / 3);
      assertThatThrownBy(() -> recommender.similarItems(SimilarItemsRequest.of("nobody", 5)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("'nobody'");
    }
    RecommenderOptions popular =
        RecommenderOptions.builder().strategy(strategyNamed("popularity")).build();
    try (Recommender recommender = Recommender.open(strategies, popular)) {
      assertThat(recommender.similarItems(SimilarItemsRequest.of("i1", 5)).items()).isEmpty();
    }
  }

  @Test
  void eventsChangeTheNextListOfKnownAndOfNewUsers() {
    try (Oracle oracle = policyOracle(policy);
        Recommender recommender = open(policy)) {
      for (String userId : List.of("u4", "somebody new")) {
        int index = userId.equals("u4") ? 4 : -1;
        int[] history = index < 0 ? new int[0] : stored(policy, index);
        for (int event = 0; event < 4; event++) {
          RecommendationRequest request = RecommendationRequest.forUser(userId).k(8).build();
          Recommendations before = recommender.recommend(request);
          String clicked = before.itemIds().get(event);
          if (event == 0) {
            recommender.recordEvent(userId, clicked);
          } else {
            recommender.recordEvent(Event.of(userId, clicked, EventType.PURCHASE, Event.NO_TIME));
          }
          recommender.recordEvent(userId, "an item of tomorrow");
          history = Arrays.copyOf(history, history.length + 1);
          history[history.length - 1] = number(clicked);
          Recommendations after = recommender.recommend(request);
          assertThat(after.itemIds()).doesNotContain(clicked).isNotEqualTo(before.itemIds());
          int[] seen = Arrays.stream(history).sorted().distinct().toArray();
          assertSame(
              after,
              oracle.rank(new UserState(index, history), 8, seen),
              userId + " after " + clicked);
        }
      }
    }
  }

  @Test
  void itemsAreSwitchedOffAndOnAndTheirAttributesChange() {
    try (Recommender recommender = open(policy)) {
      RecommendationRequest request = RecommendationRequest.forUser("u9").k(5).build();
      List<String> before = recommender.recommend(request).itemIds();
      recommender.setAvailable(before.get(0), false);
      assertThat(recommender.recommend(request).itemIds())
          .startsWith(before.get(1))
          .doesNotContain(before.get(0));
      recommender.setAvailable(before.get(0), true);
      assertThat(recommender.recommend(request).itemIds()).isEqualTo(before);
      RecommendationRequest inStock =
          RecommendationRequest.forUser("u9")
              .eligibility(Eligibility.UNSEEN.and(AttributeFilter.in("stock", "yes")))
              .build();
      assertThat(recommender.recommend(inStock).items()).isEmpty();
      recommender.setAttributes(before.get(2), Map.of("stock", Set.of("yes")));
      recommender.setAttributes(before.get(3), Map.of("stock", Set.of("yes", "soon")));
      assertThat(recommender.recommend(inStock).itemIds())
          .containsExactly(before.get(2), before.get(3));
      recommender.setAttributes(before.get(2), Map.of("stock", Set.of()));
      assertThat(recommender.recommend(inStock).itemIds()).containsExactly(before.get(3));
      assertThatThrownBy(() -> recommender.setAvailable("nothing", false))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("does not know the item 'nothing'");
    }
  }

  @Test
  void aNewItemIsRecommendedLikeThoseThatItIsLike() {
    for (Path bundle : List.of(policy, strategies)) {
      try (Recommender recommender = open(bundle)) {
        RecommendationRequest request = RecommendationRequest.forUser("u3").k(6).build();
        List<RecommendedItem> before = recommender.recommend(request).items();
        String like = before.get(1).itemId();
        recommender.addItem(new NewItem("fresh", Map.of("category", Set.of("c9")), List.of(like)));
        Recommendations after = recommender.recommend(request);
        assertThat(after.itemIds()).contains("fresh");
        if (bundle.equals(strategies)) {
          // It has the very score of the one it stands for.
          int place = after.itemIds().indexOf("fresh");
          assertThat(after.items().get(place).score())
              .isCloseTo(before.get(1).score(), within(1e-5f));
          assertThat(Math.abs(place - after.itemIds().indexOf(like))).isEqualTo(1);
        }
        assertThat(
                recommender
                    .recommend(
                        RecommendationRequest.forUser("u3")
                            .eligibility(
                                Eligibility.UNSEEN.and(AttributeFilter.in("category", "c9")))
                            .build())
                    .itemIds())
            .containsExactly("fresh");
        assertThat(
                recommender.explain(
                    RecommendationRequest.forUser("u3")
                        .eligibility(Eligibility.UNSEEN.among(Set.of("fresh")))
                        .build()))
            .hasSize(1)
            .allMatch(item -> item.itemId().equals("fresh") && !item.reasons().isEmpty());
        // By features: c1 items of which there are many.
        recommender.addItem(NewItem.of("by features", Map.of("category", Set.of("c1"))));
        recommender.recordEvent("u3", "fresh");
        List<String> seen = recommender.recommend(request).itemIds();
        assertThat(seen).doesNotContain("fresh");
        assertThat(recommender.similarItems(SimilarItemsRequest.of("fresh", 3)).itemIds())
            .hasSize(3)
            .doesNotContain("fresh");
        recommender.setAvailable("by features", false);
        assertThatThrownBy(
                () -> recommender.addItem(NewItem.of("odd", Map.of("colour", Set.of("red")))))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("no item that is like it");
        assertThatThrownBy(() -> recommender.addItem(NewItem.of("i1", Map.of())))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("is there already");
      }
    }
  }

  @Test
  void roomForNewItemsIsBounded() {
    RecommenderOptions options = RecommenderOptions.builder().maxNewItems(2).build();
    try (Recommender recommender = Recommender.open(policy, options)) {
      recommender.addItem(new NewItem("n1", Map.of(), List.of("i1")));
      recommender.addItem(new NewItem("n2", Map.of(), List.of("i2")));
      assertThatThrownBy(() -> recommender.addItem(new NewItem("n3", Map.of(), List.of("i3"))))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("room for 2 new items");
    }
  }

  @Test
  void atMostSoManyOfACategory() {
    try (Oracle oracle = policyOracle(policy);
        Recommender recommender = open(policy)) {
      for (int user = 0; user < 12; user++) {
        int[] history = stored(policy, user);
        int[] seen = Arrays.stream(history).sorted().distinct().toArray();
        RecommendationRequest request =
            RecommendationRequest.forUser("u" + user)
                .k(10)
                .diversity(Diversity.atMost(1, "category"))
                .build();
        // The list needs all of the ranking: five categories, and ten items without one.
        RankedLists all = oracle.rank(new UserState(user, history), ITEMS, seen);
        List<String> expected = new ArrayList<>();
        Set<Integer> categories = new HashSet<>();
        for (int item : all.itemsOf(0)) {
          if (expected.size() < 10 && (item % 7 == 6 || categories.add(item % 5))) {
            expected.add("i" + item);
          }
        }
        assertThat(recommender.recommend(request).itemIds()).isEqualTo(expected);
      }
    }
  }

  @Test
  void marginalRelevanceMakesListsLessAlike() {
    try (Recommender recommender = open(policy)) {
      RecommendationRequest.Builder request = RecommendationRequest.forUser("u8").k(10);
      List<String> plain = recommender.recommend(request.build()).itemIds();
      assertThat(
              recommender
                  .recommend(request.diversity(Diversity.marginalRelevance(0.999999)).build())
                  .itemIds())
          .isEqualTo(
              recommender
                  .recommend(RecommendationRequest.forUser("u8").k(ITEMS).build())
                  .itemIds()
                  .subList(0, 10));
      List<String> varied =
          recommender
              .recommend(request.diversity(Diversity.marginalRelevance(0.3)).build())
              .itemIds();
      assertThat(varied).hasSize(10).doesNotHaveDuplicates().isNotEqualTo(plain);
    }
  }

  @Test
  void aSwapKeepsEventsAndChangesOfItems() {
    try (Oracle oracle = policyOracle(otherPolicy);
        Recommender recommender = open(policy)) {
      recommender.recordEvent("u2", "i11");
      recommender.setAvailable("i12", false);
      recommender.addItem(new NewItem("fresh", Map.of("category", Set.of("c9")), List.of("i5")));
      String before = recommender.modelVersion();
      String after = recommender.swap(otherPolicy);
      assertThat(after).isNotEqualTo(before).matches("[0-9a-f]{12}");
      int[] history = stored(otherPolicy, 2);
      int[] joined = Arrays.copyOf(history, history.length + 1);
      joined[history.length] = 11;
      int[] excluded =
          IntStream.concat(Arrays.stream(joined), IntStream.of(12)).sorted().distinct().toArray();
      RecommendationRequest request =
          RecommendationRequest.forUser("u2")
              .k(10)
              .eligibility(Eligibility.UNSEEN.without(Set.of("fresh")))
              .build();
      assertSame(
          recommender.recommend(request),
          oracle.rank(new UserState(2, joined), 10, excluded),
          "after the swap");
      assertThat(
              recommender
                  .recommend(
                      RecommendationRequest.forUser("u2")
                          .eligibility(Eligibility.UNSEEN.and(AttributeFilter.in("category", "c9")))
                          .build())
                  .itemIds())
          .containsExactly("fresh");
    }
  }

  @Test
  void badBundlesAreRefusedAndTheOldOneServesOn() throws Exception {
    try (Recommender recommender = open(policy)) {
      RecommendationRequest request = RecommendationRequest.forUser("u2").build();
      Recommendations before = recommender.recommend(request);
      Path damaged = folder.resolve("damaged");
      ServedBundles.policy(damaged, 1);
      Path weights;
      try (var files = Files.list(damaged.resolve("strategies"))) {
        weights = files.sorted().findFirst().orElseThrow();
      }
      byte[] bytes = Files.readAllBytes(weights);
      bytes[bytes.length - 1] ^= 1;
      Files.write(weights, bytes);
      assertThatThrownBy(() -> recommender.swap(damaged))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("checksum");
      assertThatThrownBy(() -> recommender.swap(folder.resolve("nowhere")))
          .isInstanceOf(InvalidInputException.class);
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        Path diverged = ServedBundles.diverged(folder.resolve("bad " + bad), bad);
        assertThatThrownBy(() -> recommender.swap(diverged))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("strategy 'als'")
            .hasMessageContaining("NaN or infinite");
        assertThatThrownBy(() -> open(diverged)).isInstanceOf(InvalidInputException.class);
      }
      assertThat(recommender.modelVersion()).isEqualTo(before.modelVersion());
      assertThat(recommender.recommend(request).itemIds()).isEqualTo(before.itemIds());
    }
  }
}
