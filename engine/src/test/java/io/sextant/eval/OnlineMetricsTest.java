package io.sextant.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import org.junit.jupiter.api.Test;

class OnlineMetricsTest {

  @Test
  void ratesAndTheirIntervals() {
    OnlineMetrics metrics = new OnlineMetrics(600, 60, 30).plus(new OnlineMetrics(400, 40, 20));
    assertThat(metrics.ctr().value()).isEqualTo(0.1);
    assertThat(metrics.cvr().value()).isEqualTo(0.5);
    assertThat(metrics.ctcvr().value()).isEqualTo(0.05);
    // 50 of 100, a textbook value: .4038 to .5962.
    assertThat(metrics.cvr().lo()).isCloseTo(0.40383, within(1e-5));
    assertThat(metrics.cvr().hi()).isCloseTo(0.59617, within(1e-5));
  }

  @Test
  void theEndsSolveWilsonsEquation() {
    for (long trials : new long[] {1, 2, 10, 1234, 10_000_000_000L}) {
      for (long successes : new long[] {0, 1, trials / 3, trials - 1, trials}) {
        Interval interval = OnlineMetrics.wilson(successes, trials);
        double p = interval.value();
        assertThat(p).isBetween(interval.lo(), interval.hi());
        for (double end : new double[] {interval.lo(), interval.hi()}) {
          if (end > 0 && end < 1) {
            double z = (p - end) / Math.sqrt(end * (1 - end) / trials);
            assertThat(Math.abs(z))
                .as("%d of %d", successes, trials)
                .isCloseTo(1.959964, within(1e-4));
          }
        }
      }
    }
  }

  @Test
  void extremes() {
    assertThat(OnlineMetrics.wilson(0, 10).lo()).isZero();
    assertThat(OnlineMetrics.wilson(10, 10).hi()).isEqualTo(1);
    Interval nothing = new OnlineMetrics(0, 0, 0).ctr();
    assertThat(nothing.value()).isNaN();
    assertThat(nothing.lo()).isZero();
    assertThat(nothing.hi()).isEqualTo(1);
    assertThatThrownBy(() -> new OnlineMetrics(1, 2, 0)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> new OnlineMetrics(2, 1, 2)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> OnlineMetrics.wilson(2, 1)).isInstanceOf(InvalidInputException.class);
  }
}
