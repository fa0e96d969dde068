package io.sextant.serve;

import io.sextant.DeadlineExceededException;
import io.sextant.Diversity;
import io.sextant.Eligibility;
import io.sextant.Event;
import io.sextant.ExplainedItem;
import io.sextant.InvalidInputException;
import io.sextant.NewItem;
import io.sextant.OverloadedException;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.RecommendedItem;
import io.sextant.RecommenderClosedException;
import io.sextant.ServiceHealth;
import io.sextant.SextantException;
import io.sextant.SimilarItemsRequest;
import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.Outcome;
import io.sextant.meta.ServableModel;
import io.sextant.observe.ServiceMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a service holds: it opens a bundle and answers requests for as long as the service lives,
 * while events come in, items change, and one model follows another.
 *
 * <p>Requests that are made at the same time are computed together; see {@link RecommenderOptions}.
 * Each has a deadline. What a call can throw:
 *
 * <ul>
 *   <li>{@link InvalidInputException}: the request cannot be answered, by no service;
 *   <li>{@link OverloadedException}, at once: too many wait already; it says when to try again;
 *   <li>{@link DeadlineExceededException}: there was no answer in time;
 *   <li>{@link RecommenderClosedException}: {@link #close} was called;
 *   <li>{@link SextantException}: the model failed at this request, or the caller was interrupted.
 * </ul>
 *
 * <p>Memory: that of one model; while a new one is loaded, that of both. State of users and items
 * is bounded by the options.
 *
 * <p>Thread safety: safe, from platform and virtual threads.
 */
public final class Recommender implements AutoCloseable {

  /** Longer ids are refused where they would be kept. */
  static final int MAX_ID_LENGTH = 1024;

  /** An explanation costs some ten milliseconds an item. */
  static final int MAX_EXPLAINED = 100;

  private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final Duration LONGEST = Duration.ofHours(1);

  private final RecommenderOptions options;
  private final ServiceMetrics metrics;
  private final @Nullable DecisionWriter writer;
  private final Batcher batcher;
  private final Callbacks callbacks;
  private final Answers answers;
  private final LiveHistories live;
  private final Semaphore explaining = new Semaphore(1, true);
  private final Versions versions;

  private Recommender(
      RecommenderOptions options, ServedVersion.Loader loader, Path bundle, ServedVersion first) {
    this.options = options;
    metrics = new GuardedMetrics(options.metrics());
    DecisionLogging decisions = options.decisions();
    writer = decisions == null ? null : new DecisionWriter(decisions, metrics);
    versions = new Versions(options, loader, metrics, bundle, first);
    live = new LiveHistories(options.maxLiveUsers(), options.maxLiveEvents());
    callbacks = new Callbacks(options.callbacks());
    batcher = new Batcher(options, metrics);
    answers = new Answers(batcher, callbacks, metrics);
    metrics.opened(batcher::depth);
    metrics.serving(first.id());
  }

  /**
   * Opens a bundle and serves it.
   *
   * @throws InvalidInputException if it is not there, damaged, or cannot be served
   */
  public static Recommender open(Path bundle, RecommenderOptions options) {
    return open(
        bundle,
        options,
        (opened, how) ->
            ServableModel.load(
                opened, how.device(), how.strategy(), how.maxNewItems(), how.index()));
  }

  /** Serves what a loader makes of a bundle. */
  static Recommender open(Path bundle, RecommenderOptions options, ServedVersion.Loader loader) {
    return new Recommender(options, loader, bundle, ServedVersion.open(bundle, options, loader));
  }

  /** The best items for a user. */
  public Recommendations recommend(RecommendationRequest request) {
    return answers.now(() -> query(request));
  }

  /**
   * The same without waiting. The future fails with what {@link #recommend} would throw; cancelling
   * it takes the request out of the queue.
   *
   * <p>What follows the future runs on the executor of the options. Blocking it for long is bad
   * manners but harms no other request.
   */
  public CompletableFuture<Recommendations> recommendAsync(RecommendationRequest request) {
    return answers.later(() -> query(request));
  }

  /**
   * Answers many requests, in their order. They are handed in so many at a time that they leave
   * room for others; each has its time from the moment when its turn comes.
   *
   * @throws SextantException if one of them fails, as {@link #recommend}; the others are given up
   */
  public List<Recommendations> recommendBatch(List<RecommendationRequest> requests) {
    int window = Math.max(1, Math.min(options.maxBatch(), options.queueCapacity() / 2));
    List<Recommendations> answers = new ArrayList<>(requests.size());
    for (int first = 0; first < requests.size(); first += window) {
      List<CompletableFuture<Recommendations>> futures =
          requests.subList(first, Math.min(requests.size(), first + window)).stream()
              .map(this::recommendAsync)
              .toList();
      try {
        for (CompletableFuture<Recommendations> future : futures) {
          answers.add(Waiting.result(future));
        }
      } finally {
        futures.forEach(future -> future.cancel(false));
      }
    }
    return answers;
  }

  /** Items that are like one: those that the model recommends to who has this one alone. */
  public Recommendations similarItems(SimilarItemsRequest request) {
    return answers.now(() -> query(request));
  }

  /** Similar items without waiting, as {@link #recommendAsync}. */
  public CompletableFuture<Recommendations> similarItemsAsync(SimilarItemsRequest request) {
    return answers.later(() -> query(request));
  }

  /**
   * The best items for a user, with reasons. Takes some ten milliseconds an item, which are spent
   * one request after the other, so that lists are not held up.
   *
   * @throws InvalidInputException also if more than {@value #MAX_EXPLAINED} items are asked for
   */
  public List<ExplainedItem> explain(RecommendationRequest request) {
    if (request.k() > MAX_EXPLAINED) {
      throw new InvalidInputException(
          "at most %d items can be explained at once but k was %d"
              .formatted(MAX_EXPLAINED, request.k()));
    }
    return answers.observed(
        () -> {
          try (Query query = query(unlogged(request))) {
            answers.await(query);
            return explained(query);
          }
        });
  }

  /** An explanation is of a list as it is ranked. */
  private static RecommendationRequest unlogged(RecommendationRequest request) {
    return new RecommendationRequest(
        request.userId(),
        request.history(),
        request.k(),
        request.eligibility(),
        request.diversity(),
        request.timeout(),
        request.parts(),
        false);
  }

  private List<ExplainedItem> explained(Query query) {
    try {
      if (!explaining.tryAcquire(query.deadline() - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new DeadlineExceededException(
            "the explanation waited for others until its time was over");
      }
    } catch (InterruptedException e) {
      throw Waiting.interrupted(e);
    }
    try {
      return query.explain().stream().map(e -> Reasons.of(e, query)).toList();
    } finally {
      explaining.release();
    }
  }

  /**
   * Records what a user did: the next list of the user knows it. An item that the model does not
   * know is kept for a model that does. The user may be one never seen.
   */
  public void recordEvent(String userId, String itemId) {
    kept("user", userId);
    kept("item", itemId);
    if (versions.isClosed()) {
      throw Waiting.closed();
    }
    live.record(userId, itemId);
    metrics.event();
  }

  /** Records an event; those of a user count in the order in which they are recorded. */
  public void recordEvent(Event event) {
    recordEvent(event.userId(), event.itemId());
  }

  /**
   * Records what came of a decision: by the id that the answer carried. It may come late, or twice.
   *
   * @return completes when it is durable, as {@link io.sextant.feedback.DecisionLog#record}
   * @throws InvalidInputException if the recommender has no log
   * @throws OverloadedException if too much waits to be written
   */
  public CompletableFuture<Void> outcome(Outcome outcome) {
    DecisionWriter log = writer;
    if (log == null) {
      throw new InvalidInputException(
          "an outcome needs a log of decisions: give one by decisions(...)");
    }
    return log.logging().log().record(outcome);
  }

  /**
   * The model in service as a policy that can be evaluated on a log: it scores the candidates of a
   * decision for its user by the history that was logged, or where none was by what is known of the
   * user now. Candidates that cannot be shown any more come last.
   */
  public CandidateScorer scorer() {
    return decision -> {
      Decision.History history = decision.history();
      List<String> ids = decision.candidates().stream().map(Decision.Candidate::itemId).toList();
      RecommendationRequest request =
          new RecommendationRequest(
              decision.userId(),
              history == null ? null : history.items(),
              Math.max(1, ids.size()),
              Eligibility.UNSEEN.withSeen().among(Set.copyOf(ids)),
              Diversity.NONE,
              null,
              false,
              false);
      Map<String, Double> byId = new HashMap<>();
      for (RecommendedItem item : recommend(request).items()) {
        byId.put(item.itemId(), (double) item.score());
      }
      double least = byId.values().stream().mapToDouble(x -> x).min().orElse(0);
      return ids.stream().mapToDouble(id -> byId.getOrDefault(id, least - 1)).toArray();
    };
  }

  /**
   * Switches an item on or off, for every list from now on and for models to come.
   *
   * @throws InvalidInputException if the model does not know it
   */
  public void setAvailable(String itemId, boolean available) {
    versions.changing(itemId, c -> c.updates().setAvailable(c.catalogue(), itemId, available));
  }

  /**
   * Sets attributes of an item; those that are not named stay as they are. A bundle gives
   * attributes in a document {@code attributes.json}: {@code {"item": {"attribute": "value" or
   * [values]}}}.
   *
   * @throws InvalidInputException if the model does not know it
   */
  public void setAttributes(String itemId, Map<String, Set<String>> attributes) {
    versions.changing(itemId, c -> c.updates().setAttributes(c.catalogue(), itemId, attributes));
  }

  /**
   * Adds an item that the model does not know, as one of those that are like it.
   *
   * @throws InvalidInputException if it knows it, if nothing that it knows is like it, or if there
   *     is no room
   */
  public void addItem(NewItem item) {
    kept("item", item.itemId());
    versions.changing(item.itemId(), c -> c.updates().add(c.catalogue(), item));
  }

  /**
   * Serves another bundle from now on. Requests that are under way are answered by the old model,
   * whose memory is freed with the last of them. Takes as long as loading; other threads are served
   * meanwhile.
   *
   * @return the version of the new model
   * @throws InvalidInputException if it cannot be served; then the old one serves on
   */
  public String swap(Path bundle) {
    return versions.swap(bundle);
  }

  /**
   * Serves a bundle to a share of the users, the others as before: an A/B test, or the first step
   * of a promotion. Who is in stays in; visitors without an id are not. A canary that is there
   * gives way. Memory is that of both models.
   *
   * @return the version of the canary
   * @throws InvalidInputException if it cannot be served; then nothing changes
   */
  public String startCanary(Path bundle, StickyBuckets users) {
    return versions.startCanary(bundle, users);
  }

  /** Ends the canary: its users get what all get. False if there was none. */
  public boolean stopCanary() {
    return versions.stopCanary();
  }

  /**
   * Serves the canary to all.
   *
   * @return its version
   * @throws InvalidInputException if there is none
   */
  public String promoteCanary() {
    return versions.promoteCanary();
  }

  /**
   * Serves again what was served before the last swap or promotion; a canary stays.
   *
   * @return its version
   * @throws InvalidInputException if nothing was, or its bundle is no more what it was
   */
  public String rollback() {
    return versions.rollback();
  }

  /** The version that serves a share of the users, if there is one. */
  public Optional<String> canaryVersion() {
    return versions.canary().map(ServedVersion::id);
  }

  /** The version of the model that serves: the bundle's content id. */
  public String modelVersion() {
    return versions.current().id();
  }

  /** How the service is; never blocks for long. */
  public ServiceHealth health() {
    ServedVersion version = versions.current();
    int depth = batcher.depth();
    long busy = batcher.busyNanos();
    ServiceHealth.Status status = ServiceHealth.Status.UP;
    String detail = "serves";
    if (versions.isClosed()) {
      status = ServiceHealth.Status.DOWN;
      detail = "is closed";
    } else if (busy > STUCK_NANOS) {
      status = ServiceHealth.Status.DOWN;
      detail = "computes one batch for %d s".formatted(TimeUnit.NANOSECONDS.toSeconds(busy));
    } else if (depth >= options.queueCapacity()) {
      status = ServiceHealth.Status.DEGRADED;
      detail = "refuses requests: the queue is full";
    } else if (batcher.lastFailed()) {
      status = ServiceHealth.Status.DEGRADED;
      detail = "all requests of the last batch failed";
    }
    return new ServiceHealth(
        status,
        detail,
        version.id(),
        version.since(),
        depth,
        options.queueCapacity(),
        Duration.ofNanos(busy));
  }

  /**
   * Takes no more requests, finishes what is being computed, tells those that wait, and frees the
   * model when the last of its users has let go. Closing twice does nothing.
   */
  @Override
  public void close() {
    if (!versions.close()) {
      return;
    }
    batcher.close();
    versions.free();
    callbacks.close();
    metrics.closed();
  }

  private Query query(RecommendationRequest request) {
    checkK(request.k());
    String user = request.userId();
    List<String> events = user == null || request.history() != null ? List.of() : live.of(user);
    long deadline = deadline(request.timeout());
    DecisionWriter log = writer;
    if (log == null && Boolean.TRUE.equals(request.log())) {
      throw new InvalidInputException(
          "the request is to be logged but there is no log: give one by decisions(...)");
    }
    DecisionWriter used = log != null && log.wants(request.parts(), request.log()) ? log : null;
    return versions.using(
        versions.of(user),
        version ->
            Query.of(
                version,
                request,
                events,
                deadline,
                used,
                versions.incumbentOf(version).policyVersion()));
  }

  private Query query(SimilarItemsRequest request) {
    checkK(request.k());
    long deadline = deadline(request.timeout());
    return versions.using(versions.current(), version -> Query.of(version, request, deadline));
  }

  private void checkK(int k) {
    if (k > options.maxK()) {
      throw new InvalidInputException(
          "k must be <= %d but was %d: see maxK".formatted(options.maxK(), k));
    }
  }

  private static void kept(String what, String id) {
    if (id.isEmpty() || id.length() > MAX_ID_LENGTH) {
      throw new InvalidInputException(
          "the id of the %s must have 1 to %d characters but had %d"
              .formatted(what, MAX_ID_LENGTH, id.length()));
    }
  }

  private long deadline(@Nullable Duration asked) {
    Duration timeout = asked == null ? options.timeout() : asked;
    Duration bounded = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    return System.nanoTime() + bounded.toNanos();
  }
}
