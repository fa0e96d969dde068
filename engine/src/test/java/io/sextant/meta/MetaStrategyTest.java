package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ranking with random networks: whatever a policy says, these hold. */
class MetaStrategyTest {

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
  void aUserWithoutHistoryGetsExactlyTheBaseline() {
    for (Normalisation normalisation : Normalisation.values()) {
      try (RandomMeta fixture = new RandomMeta(11, normalisation, 2)) {
        List<UserState> users =
            List.of(UserState.unseen(), new UserState(3, new int[0]), UserState.unseen(5, 6));
        RankedLists policy = fixture.meta.rank(users, 10, ExcludedItems.NONE);
        RankedLists global = fixture.meta.rank(Mixer.GLOBAL, users, 10, ExcludedItems.NONE);
        for (int u = 0; u < 2; u++) {
          assertThat(policy.itemsOf(u)).as("%s", normalisation).isEqualTo(global.itemsOf(u));
          assertThat(policy.scoresOf(u)).as("%s", normalisation).isEqualTo(global.scoresOf(u));
        }
        // Else the comparison would say nothing.
        assertThat(policy.scoresOf(2)).isNotEqualTo(global.scoresOf(2));
      }
    }
  }

  @Test
  void listsAreInOrderWithoutWhatIsExcluded() {
    try (RandomMeta fixture = new RandomMeta(12, Normalisation.MIN_MAX, 1)) {
      List<UserState> users = fixture.users(new Random(1));
      int[][] seen = users.stream().map(RandomMeta::seen).toArray(int[][]::new);
      for (Mixer mixer : Mixer.values()) {
        RankedLists lists = fixture.meta.rank(mixer, users, 8, ExcludedItems.of(seen));
        for (int u = 0; u < users.size(); u++) {
          assertThat(lists.itemsOf(u)).as("%s", mixer).hasSize(8).doesNotHaveDuplicates();
          for (int item : seen[u]) {
            assertThat(lists.itemsOf(u)).as("%s", mixer).doesNotContain(item);
          }
          float[] scores = lists.scoresOf(u);
          for (int i = 1; i < scores.length; i++) {
            assertThat(scores[i]).as("%s", mixer).isLessThanOrEqualTo(scores[i - 1]);
          }
        }
      }
    }
  }

  @Test
  void longListsAndShortCataloguesGiveWhatThereIs() {
    try (RandomMeta fixture = new RandomMeta(13, Normalisation.LOG_RANK, 1)) {
      UserState user = UserState.unseen(1, 2, 3);
      ExcludedItems seen = ExcludedItems.of(new int[][] {{1, 2, 3}});
      int k = RandomMeta.ITEMS + 20;
      RankedLists lists = fixture.meta.rank(List.of(user), k, seen);
      assertThat(lists.k()).isEqualTo(k);
      assertThat(lists.lengths()).containsExactly(RandomMeta.ITEMS - 3);
      assertThat(lists.itemsOf(0)).doesNotHaveDuplicates().doesNotContain(1, 2, 3);
      int[] everything = IntStream.range(0, RandomMeta.ITEMS).toArray();
      RankedLists none =
          fixture.meta.rank(List.of(user), 5, ExcludedItems.of(new int[][] {everything}));
      assertThat(none.lengths()).containsExactly(0);
      assertThat(fixture.meta.explain(user, 5, ExcludedItems.of(new int[][] {everything})))
          .isEmpty();
    }
  }

  @Test
  void threadsAtTheSameTimeGetTheSameListsAndLeaveNoMemory() throws Exception {
    try (RandomMeta fixture = new RandomMeta(14, Normalisation.Z, 2)) {
      List<UserState> users = fixture.users(new Random(2));
      RankedLists expected = fixture.meta.rank(users, 10, ExcludedItems.NONE);
      long open = Scope.liveScopes();
      ExecutorService threads = Executors.newFixedThreadPool(2);
      try {
        List<Future<RankedLists>> results = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          results.add(threads.submit(() -> fixture.meta.rank(users, 10, ExcludedItems.NONE)));
        }
        for (Future<RankedLists> result : results) {
          assertThat(result.get().items()).isEqualTo(expected.items());
          assertThat(result.get().scores()).isEqualTo(expected.scores());
        }
      } finally {
        threads.shutdown();
      }
      assertThat(Scope.liveScopes()).isEqualTo(open);
    }
  }
}
