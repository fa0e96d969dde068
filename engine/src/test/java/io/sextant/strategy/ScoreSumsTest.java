package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ScoreSumsTest {

  @Test
  void isAMapThatCanBeEmptied() {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      // The last word of marks is full, or has one item, or few.
      int numItems = 64 * (1 + random.nextInt(200)) + random.nextInt(3) - 1;
      ScoreSums sums = new ScoreSums(numItems);
      for (int round = 0; round < 5; round++) {
        Map<Integer, Float> expected = new TreeMap<>();
        // Few items are sorted, many are found by a pass.
        int adds = random.nextInt(round % 2 == 0 ? 10 : 2 * numItems);
        for (int n = 0; n < adds; n++) {
          int item = random.nextInt(numItems);
          float value = random.nextInt(20) - 10;
          expected.merge(item, value, Float::sum);
          sums.add(item, value);
        }
        int[] many = {numItems - 1, 0, numItems / 2};
        float[] values = {3, 5, 7};
        sums.addAll(many, values, 1, 3, 2);
        expected.merge(0, 10f, Float::sum);
        expected.merge(numItems / 2, 14f, Float::sum);
        assertThat(sums.sortedItems())
            .as("seed %d, round %d", seed, round)
            .isEqualTo(expected.keySet().stream().mapToInt(i -> i).toArray());
        assertThat(sums.size()).isEqualTo(expected.size());
        for (int item = 0; item < numItems; item++) {
          assertThat(sums.get(item)).isEqualTo(expected.getOrDefault(item, 0f));
        }
        sums.clear();
        assertThat(sums.size()).isZero();
        assertThat(sums.sortedItems()).isEmpty();
      }
    }
  }
}
