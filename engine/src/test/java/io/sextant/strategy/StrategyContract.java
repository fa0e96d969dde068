package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.Parity;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.store.BundleWriter;
import io.sextant.store.ModelBundle;
import io.sextant.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every strategy must do. Data are blocks: each user knows most items of one block of the
 * catalogue in random order, so the right answer is the rest of that block.
 */
abstract class StrategyContract {

  static final int BLOCKS = 4;
  static final int PER_BLOCK = 10;
  static final int SEEN = 7;
  static final int USERS = 60;
  static final int ITEMS = BLOCKS * PER_BLOCK;

  @TempDir Path folder;

  private final Ranker ranker = new Ranker();
  private long scopes;

  /** The strategy, small enough to fit the blocks in a second. */
  abstract Strategy strategy(long seed);

  /** Whether it makes lists for a person; popularity does not. */
  boolean isPersonal() {
    return true;
  }

  /** The data to learn from; a strategy that needs features overrides this. */
  Dataset dataset(Interactions train) {
    return Dataset.of(train);
  }

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
  void findsTheRestOfTheBlock() {
    for (long seed = 1; seed <= 3; seed++) {
      Interactions train = blocks(seed);
      try (FittedStrategy fitted = fit(train, seed)) {
        List<UserState> users = users(train);
        assertThat(fitted.numItems()).isEqualTo(ITEMS);
        if (isPersonal()) {
          RankedLists known = ranker.rank(fitted, users, PER_BLOCK - SEEN);
          assertThat(inBlock(known)).as("seed %d, known users", seed).isGreaterThan(0.85);
          List<UserState> unseen = users.stream().map(u -> UserState.unseen(u.history())).toList();
          RankedLists byHistory = ranker.rank(fitted, unseen, PER_BLOCK - SEEN);
          assertThat(inBlock(byHistory)).as("seed %d, by history", seed).isGreaterThan(0.85);
        }
      }
    }
  }

  @Test
  void aSeedGivesTheSameModelAgain() {
    Interactions train = blocks(5);
    try (FittedStrategy one = fit(train, 9);
        FittedStrategy two = fit(train, 9)) {
      assertThat(ranker.rank(one, users(train), 6).scores())
          .isEqualTo(ranker.rank(two, users(train), 6).scores());
    }
  }

  @Test
  void aBatchIsServedAsItsUsersOneByOneAndOnManyThreads() {
    Interactions train = blocks(1);
    try (FittedStrategy fitted = fit(train, 1)) {
      List<UserState> users = new ArrayList<>(users(train));
      users.add(UserState.unseen());
      users.add(UserState.unseen(3));
      users.add(UserState.unseen(3, 3, 7));
      RankedLists together = ranker.rank(fitted, users, ITEMS);
      IntStream.range(0, users.size())
          .parallel()
          .forEach(
              u -> {
                RankedLists alone = ranker.rank(fitted, List.of(users.get(u)), ITEMS);
                assertSameScores(alone, 0, together, u);
              });
    }
  }

  @Test
  void seenItemsAreExcludedAndMoreItemsThanThereAreGivesAllThatAreLeft() {
    Interactions train = blocks(1);
    try (FittedStrategy fitted = fit(train, 1)) {
      RankedLists lists =
          ranker.rank(fitted, List.of(users(train).get(3), UserState.unseen()), 5 * ITEMS);
      assertThat(lists.itemsOf(0))
          .hasSize(ITEMS - SEEN)
          .doesNotHaveDuplicates()
          .doesNotContain(train.seenOf(3));
      assertThat(lists.itemsOf(1)).hasSize(ITEMS).doesNotHaveDuplicates();
    }
  }

