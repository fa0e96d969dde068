package io.sextant.eval;

import static io.sextant.eval.RankingFixtures.distinct;
import static io.sextant.eval.RankingFixtures.lists;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CatalogueMetricsTest {

  @Test
  void handComputedVector() {
    // Five items, seven counts: shares (3+1)/12, (2+1)/12, 2/12, 2/12, 1/12; the head is item 0.
    int[] counts = {3, 2, 1, 1, 0};
    RankedLists lists = lists(3, new int[] {0, 1, 4}, new int[] {0}, new int[0]);
    CatalogueMetrics metrics = CatalogueMetrics.of(List.of(lists), 2, counts);
    assertThat(metrics.coverage()).isEqualTo(2.0 / 5);
    // Shown 0 0 0 1 2: sum (2i - 6) x_i = 2 * 1 + 4 * 2 = 10, over 5 * 3.
    assertThat(metrics.gini()).isCloseTo(10.0 / 15, within(1e-15));
    assertThat(metrics.novelty())
        .isCloseTo((2 * Math.log(3) + Math.log(4)) / Math.log(2) / 3, within(1e-12));
    assertThat(metrics.headShare()).isEqualTo(2.0 / 3);
    assertThat(metrics.toMap(2)).containsEntry("coverage@2", 0.4);
  }

  @Test
  void giniIsTheMeanAbsoluteDifference() {
    for (int seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      int numItems = 2 + random.nextInt(30);
      int k = 1 + random.nextInt(numItems);
      int[][] rows = new int[1 + random.nextInt(20)][];
      double[] shown = new double[numItems];
      double total = 0;
      for (int row = 0; row < rows.length; row++) {
        rows[row] = distinct(random, numItems, k);
        for (int item : rows[row]) {
          shown[item]++;
          total++;
        }
      }
      double differences = 0;
      for (double a : shown) {
        for (double b : shown) {
          differences += Math.abs(a - b);
        }
      }
      CatalogueMetrics metrics = CatalogueMetrics.of(List.of(lists(k, rows)), k, new int[numItems]);
      assertThat(metrics.gini())
          .as("seed %d", seed)
          .isCloseTo(differences / (2 * numItems * total), within(1e-12));
      assertThat(metrics.novelty())
          .as("seed %d", seed)
          .isCloseTo(Math.log(numItems) / Math.log(2), within(1e-9));
    }
  }

  @Test
  void nothingShown() {
    CatalogueMetrics metrics =
        CatalogueMetrics.of(List.of(lists(2, new int[0])), 2, new int[] {1, 2});
    assertThat(metrics.coverage()).isZero();
    assertThat(metrics.gini()).isNaN();
    assertThat(metrics.novelty()).isNaN();
    assertThat(metrics.headShare()).isNaN();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(
            () -> CatalogueMetrics.of(List.of(lists(1, new int[] {2})), 1, new int[] {1, 1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item 2");
    assertThatThrownBy(
            () -> CatalogueMetrics.of(List.of(lists(1, new int[] {0})), 2, new int[] {1}))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new CatalogueMetrics.Accumulator(0, new int[] {1}))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new CatalogueMetrics.Accumulator(1, new int[] {-1}))
        .isInstanceOf(InvalidInputException.class);
  }
}
