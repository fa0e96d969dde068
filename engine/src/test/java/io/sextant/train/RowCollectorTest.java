package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowCollectorTest {

  @Test
  void rowsAreNumberedInTheOrderOfTheirFirstUse() {
    Random random = new Random(1);
    RowCollector collector = new RowCollector(3000);
    for (int batch = 0; batch < 4; batch++) {
      // The first batch comes without clear: a new collector is an empty one.
      if (batch > 0) {
        collector.clear();
      }
      Map<Integer, Integer> locals = new LinkedHashMap<>();
      for (int i = 0; i < 5000; i++) {
        int row = random.nextInt(3000);
        String as = "seed 1, batch %d, row %d".formatted(batch, row);
        assertThat(collector.localOf(row)).as(as).isEqualTo(locals.getOrDefault(row, -1));
        locals.putIfAbsent(row, locals.size());
        assertThat(collector.add(row)).as(as).isEqualTo(locals.get(row));
      }
      assertThat(collector.rows())
          .isEqualTo(locals.keySet().stream().mapToInt(row -> row).toArray());
      assertThat(collector.size()).isEqualTo(locals.size());
    }
  }
}
