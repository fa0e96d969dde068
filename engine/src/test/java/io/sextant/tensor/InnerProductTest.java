package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class InnerProductTest {

  @Test
  void everyLengthAndOffsetGivesTheSumOfProducts() {
    long seed = 11;
    Random random = new Random(seed);
    for (int n = 0; n <= 40; n++) {
      int i = random.nextInt(5);
      int j = random.nextInt(5);
      float[] a = new float[i + n + 3];
      float[] b = new float[j + n + 3];
      for (int d = 0; d < a.length; d++) {
        a[d] = (float) random.nextGaussian();
      }
      for (int d = 0; d < b.length; d++) {
        b[d] = (float) random.nextGaussian();
      }
      double expected = 0;
      double magnitude = 0;
      for (int d = 0; d < n; d++) {
        expected += (double) a[i + d] * b[j + d];
        magnitude += Math.abs((double) a[i + d] * b[j + d]);
      }
      // Each of the n products and sums is off by half a unit in the last place at most.
      assertThat((double) InnerProduct.of(a, i, b, j, n))
          .as("seed %d, n %d", seed, n)
          .isCloseTo(expected, within((n + 1) * 0x1p-24 * magnitude));
    }
  }
}
