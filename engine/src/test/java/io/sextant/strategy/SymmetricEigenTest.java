package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SymmetricEigenTest {

  private static void assertDecomposes(double[][] a, String what) {
    SymmetricEigen eigen = SymmetricEigen.of(a);
    int n = a.length;
    double norm = 1e-300;
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += a[i][i];
      for (double value : a[i]) {
        norm = Math.max(norm, n * Math.abs(value));
      }
    }
    double sum = 0;
    for (int k = 0; k < n; k++) {
      double[] v = eigen.vectors()[k];
      sum += eigen.values()[k];
      if (k > 0) {
        assertThat(eigen.values()[k]).as(what).isLessThanOrEqualTo(eigen.values()[k - 1]);
      }
      for (int i = 0; i < n; i++) {
        double image = 0;
        double overlap = 0;
        for (int j = 0; j < n; j++) {
          image += a[i][j] * v[j];
          overlap += eigen.vectors()[i][j] * v[j];
        }
        assertThat(image).as(what).isCloseTo(eigen.values()[k] * v[i], within(1e-13 * norm));
        assertThat(overlap).as(what).isCloseTo(i == k ? 1 : 0, within(1e-12));
      }
    }
    assertThat(sum).as(what).isCloseTo(trace, within(1e-13 * n * norm));
  }

  @Test
  void valuesAndVectorsSatisfyTheirDefinition() {
    for (long seed = 1; seed <= 6; seed++) {
      Random random = new Random(seed);
      int n = (int) (1 + seed * 7);
      double[][] a = new double[n][n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
          a[i][j] = random.nextGaussian() * (seed % 2 == 0 ? 1e-4 : 1e4);
          a[j][i] = a[i][j];
        }
      }
      assertDecomposes(a, "seed " + seed);
    }
  }

  @Test
  void specialMatrices() {
    assertDecomposes(new double[4][4], "zero");
    assertDecomposes(new double[][] {{2, 0}, {0, 5}}, "diagonal");
    assertDecomposes(new double[][] {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}, "rank one");
    assertDecomposes(new double[][] {{1, 1e-9}, {1e-9, 1}}, "nearly equal values");
    assertDecomposes(new double[][] {{1e8, 1e-8}, {1e-8, 1e-8}}, "values far apart");
  }

  @Test
  void handComputed() {
    SymmetricEigen eigen = SymmetricEigen.of(new double[][] {{2, 1}, {1, 2}});
    assertThat(eigen.values()).containsExactly(new double[] {3, 1}, within(1e-15));
    assertThat(Math.abs(eigen.vectors()[0][0])).isCloseTo(Math.sqrt(0.5), within(1e-15));
    assertThat(eigen.vectors()[0][0]).isCloseTo(eigen.vectors()[0][1], within(1e-15));
  }
}
