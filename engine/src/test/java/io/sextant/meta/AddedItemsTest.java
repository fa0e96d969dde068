package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Items that came after training against the mean of the items that they stand for. */
class AddedItemsTest {

  private static final int SPARE = 4;
  private static final int[][] KIN = {{7}, {3, 40, 12}};
  private static final float[][] WEIGHTS = {{1}, {0.5f, 0.25f, 0.25f}};

  @Test
  void anAddedItemScoresAsTheMeanOfItsKin() {
    long before = Scope.liveScopes();
    for (long seed = 1; seed <= 3; seed++) {
      try (RandomMeta fixture = new RandomMeta(seed, Normalisation.Z, 1);
          TopK topK = new TopK();
          FusedScorer plain = new FusedScorer(fixture.pool, topK);
          FusedScorer scorer = new FusedScorer(fixture.pool, topK, SPARE)) {
        for (int slot = 0; slot < KIN.length; slot++) {
          scorer.place(slot, new AddedItems.Kin(KIN[slot], WEIGHTS[slot]));
        }
        List<UserState> users = fixture.users(new Random(seed));
        float[] weights = new float[users.size() * fixture.pool.size()];
        Random random = new Random(seed);
        for (int i = 0; i < weights.length; i++) {
          weights[i] = random.nextFloat();
        }
        String where = "seed " + seed;
        RankedLists expected = fused(plain, users, weights, RandomMeta.ITEMS);
        RankedLists found = fused(scorer, users, weights, RandomMeta.ITEMS + SPARE);
        assertMeans(users.size(), found, expected, where + ", fused");
        for (int m = 0; m < fixture.pool.size(); m++) {
          assertMeans(
              users.size(),
              single(scorer, users, m, RandomMeta.ITEMS + SPARE),
              single(plain, users, m, RandomMeta.ITEMS),
              where + ", " + fixture.pool.names().get(m));
        }
        assertRawMeans(scorer, users, fixture.pool.size(), where);
      }
    }
    assertThat(Scope.liveScopes()).isEqualTo(before);
  }

  private static RankedLists fused(
      FusedScorer scorer, List<UserState> users, float[] weights, int k) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            return scorer.rank(scope, scorer.score(scope, users), weights, k, ExcludedItems.NONE);
          }
        });
  }

  private static RankedLists single(FusedScorer scorer, List<UserState> users, int m, int k) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            return scorer.rankSingle(scope, scorer.score(scope, users), m, k, ExcludedItems.NONE);
          }
        });
  }

  private static void assertMeans(
      int users, RankedLists found, RankedLists expected, String where) {
    for (int user = 0; user < users; user++) {
      float[] before = byItem(expected, user, RandomMeta.ITEMS);
      float[] after = byItem(found, user, RandomMeta.ITEMS + SPARE);
      double size = 1;
      for (int item = 0; item < before.length; item++) {
        size = Math.max(size, Math.abs(before[item]));
      }
      for (int item = 0; item < before.length; item++) {
        assertThat(after[item]).as(where).isCloseTo(before[item], within((float) (1e-5 * size)));
      }
      for (int slot = 0; slot < KIN.length; slot++) {
        double mean = 0;
        for (int i = 0; i < KIN[slot].length; i++) {
          mean += WEIGHTS[slot][i] * before[KIN[slot][i]];
        }
        assertThat((double) after[RandomMeta.ITEMS + slot])
            .as("%s, user %d, slot %d", where, user, slot)
            .isCloseTo(mean, within(1e-5 * size));
      }
    }
  }

  private static float[] byItem(RankedLists lists, int list, int numPlaces) {
    float[] scores = new float[numPlaces];
    int[] items = lists.itemsOf(list);
    assertThat(items).hasSize(numPlaces);
    for (int place = 0; place < items.length; place++) {
      scores[items[place]] = lists.scoresOf(list)[place];
    }
    return scores;
  }

  private static void assertRawMeans(
      FusedScorer scorer, List<UserState> users, int numStrategies, String where) {
    int[] all = IntStream.range(0, RandomMeta.ITEMS + KIN.length).toArray();
    int n = all.length;
    int[] candidates = new int[users.size() * n];
    for (int user = 0; user < users.size(); user++) {
      System.arraycopy(all, 0, candidates, user * n, n);
    }
    float[] raw =
        TensorThreads.call(
            () -> {
              try (Scope scope = Scope.open(Device.cpu())) {
                return scorer.raw(scope, scorer.score(scope, users), candidates);
              }
            });
    for (int user = 0; user < users.size(); user++) {
      for (int slot = 0; slot < KIN.length; slot++) {
        for (int m = 0; m < numStrategies; m++) {
          double mean = 0;
          for (int i = 0; i < KIN[slot].length; i++) {
            mean += WEIGHTS[slot][i] * raw[(user * n + KIN[slot][i]) * numStrategies + m];
          }
          float found = raw[(user * n + RandomMeta.ITEMS + slot) * numStrategies + m];
          assertThat((double) found).as(where).isCloseTo(mean, within(1e-5 * (1 + Math.abs(mean))));
        }
      }
    }
  }
}
