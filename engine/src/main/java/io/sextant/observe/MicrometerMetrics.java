package io.sextant.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reports to a registry of Micrometer ({@code io.micrometer:micrometer-core}, which whoever uses
 * this class adds to the class path). One for each recommender; several on one registry need
 * different tags.
 *
 * <table>
 *   <caption>Meters</caption>
 *   <tr><td>{@code sextant.requests}</td><td>timer with histogram, by {@code outcome}</td></tr>
 *   <tr><td>{@code sextant.batch.size}</td><td>summary: requests a batch</td></tr>
 *   <tr><td>{@code sextant.batch}</td><td>timer: computing a batch</td></tr>
 *   <tr><td>{@code sextant.queue.depth}</td><td>gauge: requests that wait</td></tr>
 *   <tr><td>{@code sextant.model}</td><td>gauge: 1, with the {@code version} that serves</td></tr>
 *   <tr><td>{@code sextant.swaps}</td><td>counter, by {@code result}: accepted or refused</td></tr>
 *   <tr><td>{@code sextant.events}</td><td>counter: events recorded</td></tr>
 *   <tr><td>{@code sextant.decisions}</td><td>counter, by {@code result}: logged, refused (the log's
 *       queue was full) or failed (taken, but not written)</td></tr>
 * </table>
 *
 * <p>Thread safety: safe.
 */
public final class MicrometerMetrics implements ServiceMetrics {

  private final MeterRegistry registry;
  private final Tags tags;
  private final Map<RequestOutcome, Timer> requests = new EnumMap<>(RequestOutcome.class);
  private final DistributionSummary batchSizes;
  private final Timer batches;
  private final Counter accepted;
  private final Counter refused;
  private final Counter events;
  private final Counter logged;
  private final Counter unlogged;
  private final Counter failed;
  private final List<Meter> gauges = new ArrayList<>();
  private @Nullable Gauge model;

  /** Reports without tags of its own. */
  public MicrometerMetrics(MeterRegistry registry) {
    this(registry, Tags.empty());
  }

  /**
   * @param tags that all meters get
   */
  public MicrometerMetrics(MeterRegistry registry, Tags tags) {
    this.registry = registry;
    this.tags = tags;
    for (RequestOutcome outcome : RequestOutcome.values()) {
      requests.put(
          outcome,
          Timer.builder("sextant.requests")
              .description("Requests, by how they ended")
              .publishPercentileHistogram()
              .tags(tags.and("outcome", outcome.name().toLowerCase(Locale.ROOT)))
              .register(registry));
    }
    batchSizes =
        DistributionSummary.builder("sextant.batch.size")
            .description("Requests that were computed together")
            .tags(tags)
            .register(registry);
    batches =
        Timer.builder("sextant.batch")
            .description("Computing a batch")
            .tags(tags)
            .register(registry);
    accepted = swaps("accepted");
    refused = swaps("refused");
    logged = decisions("logged");
    unlogged = decisions("refused");
    failed = decisions("failed");
    events =
        Counter.builder("sextant.events")
            .description("Events of users that were recorded")
            .tags(tags)
            .register(registry);
  }

  private Counter swaps(String result) {
    return Counter.builder("sextant.swaps")
        .description("New models, by whether they were accepted")
        .tags(tags.and("result", result))
        .register(registry);
  }

  private Counter decisions(String result) {
    return Counter.builder("sextant.decisions")
        .description("Decisions that were to be logged, by what became of them")
        .tags(tags.and("result", result))
        .register(registry);
  }

  @Override
  public synchronized void opened(IntSupplier queueDepth) {
    gauges.add(
        Gauge.builder("sextant.queue.depth", queueDepth, IntSupplier::getAsInt)
            .description("Requests that wait")
            .strongReference(true)
            .tags(tags)
            .register(registry));
  }

  @Override
  public void request(RequestOutcome outcome, long nanos) {
    Timer timer = requests.get(outcome);
    if (timer != null) {
      timer.record(nanos, TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public void batch(int size, long nanos) {
    batchSizes.record(size);
    batches.record(nanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public synchronized void serving(String version) {
    Gauge before = model;
    if (before != null) {
      registry.remove(before);
      accepted.increment();
    }
    model =
        Gauge.builder("sextant.model", () -> 1)
            .description("Which model serves")
            .tags(tags.and("version", version))
            .register(registry);
  }

  @Override
  public void swapRefused() {
    refused.increment();
  }

  @Override
  public void event() {
    events.increment();
  }

  @Override
  public void decision(boolean kept) {
    (kept ? logged : unlogged).increment();
  }

  @Override
  public void decisionFailed() {
    failed.increment();
  }

  @Override
  public synchronized void closed() {
    gauges.forEach(registry::remove);
    gauges.clear();
    Gauge last = model;
    if (last != null) {
      registry.remove(last);
      model = null;
    }
  }
}
