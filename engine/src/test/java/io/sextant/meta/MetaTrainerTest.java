package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MetaTrainerTest {

  private static final RankingMetric NDCG = RankingMetric.ndcg(10);

  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  /** Few users, so larger steps than the default. */
  private static MetaOptions.Builder options(long seed) {
    return MetaOptions.builder()
        .candidates(30)
        .poolDepth(20)
        .hidden(16)
        .gateRate(0.02f)
        .policyRate(0.02f)
        .epochs(15)
        .networks(1)
        .seed(seed);
  }

  /**
   * Global weights must rank the wrong strategy's favourite before the truth for about half of the
   * users; who knows the kind must not. The control knows no more than the global weights.
   */
  @Test
  void policyAndUserGateFindWhichStrategyIsRightForWhom() {
    for (long seed = 1; seed <= 3; seed++) {
      TwoKinds world = new TwoKinds(seed);
      try (StrategyPool pool = world.pool();
          TopK topK = new TopK();
          MetaPolicy policy =
              new MetaTrainer(options(seed).build(), line -> {})
                  .fit(pool, topK, world.history, world.history, world.metaTruth());
          MetaStrategy meta = policy.over(pool, topK)) {
        MetaReport report =
            MetaReport.of(meta, world.history, world.freshTruth(), List.of(NDCG), done -> {});
        double global = report.mixer(Mixer.GLOBAL).mean(NDCG);
        double control = report.mixer(Mixer.CONTROL).mean(NDCG);
        String where =
            "seed %d: global %.3f, control %.3f, gate %.3f, policy %.3f"
                .formatted(
                    seed,
                    global,
                    control,
                    report.mixer(Mixer.USER_GATE).mean(NDCG),
                    report.mixer(Mixer.POLICY).mean(NDCG));
        assertThat(report.users()).hasSize(TwoKinds.USERS - TwoKinds.META_USERS);
        // 300 users whose NDCG varies by .2: a standard error of .012.
        assertThat(report.mixer(Mixer.USER_GATE).mean(NDCG)).as(where).isGreaterThan(global + 0.05);
        assertThat(report.mixer(Mixer.POLICY).mean(NDCG)).as(where).isGreaterThan(global + 0.05);
        assertThat(control).as(where).isLessThan(global + 0.04);
        assertThat(report.mixer(Mixer.USER_GATE).mean(NDCG))
            .as(where)
            .isGreaterThan(control + 0.05);
      }
    }
  }

  @Test
  void aPolicyWithinABudgetLeavesOutWhatCostsMuchAndGivesLittle() {
    TwoKinds world = new TwoKinds(4);
    Map<String, Double> millis = new LinkedHashMap<>();
    millis.put("first", 2.0);
    millis.put("noise", 3.0);
    millis.put("copy", 9.0);
    millis.put("second", 4.0);
    PoolCost costs = new PoolCost(millis, 1);
    try (StrategyPool pool = world.widePool();
        TopK topK = new TopK()) {
      List<String> log = new ArrayList<>();
      MetaTrainer trainer = new MetaTrainer(options(4).epochs(2).build(), log::add);
      CostFrontier frontier =
          trainer.frontier(pool, topK, world.history, world.history, world.metaTruth(), costs);
      // Whole pool, three removals, and the three strategies that are not what is left at the end.
      assertThat(frontier.points()).hasSize(7);
      // The copy and the noise add nothing but chance.
      assertThat(frontier.within(19).ndcg())
          .isBetween(frontier.within(7).ndcg(), frontier.within(7).ndcg() + 0.03);
      assertThat(frontier.within(7).strategies()).containsExactly("first", "second");
      assertThat(frontier.within(7).ndcg()).isGreaterThan(frontier.within(6.9).ndcg() + 0.1);
      assertThat(frontier.within(3).strategies()).containsExactly("first");
      assertThatThrownBy(() -> frontier.within(2.9))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("the cheapest, [first], costs 3.000 ms");

      try (MetaPolicy policy =
              trainer.fitWithin(
                  7, costs, pool, topK, world.history, world.history, world.metaTruth());
          MetaStrategy meta = policy.over(pool.only(policy.strategies()), topK)) {
        assertThat(policy.strategies()).containsExactly("first", "second");
        assertThat(log).anyMatch(line -> line.startsWith("within 7.000 ms"));
        List<UserState> users = List.of(new UserState(0, world.history.historyOf(0)));
        assertThat(meta.rank(users, 5, ExcludedItems.NONE).lengths()).containsExactly(5);
      }
      // Closing what was fitted to a part has left the pool open.
      assertThat(pool.members())
          .allMatch(member -> ((KnownScores) member.fitted()).closed().get() == 0);
    }
  }

  @Test
  void aPoolOfOneStrategyIsRankedByIt() {
    TwoKinds world = new TwoKinds(5);
    try (StrategyPool both = world.pool();
        StrategyPool pool = both.only(List.of("first"))) {
      withMeta(
          pool,
          world.history,
          world.metaTruth(),
          meta -> {
            List<UserState> users = List.of(new UserState(7, world.history.historyOf(7)));
            RankedLists global = meta.rank(Mixer.GLOBAL, users, 10, ExcludedItems.NONE);
            RankedLists single = meta.rank(Mixer.UNIFORM, users, 10, ExcludedItems.NONE);
            assertThat(global.itemsOf(0)).isEqualTo(single.itemsOf(0));
            assertThat(meta.rank(users, 10, ExcludedItems.NONE).itemsOf(0)).hasSize(10);
          });
    }
  }

  @Test
  void fewerItemsThanCandidates() {
    int numItems = 8;
    Random random = new Random(6);
    int[][] histories = new int[60][];
    int[][] truths = new int[60][];
    for (int u = 0; u < 60; u++) {
      int[] items = random.ints(0, numItems).distinct().limit(4).toArray();
      histories[u] = Arrays.copyOf(items, 3);
      truths[u] = new int[] {items[3]};
    }
    Interactions history = KnownScores.sequences(numItems, histories);
    try (StrategyPool pool = random(numItems)) {
      withMeta(
          pool,
          history,
          KnownScores.sequences(numItems, truths),
          meta -> {
            for (Mixer mixer : Mixer.values()) {
              RankedLists lists =
                  meta.rank(
                      mixer,
                      List.of(new UserState(0, histories[0])),
                      20,
                      ExcludedItems.of(new int[][] {history.seenOf(0)}));
              assertThat(lists.lengths()).as("%s", mixer).containsExactly(numItems - 3);
            }
          });
    }
  }

  @Test
  void allEqualScoresSayNothing() {
    int numItems = 40;
    Interactions history = history(numItems);
    Function<UserState, float[]> equal =
        user -> {
          float[] scores = new float[numItems];
          Arrays.fill(scores, 3);
          return scores;
        };
    try (StrategyPool pool =
        new StrategyPool(
            List.of(
                KnownScores.member("equal", numItems, equal),
                KnownScores.member("silent", numItems, user -> new float[numItems])))) {
      withMeta(
          pool,
          history,
          history,
          meta -> {
            for (Mixer mixer : Mixer.values()) {
              RankedLists lists =
                  meta.rank(mixer, List.of(UserState.unseen(1)), 5, ExcludedItems.NONE);
              if (mixer != Mixer.POLICY) {
                assertThat(lists.itemsOf(0)).as("%s", mixer).containsExactly(0, 1, 2, 3, 4);
              }
              for (float score : lists.scoresOf(0)) {
                assertThat(score).as("%s", mixer).isFinite();
              }
            }
            Explanation explanation =
                meta.explain(UserState.unseen(1), 1, ExcludedItems.NONE).get(0);
            assertThat(explanation.retrievalScore()).isZero();
          });
    }
  }

  @Test
  void noTruthIsRefusedAndTruthThatNobodyFindsLeavesTheBaseline() {
    int numItems = 40;
    Interactions history = history(numItems);
    Interactions empty = KnownScores.sequences(numItems, new int[60][0]);
    try (StrategyPool pool = random(numItems);
        TopK topK = new TopK()) {
      MetaTrainer trainer = new MetaTrainer(options(1).build(), line -> {});
      assertThatThrownBy(() -> trainer.fit(pool, topK, history, history, empty))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("at least 10 users in the meta slice but there are 0");
      // All truth was seen before: it is never a candidate.
      try (MetaPolicy policy = trainer.fit(pool, topK, history, history, history);
          MetaStrategy meta = policy.over(pool, topK)) {
        List<UserState> users = List.of(UserState.unseen(1, 2));
        RankedLists lists = meta.rank(users, 5, ExcludedItems.NONE);
        RankedLists global = meta.rank(Mixer.GLOBAL, users, 5, ExcludedItems.NONE);
        assertThat(lists.items()).isEqualTo(global.items());
        assertThat(lists.scores()).isEqualTo(global.scores());
      }
    }
  }

  private interface Body {
    void run(MetaStrategy meta);
  }

  private static void withMeta(
      StrategyPool pool, Interactions history, Interactions truth, Body body) {
    try (TopK topK = new TopK();
        MetaPolicy policy =
            new MetaTrainer(options(1).epochs(2).build(), line -> {})
                .fit(pool, topK, history, history, truth);
        MetaStrategy meta = policy.over(pool, topK)) {
      body.run(meta);
    }
  }

  /** Two strategies that know nothing. */
  private static StrategyPool random(int numItems) {
    List<StrategyPool.Member> members = new ArrayList<>();
    for (int m = 0; m < 2; m++) {
      int salt = 1000 * m;
      members.add(
          KnownScores.member(
              "random" + m,
              numItems,
              user -> {
                Random random = new Random(salt + Arrays.hashCode(user.history()));
                float[] scores = new float[numItems];
                IntStream.range(0, numItems)
                    .forEach(i -> scores[i] = (float) random.nextGaussian());
                return scores;
              }));
    }
    return new StrategyPool(members);
  }

  private static Interactions history(int numItems) {
    Random random = new Random(9);
    int[][] users = new int[60][];
    for (int u = 0; u < users.length; u++) {
      users[u] = random.ints(1 + random.nextInt(6), 0, numItems).toArray();
    }
    return KnownScores.sequences(numItems, users);
  }

  @Test
  void noUserGetsMoreOfThePolicyThanTheStrengthAllows() {
    TwoKinds world = new TwoKinds(3);
    try (StrategyPool pool = world.pool();
        TopK topK = new TopK();
        MetaPolicy whole = fit(world, pool, topK, 1);
        MetaPolicy half = fit(world, pool, topK, 0.5f);
        MetaPolicy none = fit(world, pool, topK, 0)) {
      float[] all = strengths(whole);
      assertThat(all).contains(1f);
      float[] halved = strengths(half);
      for (int g = 0; g < all.length; g++) {
        assertThat(halved[g]).isLessThanOrEqualTo(0.5f);
      }
      assertThat(halved).contains(0.5f);
      assertThat(strengths(none)).containsOnly(0);
    }
  }

  private static MetaPolicy fit(TwoKinds world, StrategyPool pool, TopK topK, float strength) {
    return new MetaTrainer(options(3).strength(strength).build(), line -> {})
        .fit(pool, topK, world.history, world.history, world.metaTruth());
  }

  private static float[] strengths(MetaPolicy policy) {
    return policy.tensors().stream()
        .filter(tensor -> tensor.spec().name().equals("stage-two.strengths"))
        .findFirst()
        .orElseThrow()
        .toFloats();
  }
}
