package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RunsTest {

  @Test
  void runsAreLaidOutOneBehindTheOther() {
    Random random = new Random(2);
    TensorThreads.run(
        () -> {
          for (int count : new int[] {1, 2, 50}) {
            int[] starts = random.ints(count, 0, 1000).toArray();
            int[] lengths = random.ints(count, 1, 9).toArray();
            List<Long> owners = new ArrayList<>();
            List<Long> offsets = new ArrayList<>();
            List<Long> numbers = new ArrayList<>();
            for (int run = 0; run < count; run++) {
              for (int i = 0; i < lengths[run]; i++) {
                owners.add((long) run);
                offsets.add((long) i);
                numbers.add((long) starts[run] + i);
              }
            }
            try (Scope scope = Scope.open(Device.cpu())) {
              Runs runs =
                  Runs.of(
                      HostArrays.longs(scope.manager(), starts, count),
                      HostArrays.longs(scope.manager(), lengths, count),
                      Arrays.stream(lengths).sum(),
                      scope);
              assertThat(runs.owners().toLongArray()).containsExactly(owners.toArray(Long[]::new));
              assertThat(runs.offsets().toLongArray())
                  .containsExactly(offsets.toArray(Long[]::new));
              assertThat(runs.numbers().toLongArray())
                  .containsExactly(numbers.toArray(Long[]::new));
            }
          }
        });
  }
}
