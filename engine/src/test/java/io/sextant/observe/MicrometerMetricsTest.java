package io.sextant.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MicrometerMetricsTest {

  @Test
  void whatIsReportedStandsInTheRegistry() {
    MeterRegistry registry = new SimpleMeterRegistry();
    MicrometerMetrics metrics = new MicrometerMetrics(registry, Tags.of("shop", "a"));
    AtomicInteger depth = new AtomicInteger(3);
    metrics.opened(depth::get);
    metrics.serving("v1");
    metrics.request(RequestOutcome.SERVED, TimeUnit.MILLISECONDS.toNanos(5));
    metrics.request(RequestOutcome.SERVED, TimeUnit.MILLISECONDS.toNanos(7));
    metrics.request(RequestOutcome.OVERLOADED, 10);
    metrics.batch(4, TimeUnit.MILLISECONDS.toNanos(2));
    metrics.batch(8, TimeUnit.MILLISECONDS.toNanos(3));
    metrics.event();
    assertThat(registry.get("sextant.requests").tags("shop", "a", "outcome", "served").timer())
        .satisfies(
            timer -> {
              assertThat(timer.count()).isEqualTo(2);
              assertThat(timer.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(12);
            });
    assertThat(registry.get("sextant.requests").tag("outcome", "overloaded").timer().count())
        .isEqualTo(1);
    assertThat(registry.get("sextant.requests").tag("outcome", "expired").timer().count()).isZero();
    assertThat(registry.get("sextant.batch.size").summary().mean()).isEqualTo(6);
    assertThat(registry.get("sextant.batch").timer().totalTime(TimeUnit.MILLISECONDS)).isEqualTo(5);
    assertThat(registry.get("sextant.events").counter().count()).isEqualTo(1);
    assertThat(registry.get("sextant.queue.depth").gauge().value()).isEqualTo(3);
    depth.set(9);
    assertThat(registry.get("sextant.queue.depth").gauge().value()).isEqualTo(9);
    assertThat(registry.get("sextant.model").tag("version", "v1").gauge().value()).isEqualTo(1);
    metrics.serving("v2");
    metrics.swapRefused();
    assertThat(registry.find("sextant.model").gauges())
        .hasSize(1)
        .allMatch(gauge -> "v2".equals(gauge.getId().getTag("version")));
    assertThat(registry.get("sextant.swaps").tag("result", "accepted").counter().count())
        .isEqualTo(1);
    assertThat(registry.get("sextant.swaps").tag("result", "refused").counter().count())
        .isEqualTo(1);
    metrics.closed();
    assertThat(registry.find("sextant.queue.depth").gauges()).isEmpty();
    assertThat(registry.find("sextant.model").gauges()).isEmpty();
  }
}
