package io.sextant.eval;

import static io.sextant.eval.RankingFixtures.distinct;
import static io.sextant.eval.RankingFixtures.lists;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import es.uam.eps.ir.ranksys.core.Recommendation;
import es.uam.eps.ir.ranksys.core.preference.SimplePreferenceData;
import es.uam.eps.ir.ranksys.metrics.RecommendationMetric;
import es.uam.eps.ir.ranksys.metrics.basic.AveragePrecision;
import es.uam.eps.ir.ranksys.metrics.basic.NDCG;
import es.uam.eps.ir.ranksys.metrics.basic.Precision;
import es.uam.eps.ir.ranksys.metrics.basic.Recall;
import es.uam.eps.ir.ranksys.metrics.basic.ReciprocalRank;
import es.uam.eps.ir.ranksys.metrics.rel.BinaryRelevanceModel;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jooq.lambda.tuple.Tuple;
import org.junit.jupiter.api.Test;
import org.ranksys.core.util.tuples.Tuples;

class RankingEvaluationTest {

  @Test
  void handComputedVector() {
    // Hits at places 1 and 4 of 5; three relevant items; log2 of 2, 3, 4, 5 = 1, 1.585, 2, 2.3219.
    MetricTable table =
        RankingEvaluation.perUser(
            lists(5, new int[] {7, 1, 2, 9, 4}),
            new int[][] {{9, 7, 30}},
            List.of(
                RankingMetric.hr(5),
                RankingMetric.recall(5),
                RankingMetric.precision(5),
                RankingMetric.ndcg(5),
                RankingMetric.map(5),
                RankingMetric.mrr(5),
                RankingMetric.ndcg(2)));
    assertThat(table.mean(RankingMetric.hr(5))).isEqualTo(1);
    assertThat(table.mean(RankingMetric.recall(5))).isEqualTo(2.0 / 3);
    assertThat(table.mean(RankingMetric.precision(5))).isEqualTo(0.4);
    assertThat(table.mean(RankingMetric.ndcg(5))).isCloseTo(1.430677 / 2.130930, within(1e-6));
    assertThat(table.mean(RankingMetric.map(5))).isCloseTo((1 + 2.0 / 4) / 3, within(1e-15));
    assertThat(table.mean(RankingMetric.mrr(5))).isEqualTo(1);
    assertThat(table.mean(RankingMetric.ndcg(2))).isCloseTo(1 / 1.630930, within(1e-6));
  }

