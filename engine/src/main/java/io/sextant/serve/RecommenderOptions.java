package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.observe.ServiceMetrics;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Recommender} serves.
 *
 * <p>Thread safety: immutable.
 *
 * @param device on which models compute: {@code cpu}, {@code cuda}, {@code cuda:N} or {@code auto}
 * @param strategy a strategy of the bundle that makes the lists alone; null for the bundle's
 *     policy, or its last strategy if it has no policy
 * @param index how items are searched, given the exact search of the model: {@code
 *     ExactIndex::with} or an approximate or smaller one. Each model that is swapped in builds its
 *     own
 * @param maxBatch how many requests are computed together at most
 * @param maxDelay for how long a request may wait for others to be computed with. Nobody waits
 *     while requests come one after the other
 * @param queueCapacity how many requests may wait; more are refused
 * @param workers how many batches are computed at the same time; one batch uses all cores already
 * @param timeout of requests that give none
 * @param maxK how long a list may be
 * @param maxLiveUsers of how many users events are kept; of those with the oldest last event they
 *     are forgotten first
 * @param maxLiveEvents how many events are kept of each user, the latest
 * @param maxNewItems how many items can be added to a model
 * @param callbacks runs what follows an asynchronous answer; null for threads of the recommender's
 *     own. An executor that runs things at once makes the computing thread do it
 * @param decisions how decisions are logged; null for not at all
 * @param metrics to whom numbers are reported
 */
public record RecommenderOptions(
    String device,
    @Nullable String strategy,
    Function<TopK, IndexBuilder> index,
    int maxBatch,
    Duration maxDelay,
    int queueCapacity,
    int workers,
    Duration timeout,
    int maxK,
    int maxLiveUsers,
    int maxLiveEvents,
    int maxNewItems,
    @Nullable Executor callbacks,
    @Nullable DecisionLogging decisions,
    ServiceMetrics metrics) {

  public RecommenderOptions {
    positive("maxBatch", maxBatch);
    positive("queueCapacity", queueCapacity);
    positive("workers", workers);
    positive("maxK", maxK);
    positive("maxLiveUsers", maxLiveUsers);
    positive("maxLiveEvents", maxLiveEvents);
    if (maxNewItems < 0) {
      throw new InvalidInputException("maxNewItems must be >= 0 but was " + maxNewItems);
    }
    if (maxDelay.isNegative() || maxDelay.compareTo(Duration.ofSeconds(10)) > 0) {
      throw new InvalidInputException("maxDelay must lie in 0..10 s but was " + maxDelay);
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new InvalidInputException("timeout must be > 0 but was " + timeout);
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new InvalidInputException("%s must be >= 1 but was %d".formatted(name, value));
    }
  }

  /**
   * The defaults: on the CPU, an exact search, batches of up to 256 after at most 2 ms, 1024 may
   * wait.
   */
  public static RecommenderOptions defaults() {
    return builder().build();
  }

  /** A builder with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; each has a default. Not thread-safe. */
  public static final class Builder {
    private String device = "cpu";
    private @Nullable String strategy;
    private Function<TopK, IndexBuilder> index = ExactIndex::with;
    private int maxBatch = 256;
    private Duration maxDelay = Duration.ofMillis(2);
    private int queueCapacity = 1024;
    private int workers = 1;
    private Duration timeout = Duration.ofSeconds(1);
    private int maxK = 1000;
    private int maxLiveUsers = 100_000;
    private int maxLiveEvents = 200;
    private int maxNewItems = 1000;
    private @Nullable Executor callbacks;
    private @Nullable DecisionLogging decisions;
    private ServiceMetrics metrics = ServiceMetrics.NONE;

    private Builder() {}

    public Builder device(String device) {
      this.device = device;
      return this;
    }

    public Builder strategy(@Nullable String strategy) {
      this.strategy = strategy;
      return this;
    }

    public Builder index(Function<TopK, IndexBuilder> index) {
      this.index = index;
      return this;
    }

    public Builder maxBatch(int maxBatch) {
      this.maxBatch = maxBatch;
      return this;
    }

    public Builder maxDelay(Duration maxDelay) {
      this.maxDelay = maxDelay;
      return this;
    }

    public Builder queueCapacity(int queueCapacity) {
      this.queueCapacity = queueCapacity;
      return this;
    }

    public Builder workers(int workers) {
      this.workers = workers;
      return this;
    }

    public Builder timeout(Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    public Builder maxK(int maxK) {
      this.maxK = maxK;
      return this;
    }

    public Builder maxLiveUsers(int maxLiveUsers) {
      this.maxLiveUsers = maxLiveUsers;
      return this;
    }

    public Builder maxLiveEvents(int maxLiveEvents) {
      this.maxLiveEvents = maxLiveEvents;
      return this;
    }

    public Builder maxNewItems(int maxNewItems) {
      this.maxNewItems = maxNewItems;
      return this;
    }

    public Builder callbacks(Executor callbacks) {
      this.callbacks = callbacks;
      return this;
    }

    public Builder decisions(DecisionLogging decisions) {
      this.decisions = decisions;
      return this;
    }

    public Builder metrics(ServiceMetrics metrics) {
      this.metrics = metrics;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidInputException if one is out of its range
     */
    public RecommenderOptions build() {
      return new RecommenderOptions(
          device,
          strategy,
          index,
          maxBatch,
          maxDelay,
          queueCapacity,
          workers,
          timeout,
          maxK,
          maxLiveUsers,
          maxLiveEvents,
          maxNewItems,
          callbacks,
          decisions,
          metrics);
    }
  }
}
