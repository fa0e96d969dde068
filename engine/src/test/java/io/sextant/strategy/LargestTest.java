package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LargestTest {

  @Test
  void keepsWhatAStableSortPutsFirst() {
    Largest largest = new Largest();
    for (long seed = 1; seed <= 300; seed++) {
      Random random = new Random(seed);
      int distinct = 1 + random.nextInt(1 << random.nextInt(10));
      int size = random.nextInt(700);
      assertKept(
          largest, size, 1 + random.nextInt(700), at -> random.nextInt(distinct), "seed " + seed);
    }
  }

  @Test
  void ordersThatAreHardForAQuickselect() {
    Largest largest = new Largest();
    int size = 5000;
    for (int k : new int[] {1, 2, 2500, 4999}) {
      assertKept(largest, size, k, at -> at, "ascending");
      assertKept(largest, size, k, at -> -at, "descending");
      assertKept(largest, size, k, at -> 1, "all equal");
      assertKept(largest, size, k, at -> Math.min(at, size - at), "organ pipe");
      assertKept(largest, size, k, at -> at % 2 == 0 ? at : size - at, "interleaved");
      assertKept(largest, size, k, at -> at == 77 ? Double.POSITIVE_INFINITY : 0, "spike");
    }
  }

  private static void assertKept(
      Largest largest, int size, int k, IntToDoubleFunction value, String description) {
    // Both arrays are longer than what counts.
    float[] values = new float[size + 3];
    Arrays.fill(values, Float.MAX_VALUE);
    for (int at = 0; at < size; at++) {
      values[at] = (float) value.applyAsDouble(at);
    }
    int[] ids = IntStream.range(0, size + 3).map(at -> 10 * at).toArray();
    float[] before = values.clone();
    int[] expected =
        IntStream.range(0, size)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer at) -> -before[at]))
            .limit(k)
            .sorted()
            .mapToInt(at -> 10 * at)
            .toArray();
    int kept = largest.keep(ids, values, size, k);
    assertThat(Arrays.copyOf(ids, kept)).as("%s, k %d", description, k).isEqualTo(expected);
    for (int at = 0; at < kept; at++) {
      assertThat(values[at]).as(description).isEqualTo(before[ids[at] / 10]);
    }
  }
}
