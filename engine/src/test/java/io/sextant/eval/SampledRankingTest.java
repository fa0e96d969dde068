package io.sextant.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.List;
import org.junit.jupiter.api.Test;

class SampledRankingTest {

  private static final RankingMetric HR = RankingMetric.hr(2);
  private static final RankingMetric NDCG = RankingMetric.ndcg(2);

  private static MetricTable one(float positive, SampledRanking.Ties ties, float... negatives) {
    int[] items = new int[negatives.length];
    for (int i = 0; i < items.length; i++) {
      items[i] = 100 + i;
    }
    return SampledRanking.perUser(
        new int[] {7},
        new float[] {positive},
        new int[][] {items},
        new float[][] {negatives},
        ties,
        List.of(HR, NDCG));
  }

  @Test
  void placesThePositiveAmongItsNegatives() {
    for (SampledRanking.Ties ties : SampledRanking.Ties.values()) {
      assertThat(one(3, ties, 1, 2).mean(NDCG)).isEqualTo(1);
      assertThat(one(3, ties, 4, 2).mean(NDCG)).isCloseTo(1 / 1.5849625, within(1e-7));
      assertThat(one(3, ties, 4, 2).mean(HR)).isEqualTo(1);
      assertThat(one(3, ties, 4, 5).mean(HR)).isEqualTo(0);
    }
  }

  @Test
  void tiesArePessimisticOrExpected() {
    // One above, three equal: places 2, 3, 4, 5.
    assertThat(one(3, SampledRanking.Ties.PESSIMISTIC, 4, 3, 3, 3).mean(HR)).isEqualTo(0);
    assertThat(one(3, SampledRanking.Ties.EXPECTED, 4, 3, 3, 3).mean(HR)).isEqualTo(0.25);
    assertThat(one(3, SampledRanking.Ties.EXPECTED, 4, 3, 3, 3).mean(NDCG))
        .isCloseTo(0.25 / 1.5849625, within(1e-7));
  }

  @Test
  void aNegativeThatIsThePositiveIsSkipped() {
    MetricTable table =
        SampledRanking.perUser(
            new int[] {7},
            new float[] {1},
            new int[][] {{7, 7, 8}},
            new float[][] {{5, 5, 0}},
            SampledRanking.Ties.PESSIMISTIC,
            List.of(RankingMetric.hr(1)));
    assertThat(table.mean(RankingMetric.hr(1))).isEqualTo(1);
  }

  @Test
  void refusesNan() {
    assertThatThrownBy(() -> one(1, SampledRanking.Ties.EXPECTED, 0, Float.NaN))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("negative 1 of user 0 (item 101) is NaN");
  }
}