  @Test
  void agreesWithRankSys() {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      int k = 1 + random.nextInt(20);
      int[] list = distinct(random, 50, random.nextInt(21));
      int[] truth = distinct(random, 50, 1 + random.nextInt(30));
      SimplePreferenceData<Integer, Integer> data =
          SimplePreferenceData.load(Arrays.stream(truth).mapToObj(i -> Tuple.tuple(0, i, 1.0)));
      BinaryRelevanceModel<Integer, Integer> relevance =
          new BinaryRelevanceModel<>(false, data, 1.0);
      Recommendation<Integer, Integer> recommendation =
          new Recommendation<>(
              0, Arrays.stream(list).mapToObj(i -> Tuples.tuple((Integer) i, 1.0)).toList());

      check(RankingMetric.precision(k), new Precision<>(k, relevance), recommendation, list, truth);
      check(RankingMetric.recall(k), new Recall<>(k, relevance), recommendation, list, truth);
      check(
          RankingMetric.map(k), new AveragePrecision<>(k, relevance), recommendation, list, truth);
      check(RankingMetric.mrr(k), new ReciprocalRank<>(k, relevance), recommendation, list, truth);
      check(
          RankingMetric.ndcg(k),
          new NDCG<>(k, new NDCG.NDCGRelevanceModel<>(false, data, 1.0)),
          recommendation,
          list,
          truth);
    }
  }

  private static void check(
      RankingMetric metric,
      RecommendationMetric<Integer, Integer> oracle,
      Recommendation<Integer, Integer> recommendation,
      int[] list,
      int[] truth) {
    assertThat(
            RankingEvaluation.perUser(lists(20, list), new int[][] {truth}, List.of(metric))
                .mean(metric))
        .as("%s of %s against %s", metric, Arrays.toString(list), Arrays.toString(truth))
        .isCloseTo(oracle.evaluate(recommendation), within(1e-12));
  }

  @Test
  void usersWithoutTruthAreLeftOutAndCounted() {
    RankingMetric hr = RankingMetric.hr(1);
    MetricTable table =
        RankingEvaluation.perUser(
            lists(1, new int[] {0}, new int[] {1}, new int[] {2}),
            new int[][] {{0}, {}, {0}},
            List.of(hr));
    assertThat(table.numUsers()).isEqualTo(2);
    assertThat(table.numEmptyTruth()).isEqualTo(1);
    assertThat(table.lists()).containsExactly(0, 2);
    assertThat(table.values(hr)).containsExactly(1, 0);

    MetricTable both = MetricTable.concat(List.of(table, table));
    assertThat(both.lists()).containsExactly(0, 2, 3, 5);
    assertThat(both.values(hr)).containsExactly(1, 0, 1, 0);
    assertThat(both.numEmptyTruth()).isEqualTo(2);
  }

  @Test
  void theMeanOfRunsIsUserByUser() {
    RankingMetric hr = RankingMetric.hr(1);
    int[][] truth = {{0}, {}, {0}};
    MetricTable first =
        RankingEvaluation.perUser(
            lists(1, new int[] {0}, new int[] {1}, new int[] {2}), truth, List.of(hr));
    MetricTable second =
        RankingEvaluation.perUser(
            lists(1, new int[] {0}, new int[] {1}, new int[] {0}), truth, List.of(hr));
    MetricTable mean = MetricTable.mean(List.of(first, second));
    assertThat(mean.values(hr)).containsExactly(1, 0.5);
    assertThat(mean.lists()).containsExactly(0, 2);
    assertThat(mean.numEmptyTruth()).isEqualTo(1);
    MetricTable others =
        RankingEvaluation.perUser(
            lists(1, new int[] {0}, new int[] {1}, new int[] {2}),
            new int[][] {{0}, {1}, {}},
            List.of(hr));
    assertThatThrownBy(() -> MetricTable.mean(List.of(first, others)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("same users");
  }

  @Test
  void anItemThatAListNamesTwiceCountsOnce() {
    assertThat(
            RankingEvaluation.perUser(
                    lists(3, new int[] {5, 5, 5}),
                    new int[][] {{5, 6}},
                    List.of(RankingMetric.recall(3)))
                .mean(RankingMetric.recall(3)))
        .isEqualTo(0.5);
  }

  @Test
  void refusesWhatDoesNotFit() {
    RankedLists lists = lists(5, new int[] {1});
    assertThatThrownBy(
            () ->
                RankingEvaluation.perUser(
                    lists, new int[][] {{1}}, List.of(RankingMetric.recall(20))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("recall@20")
        .hasMessageContaining("k >= 20");
    assertThatThrownBy(
            () -> RankingEvaluation.perUser(lists, new int[2][], List.of(RankingMetric.recall(2))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("1 lists and 2 truths");
    assertThatThrownBy(() -> RankingMetric.parse("ndgc@10"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("ndgc@10")
        .hasMessageContaining("ndcg@10");
    for (String bad : List.of("ndcg", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@99999999999", "")) {
      assertThatThrownBy(() -> RankingMetric.parse(bad))
          .as(bad)
          .isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void pairedDifferenceNeedsTheSameUsers() {
    List<RankingMetric> hr = List.of(RankingMetric.hr(1));
    RankedLists lists = lists(1, new int[] {0}, new int[] {1});
    MetricTable a = RankingEvaluation.perUser(lists, new int[][] {{0}, {0}}, hr);
    MetricTable b = RankingEvaluation.perUser(lists, new int[][] {{0}, {}}, hr);
    assertThatThrownBy(() -> a.differenceTo(b, 100, 1)).isInstanceOf(InvalidInputException.class);
    MetricTable c = RankingEvaluation.perUser(lists, new int[][] {{1}, {1}}, hr);
    assertThat(a.differenceTo(c, 100, 1).get("hr@1")).extracting(Interval::value).isEqualTo(0.0);
  }

  @Test
  void aucAgreesWithCountingPairs() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int n = 2 + random.nextInt(60);
      float[] scores = new float[n];
      for (int i = 0; i < n; i++) {
        scores[i] = random.nextInt(8) - 4; // many ties, and -0.0 beside 0.0
        scores[i] = scores[i] == 0 && random.nextBoolean() ? -0f : scores[i];
      }
      int[] truth = distinct(random, n, 1 + random.nextInt(n / 2));
      int[] excluded = distinct(random, n, random.nextInt(n / 2));
      double wins = 0;
      double pairs = 0;
      for (int p = 0; p < n; p++) {
        for (int q = 0; q < n; q++) {
          if (contains(truth, p)
              && !contains(truth, q)
              && !contains(excluded, p)
              && !contains(excluded, q)) {
            pairs++;
            wins += scores[p] > scores[q] ? 1 : scores[p] == scores[q] ? 0.5 : 0;
          }
        }
      }
      assertThat(RankingEvaluation.auc(scores, truth, excluded))
          .as("seed %d", seed)
          .isEqualTo(Double.valueOf(wins / pairs)); // boxed: NaN equals NaN
    }
    assertThat(RankingEvaluation.auc(new float[] {1, 2}, new int[0], new int[0])).isNaN();
    assertThatThrownBy(() -> RankingEvaluation.auc(new float[2], new int[] {2}, new int[0]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item index 2");
    assertThatThrownBy(
            () -> RankingEvaluation.auc(new float[] {0, Float.NaN}, new int[] {0}, new int[0]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item 1 is NaN");
  }

  private static boolean contains(int[] items, int item) {
    return Arrays.stream(items).anyMatch(other -> other == item);
  }
}
