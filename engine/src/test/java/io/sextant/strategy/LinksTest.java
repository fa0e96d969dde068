package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinksTest {

  @Test
  void holdTheHeaviestRowOfEachPairByRowsAndByColumns() {
    for (long seed = 1; seed <= 10; seed++) {
      Random random = new Random(seed);
      Interactions events = RandomEvents.of(random, 20, 15, 30);
      int maxItems = 1 + random.nextInt(40);
      double[][] x = RandomEvents.heaviest(events, maxItems);
      Links users = Links.of(events, maxItems);
      Links items = users.transposed();
      assertThat(dense(users)).as("seed %d", seed).isDeepEqualTo(x);
      double[][] transposed = new double[15][20];
      for (int user = 0; user < 20; user++) {
        for (int item = 0; item < 15; item++) {
          transposed[item][user] = x[user][item];
        }
      }
      assertThat(dense(items)).as("seed %d", seed).isDeepEqualTo(transposed);
      for (int item = 0; item < 15; item++) {
        double sum = RandomEvents.columnSum(x, item);
        assertThat(items.degrees(-0.5)[item])
            .as("seed %d", seed)
            .isEqualTo(sum == 0 ? 1 : (float) Math.pow(sum, -0.5));
      }
    }
  }

  private static double[][] dense(Links links) {
    double[][] dense = new double[links.numRows()][links.numColumns()];
    for (int row = 0; row < dense.length; row++) {
      for (int at = links.starts()[row]; at < links.starts()[row + 1]; at++) {
        dense[row][links.columns()[at]] = links.weights()[at];
      }
    }
    return dense;
  }

  @Test
  void damagedOnesAreRefused() {
    assertDamaged(new int[] {}, new int[] {}, new float[] {});
    assertDamaged(new int[] {1, 1}, new int[] {0}, new float[] {1});
    assertDamaged(new int[] {0, 2, 1}, new int[] {0}, new float[] {1});
    assertDamaged(new int[] {0, 1}, new int[] {0}, new float[] {1, 2});
    assertDamaged(new int[] {0, 2}, new int[] {1, 1}, new float[] {1, 2});
    assertDamaged(new int[] {0, 1}, new int[] {3}, new float[] {1});
    assertDamaged(new int[] {0, 1}, new int[] {-1}, new float[] {1});
    assertDamaged(new int[] {0, 1}, new int[] {0}, new float[] {0});
    assertDamaged(new int[] {0, 1}, new int[] {0}, new float[] {Float.NaN});
  }

  private static void assertDamaged(int[] starts, int[] columns, float[] weights) {
    assertThatThrownBy(() -> new Links(3, starts, columns, weights))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("links are damaged");
  }
}
