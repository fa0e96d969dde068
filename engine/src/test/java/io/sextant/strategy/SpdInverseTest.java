package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpdInverseTest {

  /** X'X + l2 I of random normal data. */
  private static double[][] gramian(long seed, int n, double l2) {
    Random random = new Random(seed);
    double[][] x = new double[n + 3][n];
    for (double[] row : x) {
      for (int j = 0; j < n; j++) {
        row[j] = random.nextGaussian();
      }
    }
    double[][] gramian = DenseOracle.product(DenseOracle.transpose(x), x);
    for (int i = 0; i < n; i++) {
      gramian[i][i] += l2;
    }
    return gramian;
  }

  private static float[] flat(double[][] square) {
    float[] flat = new float[square.length * square.length];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) square[i / square.length][i % square.length];
    }
    return flat;
  }

  private static void assertInverts(double[][] matrix, int smallest, int strip) {
    int n = matrix.length;
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray inverse = HostArrays.floats(scope.manager(), flat(matrix), n, n);
            SpdInverse.invert(scope, inverse, smallest, strip);
            AlsTest.assertClose(inverse, flat(DenseOracle.inverse(matrix)), 1e-4f);
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 8, 8",
    "2, 5, 8, 8",
    "3, 8, 8, 3",
    "4, 9, 8, 100",
    "5, 64, 7, 5",
    "6, 131, 16, 20",
    "7, 90, 192, 2048",
    "8, 100, 1, 1"
  })
  void isTheInverse(long seed, int n, int smallest, int strip) {
    assertInverts(gramian(seed, n, 10), smallest, strip);
  }

  @Test
  void twoBlocksOfTheRealSizes() {
    assertInverts(gramian(9, 250, 20), 192, 2048);
  }

  @Test
  void singularAndIndefiniteMatricesAreRefused() {
    double[][] singular = gramian(1, 30, 0);
    for (int i = 0; i < 30; i++) {
      singular[i][20] = singular[i][3];
    }
    singular[20] = singular[3].clone();
    double[][] indefinite = gramian(2, 30, 0);
    indefinite[29][29] = -1;
    for (double[][] matrix : new double[][][] {singular, indefinite}) {
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              NDArray array = HostArrays.floats(scope.manager(), flat(matrix), 30, 30);
              assertThatThrownBy(() -> SpdInverse.invert(scope, array, 8, 8))
                  .isInstanceOf(ArithmeticException.class);
            }
          });
    }
  }

  @Test
  void allMemoryIsGivenBack() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray array = HostArrays.floats(scope.manager(), flat(gramian(1, 60, 5)), 60, 60);
            int before = scope.manager().getManagedArrays().size();
            SpdInverse.invert(scope, array, 8, 8);
            assertThat(scope.manager().getManagedArrays()).hasSize(before);
          }
        });
  }
}
