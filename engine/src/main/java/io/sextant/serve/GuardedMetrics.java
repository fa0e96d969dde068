package io.sextant.serve;

import io.sextant.observe.RequestOutcome;
import io.sextant.observe.ServiceMetrics;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a sink of metrics throws from those who report; it is logged once.
 *
 * <p>Thread safety: safe.
 */
final class GuardedMetrics implements ServiceMetrics {

  private static final Logger LOG = LoggerFactory.getLogger(GuardedMetrics.class);

  private final ServiceMetrics sink;
  private final AtomicBoolean logged = new AtomicBoolean();

  GuardedMetrics(ServiceMetrics sink) {
    this.sink = sink;
  }

  @Override
  public void opened(IntSupplier queueDepth) {
    guarded(s -> s.opened(queueDepth));
  }

  @Override
  public void request(RequestOutcome outcome, long nanos) {
    guarded(s -> s.request(outcome, nanos));
  }

  @Override
  public void batch(int size, long nanos) {
    guarded(s -> s.batch(size, nanos));
  }

  @Override
  public void serving(String version) {
    guarded(s -> s.serving(version));
  }

  @Override
  public void swapRefused() {
    guarded(ServiceMetrics::swapRefused);
  }

  @Override
  public void event() {
    guarded(ServiceMetrics::event);
  }

  @Override
  public void decision(boolean kept) {
    guarded(s -> s.decision(kept));
  }

  @Override
  public void decisionFailed() {
    guarded(ServiceMetrics::decisionFailed);
  }

  @Override
  public void closed() {
    guarded(ServiceMetrics::closed);
  }

  private void guarded(Consumer<ServiceMetrics> report) {
    try {
      report.accept(sink);
    } catch (RuntimeException e) {
      if (logged.compareAndSet(false, true)) {
        LOG.warn("metrics fail; more of their failures are not logged", e);
      }
    }
  }
}
