package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.retrieve.SparseRows;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolicyFeaturesTest {

  private static final int TOP = 20;
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final int M = NAMES.size();
  private static final float[] POPULARITY = {0.5f, 1.5f, 2.5f, 4};

  @Test
  void featuresOfTheHistoryComputedByHand() {
    PolicyFeatures features = new PolicyFeatures(new ItemFacts(POPULARITY), NAMES);
    @Nullable SparseRows[] sparse = {
      null, new SparseRows(new int[] {0, 2, 2}, new int[] {1, 3}, new float[] {1, 1}), null
    };
    PoolScores scores =
        new PoolScores(
            2, null, sparse, new float[] {6, -50, 7, 1, 1, 1}, new float[] {2, 1, 0, 1, 1, 1});
    float[] rows =
        features.users(
            List.of(new UserState(4, new int[] {0, 3, 3, 1}), UserState.unseen()), scores);
    int width = features.userNames().size();
    assertThat(rows).hasSize(2 * width);
    assertFeature(features, rows, "history length", Math.log(5));
    assertFeature(features, rows, "mean popularity of history", 2.5);
    assertFeature(features, rows, "spread of popularity of history", Math.sqrt(9.5 / 4));
    assertFeature(features, rows, "popularity of latest item", 1.5);
    assertFeature(features, rows, "known in training", 1);
    assertFeature(features, rows, "mean to deviation of a", 3);
    assertFeature(features, rows, "mean to deviation of b", -10);
    assertFeature(features, rows, "mean to deviation of c", 0);
    assertFeature(features, rows, "support of a", 0);
    assertFeature(features, rows, "support of b", Math.log(3));
    for (int f = 0; f < 5; f++) {
      assertThat(rows[width + f]).isZero();
    }
  }

  @Test
  void ranksAndOverlapsAreThoseOfANaiveCount() {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      int n = 40;
      int[] lengths = {40, 33, 12, 0};
      Evidence evidence = evidence(random, n, lengths);
      PolicyFeatures features = new PolicyFeatures(new ItemFacts(new float[n]), NAMES);
      int narrow = features.userNames().size();
      int width = features.userNamesWithCandidates().size();
      float[] before = new float[lengths.length * narrow];
      for (int i = 0; i < before.length; i++) {
        before[i] = i;
      }
      float[] rows = features.usersWithCandidates(before, evidence);
      for (int u = 0; u < lengths.length; u++) {
        for (int f = 0; f < narrow; f++) {
          assertThat(rows[u * width + f]).isEqualTo(before[u * narrow + f]);
        }
        for (int m = 0; m < M; m++) {
          List<Integer> order = order(evidence, u, m);
          double shared = 0;
          for (int other = 0; other < M; other++) {
            Set<Integer> both = new HashSet<>(top(order));
            both.retainAll(top(order(evidence, u, other)));
            shared += other == m ? 0 : both.size();
          }
          String where = "seed %d, user %d, strategy %d".formatted(seed, u, m);
          int at = u * width + narrow + m;
          assertThat((double) rows[at]).as(where).isCloseTo(shared / (TOP * (M - 1)), within(1e-6));
          double best = order.isEmpty() ? 0 : evidence.z(u, order.get(0), m);
          double last = order.size() < TOP ? 0 : evidence.z(u, order.get(TOP - 1), m);
          assertThat((double) rows[at + M])
              .as(where)
              .isCloseTo(Math.log1p(Math.max(0, best)), within(1e-6));
          assertThat((double) rows[at + 2 * M])
              .as(where)
              .isCloseTo(Math.log1p(Math.max(0, last)), within(1e-6));
        }
      }
    }
  }

  @Test
  void featuresOfCandidatesAreInTheColumnsOfTheirNames() {
    Random random = new Random(3);
    int n = 30;
    int[] lengths = {30, 11};
    Evidence evidence = evidence(random, n, lengths);
    float[] popularity = new float[n];
    for (int item = 0; item < n; item++) {
      popularity[item] = item / 10f;
    }
    float[] baseline = new float[lengths.length * n];
    for (int i = 0; i < baseline.length; i++) {
      // With ties.
      baseline[i] = random.nextInt(12);
    }
    PolicyFeatures features = new PolicyFeatures(new ItemFacts(popularity), NAMES);
    float[] rows = features.items(evidence, baseline);
    List<String> names = features.itemNames();
    assertThat(rows).hasSize(lengths.length * n * names.size());
    float[] minMax = Normalisation.MIN_MAX.apply(evidence);
    float[] logRank = Normalisation.LOG_RANK.apply(evidence);
    for (int u = 0; u < lengths.length; u++) {
      int user = u;
      List<Integer> order =
          IntStream.range(0, lengths[u])
              .boxed()
              .sorted(Comparator.comparingDouble(c -> -baseline[user * n + c]))
              .toList();
      for (int c = 0; c < lengths[u]; c++) {
        int at = (u * n + c) * names.size();
        assertThat(rows[at + names.indexOf("item popularity")])
            .isEqualTo(popularity[evidence.item(u, c)]);
        assertThat((double) rows[at + names.indexOf("rank in baseline")])
            .isCloseTo(Math.log(order.indexOf(c) + 2), within(1e-6));
        for (int m = 0; m < M; m++) {
          int z = (u * n + c) * M + m;
          assertThat(rows[at + names.indexOf("min max of " + NAMES.get(m))]).isEqualTo(minMax[z]);
          assertThat(rows[at + names.indexOf("log rank of " + NAMES.get(m))]).isEqualTo(logRank[z]);
        }
      }
    }
  }

  private static void assertFeature(
      PolicyFeatures features, float[] rows, String name, double expected) {
    int column = features.userNames().indexOf(name);
    assertThat(column).as(name).isNotNegative();
    assertThat((double) rows[column]).as(name).isCloseTo(expected, within(1e-6));
  }

  private static Evidence evidence(Random random, int n, int[] lengths) {
    int[] items = new int[lengths.length * n];
    float[] raw = new float[items.length * M];
    for (int i = 0; i < items.length; i++) {
      items[i] = i % n < lengths[i / n] ? (i * 7) % n : -1;
    }
    for (int i = 0; i < raw.length; i++) {
      // Few values, so that there are ties at every cut.
      raw[i] = random.nextInt(9) - 2;
    }
    float[] means = new float[lengths.length * M];
    float[] deviations = new float[means.length];
    for (int i = 0; i < means.length; i++) {
      means[i] = random.nextFloat();
      deviations[i] = random.nextInt(4) == 0 ? 0 : 0.5f + random.nextFloat();
    }
    return new Evidence(n, M, lengths, items, raw, means, deviations);
  }

  /** Candidates by score, the earlier one first where they are equal. */
  private static List<Integer> order(Evidence evidence, int user, int strategy) {
    List<Integer> order = new ArrayList<>();
    for (int c = 0; c < evidence.length(user); c++) {
      order.add(c);
    }
    order.sort(Comparator.comparingDouble(c -> -evidence.raw(user, c, strategy)));
    return order;
  }

  private static Set<Integer> top(List<Integer> order) {
    return new HashSet<>(order.subList(0, Math.min(TOP, order.size())));
  }
}
