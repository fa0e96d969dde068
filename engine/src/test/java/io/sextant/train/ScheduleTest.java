package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {

  @ParameterizedTest
  @CsvSource({
    "CONSTANT, 0, 10, 1",
    "CONSTANT, 10, 10, 1",
    "LINEAR, 0, 10, 1",
    "LINEAR, 1, 10, 0.9",
    "LINEAR, 5, 10, 0.5",
    "LINEAR, 10, 10, 0",
    "LINEAR, 11, 10, 0",
    "COSINE, 0, 100, 1",
    "COSINE, 25, 100, 0.8535534",
    "COSINE, 50, 100, 0.5",
    "COSINE, 75, 100, 0.1464466",
    "COSINE, 100, 100, 0",
    "COSINE, 150, 100, 0",
    // Five steps of warming up, then a cosine over the other 95.
    "WARMUP_COSINE, 0, 100, 0.2",
    "WARMUP_COSINE, 3, 100, 0.8",
    "WARMUP_COSINE, 4, 100, 1",
    "WARMUP_COSINE, 5, 100, 1",
    "WARMUP_COSINE, 24, 100, 0.9045085",
    "WARMUP_COSINE, 62, 100, 0.3454915",
    "WARMUP_COSINE, 100, 100, 0",
    // Fewer than twenty steps: one of warming up.
    "WARMUP_COSINE, 0, 10, 1",
    "WARMUP_COSINE, 4, 10, 0.75",
    "WARMUP_COSINE, 0, 1, 1",
  })
  void factors(Schedule schedule, long step, long totalSteps, float factor) {
    assertThat(schedule.factor(step, totalSteps)).isCloseTo(factor, within(1e-6f));
  }

  @ParameterizedTest
  @EnumSource(Schedule.class)
  void noStepIsOutsideOfZeroToOneOrWithoutEffect(Schedule schedule) {
    for (long total : new long[] {1, 2, 19, 20, 21, 1000, 10_000_000_000L}) {
      for (long step : new long[] {0, 1, total / 20, total / 2, total - 2, total - 1}) {
        if (step >= 0 && step < total) {
          assertThat(schedule.factor(step, total))
              .as("step %d of %d", step, total)
              .isGreaterThanOrEqualTo(0)
              .isLessThanOrEqualTo(1);
        }
      }
    }
  }
}