  @Test
  void aSavedOneGivesTheSameScoresWhenLoaded() {
    Interactions train = blocks(2);
    try (FittedStrategy fitted = fit(train, 2)) {
      Path bundle = folder.resolve("bundle");
      new BundleWriter()
          .strategy("s", fitted.type(), fitted.configJson(), fitted.tensors())
          .users(names("u", USERS))
          .items(names("i", ITEMS))
          .write(bundle);
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

  /** How far scores of a model that was fitted elsewhere may be away: steps add up rounding. */
  double fittingTolerance() {
    return 1e-3;
  }

  /** The same without random draws in training, which a device makes of its own. */
  Strategy withoutDraws(long seed) {
    return strategy(seed);
  }

  @Test
  void anotherDeviceFitsAndServesTheSame() {
    Interactions train = blocks(6);
    Device device = Parity.device();
    List<UserState> users = new ArrayList<>(users(train));
    users.add(UserState.unseen(3, 1));
    Strategy strategy = withoutDraws(6);
    try (FittedStrategy here = strategy.fit(FitContext.of(Device.cpu(), dataset(train)));
        FittedStrategy there = strategy.fit(FitContext.of(device, dataset(train)))) {
      RankedLists expected = ranker.rank(here, users, 6);
      Parity.assertSameLists(ranker.rank(there, users, 6), expected, fittingTolerance());
      Path bundle = folder.resolve("parity");
      new BundleWriter()
          .strategy("s", here.type(), here.configJson(), here.tensors())
          .users(names("u", USERS))
          .items(names("i", ITEMS))
          .write(bundle);
      try (ModelBundle open = ModelBundle.open(bundle);
          FittedStrategy loaded = Strategies.load(open.strategy("s"), device)) {
        Parity.assertSameLists(ranker.rank(loaded, users, 6), expected, 1e-5);
      }
    }
  }

  @Test
  void oneUserWithOneItemIsEnoughOrRefusedClearly() {
    Interactions.Builder rows = Interactions.builder(ids("u", 1), ids("i", 3));
    add(rows, 0, 1, 0);
    try (FittedStrategy fitted =
        strategy(1).fit(FitContext.of(Device.cpu(), dataset(rows.build())))) {
      RankedLists lists = ranker.rank(fitted, List.of(UserState.unseen(1)), 2);
      assertThat(lists.itemsOf(0)).containsExactlyInAnyOrder(0, 2);
    } catch (io.sextant.InvalidInputException refused) {
      assertThat(refused).hasMessageContaining(strategy(1).name());
    }
  }

  FittedStrategy fit(Interactions train, long seed) {
    return strategy(seed).fit(FitContext.of(Device.cpu(), dataset(train)));
  }

  /** Each user knows most items of one block, in random order. */
  static Interactions blocks(long seed) {
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int user = 0; user < USERS; user++) {
      List<Integer> items = new ArrayList<>();
      for (int i = 0; i < PER_BLOCK; i++) {
        items.add(user % BLOCKS + i * BLOCKS);
      }
      Collections.shuffle(items, random);
      for (int i = 0; i < SEEN; i++) {
        add(rows, user, items.get(i), 1000L * i);
      }
    }
    return rows.build();
  }

  static List<UserState> users(Interactions train) {
    List<UserState> users = new ArrayList<>();
    for (int user = 0; user < train.numUsers(); user++) {
      users.add(new UserState(user, train.historyOf(user)));
    }
    return users;
  }

  static void add(Interactions.Builder rows, int user, int item, long time) {
    rows.add(user, item, EventType.CLICK, Float.NaN, 1, time, InteractionFeatures.UNKNOWN);
  }

  static IdIndex ids(String prefix, int count) {
    return IdIndex.of(names(prefix, count));
  }

  private static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }

  /** Each item of both lists, whatever its place, has the same score up to rounding. */
  private static void assertSameScores(RankedLists a, int listA, RankedLists b, int listB) {
    float[] byItem = new float[ITEMS];
    int[] itemsB = b.itemsOf(listB);
    float scale = 1e-6f;
    for (int i = 0; i < itemsB.length; i++) {
      byItem[itemsB[i]] = b.scoresOf(listB)[i];
      scale = Math.max(scale, Math.abs(b.scoresOf(listB)[i]));
    }
    assertThat(a.itemsOf(listA)).containsExactlyInAnyOrder(itemsB);
    for (int i = 0; i < itemsB.length; i++) {
      assertThat(a.scoresOf(listA)[i])
          .as("user %d, place %d", listB, i)
          .isCloseTo(byItem[a.itemsOf(listA)[i]], within(2e-5f * scale));
    }
  }

  /** The share of list entries of the user's own block; by chance it would be 0.09. */
  private static double inBlock(RankedLists lists) {
    int hits = 0;
    for (int user = 0; user < USERS; user++) {
      int block = user % BLOCKS;
      hits += (int) Arrays.stream(lists.itemsOf(user)).filter(i -> i % BLOCKS == block).count();
    }
    return hits / (double) (USERS * (PER_BLOCK - SEEN));
  }
}
