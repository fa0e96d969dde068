package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class HostTeamTest {

  @Test
  void aTeamRunsEachTaskOnceAndPassesFailuresOn() {
    for (int threads : new int[] {1, 2, 5}) {
      try (HostTeam team = new HostTeam(threads)) {
        for (int round = 0; round < 200; round++) {
          AtomicIntegerArray runs = new AtomicIntegerArray(37);
          team.run(37, () -> runs::incrementAndGet);
          for (int task = 0; task < 37; task++) {
            assertThat(runs.get(task)).isEqualTo(1);
          }
        }
        assertThatThrownBy(
                () ->
                    team.run(
                        9,
                        () ->
                            task -> {
                              if (task == 4) {
                                throw new IllegalStateException("task 4");
                              }
                            }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("task 4");
      }
    }
  }
}
