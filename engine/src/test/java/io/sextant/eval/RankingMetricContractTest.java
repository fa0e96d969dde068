package io.sextant.eval;

import static io.sextant.eval.RankingFixtures.distinct;
import static io.sextant.eval.RankingFixtures.lists;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every ranking metric promises, whatever it measures. */
class RankingMetricContractTest {

  private static final int I = 60;
  // Sums of at most 60 terms below 1, each rounded once.
  private static final double ROUNDING = 1e-13;

  private static double one(RankingMetric metric, int[] list, int[] truth) {
    return RankingEvaluation.perUser(lists(I, list), new int[][] {truth}, List.of(metric))
        .mean(metric);
  }

  @ParameterizedTest
  @EnumSource
  void perfectListIsOneAndWorstIsZero(RankingMetric.Kind kind) {
    for (int k : new int[] {1, 3, 10}) {
      RankingMetric metric = new RankingMetric(kind, k);
      int[] truth = distinct(new Random(k), I, k);
      assertThat(one(metric, truth, truth)).as(metric.name()).isEqualTo(1.0);
      int[] misses = Arrays.stream(distinct(new Random(k), I, I)).skip(k).toArray();
      assertThat(one(metric, misses, truth)).as(metric.name()).isEqualTo(0.0);
      assertThat(one(metric, new int[0], truth)).as(metric.name()).isEqualTo(0.0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void agreesWithItsDefinition(RankingMetric.Kind kind) {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      RankingMetric metric = new RankingMetric(kind, 1 + random.nextInt(I));
      int[] list = distinct(random, I, random.nextInt(I + 1));
      int[] truth = distinct(random, I, 1 + random.nextInt(20));
      assertThat(one(metric, list, truth))
          .as("%s, seed %d", metric, seed)
          .isCloseTo(RankingFixtures.naive(metric, list, truth), within(ROUNDING))
          .isBetween(0.0, 1.0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aHitThatMovesUpNeverLowersIt(RankingMetric.Kind kind) {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      RankingMetric metric = new RankingMetric(kind, 1 + random.nextInt(15));
      int[] list = distinct(random, I, 20);
      int[] truth = distinct(random, I, 1 + random.nextInt(20));
      double before = one(metric, list, truth);
      for (int place = 1; place < list.length; place++) {
        boolean hit = contains(truth, list[place]);
        boolean hitAbove = contains(truth, list[place - 1]);
        if (hit && !hitAbove) {
          int[] better = list.clone();
          better[place] = list[place - 1];
          better[place - 1] = list[place];
          assertThat(one(metric, better, truth))
              .as("%s, seed %d, place %d", metric, seed, place)
              .isGreaterThanOrEqualTo(before);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void ignoresWhatCannotMatter(RankingMetric.Kind kind) {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      RankingMetric metric = new RankingMetric(kind, 1 + random.nextInt(15));
      int[] list = distinct(random, I, 30);
      int[] truth = distinct(random, I, 1 + random.nextInt(20));
      double expected = one(metric, list, truth);
      String what = "%s, seed %d".formatted(metric, seed);

      int[] cut = Arrays.copyOf(list, metric.k());
      assertThat(one(metric, cut, truth)).as(what + ": places behind k").isEqualTo(expected);

      int[] reversedTwice = new int[2 * truth.length];
      for (int i = 0; i < truth.length; i++) {
        reversedTwice[i] = truth[truth.length - 1 - i];
        reversedTwice[truth.length + i] = truth[i];
      }
      assertThat(one(metric, list, reversedTwice))
          .as(what + ": order of truth")
          .isEqualTo(expected);

      int[] names = distinct(random, I, I);
      int[] renamedList = Arrays.stream(list).map(item -> names[item]).toArray();
      int[] renamedTruth = Arrays.stream(truth).map(item -> names[item]).toArray();
      assertThat(one(metric, renamedList, renamedTruth)).as(what + ": names").isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource
  void itsNameIsParsedBack(RankingMetric.Kind kind) {
    RankingMetric metric = new RankingMetric(kind, 20);
    assertThat(RankingMetric.parse(metric.name())).isEqualTo(metric);
    assertThat(RankingMetric.parse(" " + metric.name().toUpperCase(java.util.Locale.ROOT)))
        .isEqualTo(metric);
  }

  private static boolean contains(int[] items, int item) {
    return Arrays.stream(items).anyMatch(other -> other == item);
  }
}
