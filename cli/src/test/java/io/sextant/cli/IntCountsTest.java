package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntCountsTest {

  @Test
  void countsAreThoseOfAMap() {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      IntCounts counts = new IntCounts();
      Map<Integer, Integer> expected = new HashMap<>();
      int keys = 1 + random.nextInt(200);
      for (int i = 0; i < 500; i++) {
        int key = random.nextInt(keys) * (seed % 2 == 0 ? 1 : 4096);
        int change = random.nextInt(5) - 2;
        counts.add(key, change);
        expected.merge(key, change, Integer::sum);
      }
      expected.forEach(
          (key, count) -> assertThat(counts.get(key)).as("key %d", key).isEqualTo(count));
      assertThat(counts.get(keys * 4096 + 1)).as("seed %d", seed).isZero();
      assertThat(counts.total())
          .as("seed %d", seed)
          .isEqualTo(expected.values().stream().mapToLong(count -> count).sum());
      Map<Integer, Integer> visited = new HashMap<>();
      counts.forEach((key, count) -> visited.merge(key, count, Integer::sum));
      expected.values().removeIf(count -> count == 0);
      assertThat(visited).as("seed %d", seed).isEqualTo(expected);
    }
  }
}
