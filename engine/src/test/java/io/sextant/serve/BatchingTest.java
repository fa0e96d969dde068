package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sextant.DeadlineExceededException;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.RecommenderClosedException;
import io.sextant.ServiceHealth;
import io.sextant.SextantException;
import io.sextant.observe.ServiceMetrics;
import io.sextant.strategy.UserState;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How requests are put together, refused, dropped and told of failure, with a model of no cost. */
@Timeout(60)
class BatchingTest {

  @TempDir Path folder;

  private final Queue<FakeModel> models = new ConcurrentLinkedQueue<>();
  private volatile Consumer<List<UserState>> hook = users -> {};

  /** While it is held, the worker stands in the hook of a batch. */
  private CountDownLatch gate = new CountDownLatch(0);

  private CountDownLatch inside = new CountDownLatch(0);
  private Path bundle = Path.of("");

  @BeforeEach
  void write() {
    bundle = FakeModel.write(folder.resolve("a"), 1);
  }

  @AfterEach
  void everyModelWasClosedOnce() {
    assertThat(models).isNotEmpty().allMatch(model -> model.closed.get() == 1);
  }

  private Recommender open(RecommenderOptions.Builder options) {
    return Recommender.open(
        bundle, options.build(), FakeModel.loader(models, users -> hook.accept(users)));
  }

  private static RecommenderOptions.Builder options() {
    return RecommenderOptions.builder().timeout(Duration.ofSeconds(30));
  }

  private static RecommendationRequest request(int user) {
    return RecommendationRequest.forUser("u" + user).k(5).build();
  }

  private static List<String> expected(int salt, int user) {
    int[] history = {(user + 1) % FakeModel.ITEMS, user};
    List<Integer> items = new ArrayList<>();
    for (int i = 0; i < FakeModel.ITEMS; i++) {
      if (i != history[0] && i != history[1]) {
        items.add(i);
      }
    }
    items.sort(
        (a, b) ->
            Float.compare(FakeModel.score(salt, history, b), FakeModel.score(salt, history, a)));
    return items.subList(0, 5).stream().map(i -> "i" + i).toList();
  }

  /** Makes the worker stand still at the next batch, until {@link #gate} is opened. */
  private CompletableFuture<Recommendations> block(Recommender recommender) {
    gate = new CountDownLatch(1);
    inside = new CountDownLatch(1);
    hook =
        users -> {
          inside.countDown();
          awaitQuietly(gate);
        };
    CompletableFuture<Recommendations> first = recommender.recommendAsync(request(0));
    awaitQuietly(inside);
    return first;
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private FakeModel model() {
    return models.element();
  }

  @Test
  void requestsThatWaitAreComputedTogether() throws Exception {
    try (Recommender recommender = open(options().maxBatch(16))) {
      model().batches.clear();
      CompletableFuture<Recommendations> first = block(recommender);
      List<CompletableFuture<Recommendations>> futures = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        futures.add(recommender.recommendAsync(request(i % FakeModel.USERS)));
      }
      gate.countDown();
      assertThat(first.get().itemIds()).isEqualTo(expected(1, 0));
      for (int i = 0; i < 40; i++) {
        assertThat(futures.get(i).get().itemIds()).isEqualTo(expected(1, i % FakeModel.USERS));
      }
      assertThat(model().batches).containsExactly(1, 16, 16, 8);
    }
  }

  @Test
  void aLonelyCallerWaitsForNobody() {
    try (Recommender recommender = open(options().maxDelay(Duration.ofSeconds(10)))) {
      // Thirty waits of ten seconds would run into the test's limit.
      for (int i = 0; i < 30; i++) {
        recommender.recommend(request(i % FakeModel.USERS));
      }
      assertThat(model().batches).last().isEqualTo(1);
    }
  }

  @Test
  void callersWhoComeBackTogetherAreWaitedFor() throws Exception {
    try (Recommender recommender = open(options().maxDelay(Duration.ofSeconds(10)))) {
      block(recommender);
      List<CompletableFuture<Recommendations>> futures = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        futures.add(recommender.recommendAsync(request(i)));
      }
      gate.countDown();
      for (CompletableFuture<Recommendations> future : futures) {
        future.get();
      }
      model().batches.clear();
      // The last batch had eight: these eight come one by one and still go together.
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Thread caller = new Thread(() -> recommender.recommend(request(3)));
        caller.start();
        callers.add(caller);
        Thread.sleep(2);
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(model().batches).containsExactly(8);
    }
  }

  @Test
  void whatDoesNotFitIsRefusedAtOnceAndSaysWhenToComeBack() throws Exception {
    try (Recommender recommender = open(options().queueCapacity(3))) {
      CompletableFuture<Recommendations> first = block(recommender);
      List<CompletableFuture<Recommendations>> waiting = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        waiting.add(recommender.recommendAsync(request(i)));
      }
      Throwable refusal = catchThrowable(() -> recommender.recommend(request(4)));
      assertThat(refusal)
          .isInstanceOf(OverloadedException.class)
          .hasMessageContaining("3 requests wait");
      assertThat(((OverloadedException) refusal).retryAfter()).isPositive();
      CompletableFuture<Recommendations> refused = recommender.recommendAsync(request(4));
      assertThat(refused).isCompletedExceptionally();
      assertThatThrownBy(refused::get).hasCauseInstanceOf(OverloadedException.class);
      assertThat(recommender.health().status()).isEqualTo(ServiceHealth.Status.DEGRADED);
      assertThat(recommender.health().queueDepth()).isEqualTo(3);
      gate.countDown();
      first.get();
      for (CompletableFuture<Recommendations> future : waiting) {
        assertThat(future.get().items()).hasSize(5);
      }
      assertThat(recommender.recommend(request(4)).itemIds()).isEqualTo(expected(1, 4));
      assertThat(recommender.health().status()).isEqualTo(ServiceHealth.Status.UP);
    }
  }

  @Test
  void expiredAndCancelledRequestsAreDroppedBeforeComputing() throws Exception {
    try (Recommender recommender = open(options())) {
      model().batches.clear();
      CompletableFuture<Recommendations> first = block(recommender);
      CompletableFuture<Recommendations> late =
          recommender.recommendAsync(
              RecommendationRequest.forUser("u1").timeout(Duration.ofMillis(20)).build());
      CompletableFuture<Recommendations> cancelled = recommender.recommendAsync(request(2));
      CompletableFuture<Recommendations> good = recommender.recommendAsync(request(3));
      // The caller is told in time, though the worker stands still.
      assertThatThrownBy(
              () ->
                  recommender.recommend(
                      RecommendationRequest.forUser("u1").timeout(Duration.ofMillis(20)).build()))
          .isInstanceOf(DeadlineExceededException.class);
      assertThatThrownBy(late::get).hasCauseInstanceOf(DeadlineExceededException.class);
      assertThat(cancelled.cancel(true)).isTrue();
      gate.countDown();
      first.get();
      assertThat(good.get().itemIds()).isEqualTo(expected(1, 3));
      assertThatThrownBy(cancelled::get).isInstanceOf(CancellationException.class);
      assertThat(model().batches).containsExactly(1, 1);
    }
  }

  @Test
  void anInterruptedCallerIsToldAndHarmsNobody() throws Exception {
    try (Recommender recommender = open(options())) {
      CompletableFuture<Recommendations> first = block(recommender);
      AtomicReference<Throwable> told = new AtomicReference<>();
      AtomicBoolean kept = new AtomicBoolean();
      Thread caller =
          new Thread(
              () -> {
                told.set(catchThrowable(() -> recommender.recommend(request(1))));
                kept.set(Thread.currentThread().isInterrupted());
              });
      caller.start();
      while (recommender.health().queueDepth() == 0) {
        Thread.sleep(1);
      }
      caller.interrupt();
      caller.join();
      assertThat(told.get())
          .isInstanceOf(SextantException.class)
          .hasMessageContaining("interrupted");
      assertThat(kept).isTrue();
      gate.countDown();
      assertThat(first.get().items()).hasSize(5);
      // A thread that comes with its interrupt set, and would have to wait.
      block(recommender);
      Thread.currentThread().interrupt();
      Throwable again = catchThrowable(() -> recommender.recommend(request(1)));
      assertThat(Thread.interrupted()).isTrue();
      gate.countDown();
      assertThat(again).isInstanceOf(SextantException.class);
      assertThat(recommender.recommend(request(1)).itemIds()).isEqualTo(expected(1, 1));
    }
  }

  @Test
  void onlyTheRequestsThatTheModelFailsAtFail() throws Exception {
    try (Recommender recommender = open(options())) {
      CompletableFuture<Recommendations> first = block(recommender);
      List<CompletableFuture<Recommendations>> futures = new ArrayList<>();
      for (int user = 0; user < 16; user++) {
        futures.add(recommender.recommendAsync(request(user)));
      }
      hook =
          users -> {
            for (UserState user : users) {
              switch (user.userIndex()) {
                case 3 -> throw new IllegalStateException("out of native memory");
                case 7 -> throw new StackOverflowError("deep");
                case 8 -> throw new InvalidInputException("scores are no numbers");
                default -> {}
              }
            }
          };
      gate.countDown();
      first.get();
      for (int user = 0; user < 16; user++) {
        CompletableFuture<Recommendations> future = futures.get(user);
        if (user == 3 || user == 7) {
          String reason = user == 3 ? "out of native memory" : "deep";
          assertThatThrownBy(future::get)
              .hasCauseInstanceOf(SextantException.class)
              .hasMessageContaining("failed at this request")
              .hasMessageContaining(reason);
        } else if (user == 8) {
          assertThatThrownBy(future::get).hasCauseInstanceOf(InvalidInputException.class);
        } else {
          assertThat(future.get().itemIds()).isEqualTo(expected(1, user));
        }
      }
      hook =
          users -> {
            throw new IllegalStateException("all");
          };
      assertThatThrownBy(() -> recommender.recommend(request(1)))
          .isInstanceOf(SextantException.class);
      // The last batch's end is noted after its requests were told.
      while (recommender.health().status() == ServiceHealth.Status.UP) {
        Thread.sleep(1);
      }
      hook = users -> {};
      assertThat(recommender.recommend(request(1)).itemIds()).isEqualTo(expected(1, 1));
    }
  }

  @Test
  void aCallbackThatBlocksHoldsUpNobody() throws Exception {
    try (Recommender recommender = open(options())) {
      CountDownLatch never = new CountDownLatch(1);
      CompletableFuture<Recommendations> first = block(recommender);
      List<CompletableFuture<Void>> stuck = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        stuck.add(recommender.recommendAsync(request(i)).thenAccept(list -> awaitQuietly(never)));
      }
      gate.countDown();
      first.get();
      for (int i = 0; i < 20; i++) {
        assertThat(recommender.recommendAsync(request(i)).get().itemIds())
            .isEqualTo(expected(1, i));
        assertThat(recommender.recommend(request(i)).itemIds()).isEqualTo(expected(1, i));
      }
      never.countDown();
      for (CompletableFuture<Void> future : stuck) {
        future.get();
      }
    }
  }

  @Test
  void anExecutorThatRefusesEndsTheRequestAndFreesTheModel() {
    RecommenderOptions.Builder refusing =
        options()
            .callbacks(
                task -> {
                  throw new RejectedExecutionException("shut down");
                });
    try (Recommender recommender = open(refusing)) {
      CompletableFuture<Recommendations> future = recommender.recommendAsync(request(1));
      assertThatThrownBy(() -> future.get(20, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("shut down");
      assertThat(recommender.recommend(request(1)).itemIds()).isEqualTo(expected(1, 1));
    }
  }

  @Test
  void closingUnderLoadTellsEverybody() throws Exception {
    for (int round = 0; round < 20; round++) {
      Recommender recommender = open(options().queueCapacity(8));
      AtomicInteger answered = new AtomicInteger();
      AtomicInteger told = new AtomicInteger();
      Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
      CyclicBarrier start = new CyclicBarrier(9);
      List<Thread> callers = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        boolean async = t % 2 == 0;
        Thread caller =
            new Thread(
                () -> {
                  try {
                    start.await();
                    while (true) {
                      Recommendations list =
                          async
                              ? recommender.recommendAsync(request(1)).get()
                              : recommender.recommend(request(1));
                      assertThat(list.itemIds()).isEqualTo(expected(1, 1));
                      answered.incrementAndGet();
                    }
                  } catch (RecommenderClosedException e) {
                    told.incrementAndGet();
                  } catch (Throwable e) {
                    if (e.getCause() instanceof RecommenderClosedException) {
                      told.incrementAndGet();
                    } else {
                      wrong.add(e);
                    }
                  }
                });
        caller.start();
        callers.add(caller);
      }
      start.await();
      while (answered.get() < 20) {
        Thread.onSpinWait();
      }
      recommender.close();
      recommender.close();
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(wrong).isEmpty();
      assertThat(told).hasValue(8);
      assertThatThrownBy(() -> recommender.recordEvent("u1", "i1"))
          .isInstanceOf(RecommenderClosedException.class);
      assertThatThrownBy(() -> recommender.swap(bundle))
          .isInstanceOf(RecommenderClosedException.class);
      assertThat(recommender.health().status()).isEqualTo(ServiceHealth.Status.DOWN);
    }
  }

  @Test
  void swapsUnderLoadNeverMixModels() throws Exception {
    int versions = 12;
    List<Path> bundles = new ArrayList<>();
    for (int salt = 1; salt <= versions; salt++) {
      bundles.add(FakeModel.write(folder.resolve("v" + salt), salt));
    }
    try (Recommender recommender = open(options().workers(2).maxBatch(7))) {
      AtomicBoolean stop = new AtomicBoolean();
      Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
      Queue<Recommendations> sample = new ConcurrentLinkedQueue<>();
      Map<String, Integer> salts = new ConcurrentHashMap<>();
      salts.put(recommender.modelVersion(), 1);
      List<Thread> callers = new ArrayList<>();
      for (int t = 0; t < 6; t++) {
        int user = t;
        Thread caller =
            new Thread(
                () -> {
                  try {
                    while (!stop.get()) {
                      Recommendations list =
                          user % 2 == 0
                              ? recommender.recommend(request(user))
                              : recommender.recommendAsync(request(user)).get();
                      Integer salt = salts.get(list.modelVersion());
                      if (salt != null && !list.itemIds().equals(expected(salt, user))) {
                        throw new AssertionError("a list of another model: " + list);
                      }
                      sample.add(list);
                    }
                  } catch (Throwable e) {
                    wrong.add(e);
                  }
                });
        caller.start();
        callers.add(caller);
      }
      for (int salt = 2; salt <= versions; salt++) {
        int seen = sample.size();
        while (sample.size() < seen + 30 && wrong.isEmpty()) {
          Thread.onSpinWait();
        }
        salts.put(recommender.swap(bundles.get(salt - 1)), salt);
        assertThat(recommender.recommend(request(9)).itemIds()).isEqualTo(expected(salt, 9));
      }
      stop.set(true);
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(wrong).isEmpty();
      assertThat(models).hasSize(versions);
      // All but the one that serves are freed, though nobody has closed anything.
      List<Integer> closed = models.stream().map(model -> model.closed.get()).toList();
      assertThat(closed.subList(0, versions - 1)).containsOnly(1);
      assertThat(closed.get(versions - 1)).isZero();
    }
  }

  @Test
  void anOldModelLivesUntilItsLastRequestIsDone() throws Exception {
    Path other = FakeModel.write(folder.resolve("b"), 2);
    try (Recommender recommender = open(options())) {
      CompletableFuture<Recommendations> first = block(recommender);
      CompletableFuture<Recommendations> queued = recommender.recommendAsync(request(5));
      hook = users -> {};
      String before = recommender.modelVersion();
      String after = recommender.swap(other);
      assertThat(after).isNotEqualTo(before).isEqualTo(recommender.modelVersion());
      assertThat(model().closed).hasValue(0);
      CompletableFuture<Recommendations> next = recommender.recommendAsync(request(5));
      gate.countDown();
      assertThat(first.get().modelVersion()).isEqualTo(before);
      assertThat(queued.get().itemIds()).isEqualTo(expected(1, 5));
      assertThat(next.get().itemIds()).isEqualTo(expected(2, 5));
      while (model().closed.get() == 0) {
        Thread.sleep(1);
      }
    }
  }

  @Test
  void manyVirtualThreadsAskAtOnce() throws Exception {
    List<Thread> callers = new ArrayList<>();
    Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
    try (Recommender recommender = open(options().queueCapacity(5000))) {
      for (int i = 0; i < 2000; i++) {
        int user = i % FakeModel.USERS;
        callers.add(
            startVirtualIfThereAreAny(
                () -> {
                  try {
                    assertThat(recommender.recommend(request(user)).itemIds())
                        .isEqualTo(expected(1, user));
                  } catch (Throwable e) {
                    wrong.add(e);
                  }
                }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(wrong).isEmpty();
      assertThat(model().batches.stream().mapToInt(size -> size).max().orElse(0)).isGreaterThan(1);
    }
  }

  /** A virtual thread on JDK 21 and later, else a platform thread. */
  private static Thread startVirtualIfThereAreAny(Runnable task) throws Exception {
    if (Runtime.version().feature() >= 21) {
      return (Thread)
          Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
    }
    Thread thread = new Thread(task);
    thread.start();
    return thread;
  }

  @Test
  void aBatchOfRequestsIsAnsweredInOrderThoughTheQueueIsSmall() {
    try (Recommender recommender = open(options().queueCapacity(4))) {
      List<RecommendationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        requests.add(request(i % FakeModel.USERS));
      }
      List<Recommendations> answers = recommender.recommendBatch(requests);
      assertThat(answers).hasSize(50);
      for (int i = 0; i < 50; i++) {
        assertThat(answers.get(i).itemIds()).isEqualTo(expected(1, i % FakeModel.USERS));
      }
      assertThat(recommender.recommendBatch(List.of())).isEmpty();
      assertThatThrownBy(
              () ->
                  recommender.recommendBatch(
                      List.of(
                          request(1),
                          RecommendationRequest.forUser("u1").k(1_000_000_000).build())))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("k must be <= 1000");
    }
  }

  @Test
  void metricsThatThrowHarmNobody() {
    RecommenderOptions.Builder throwing =
        options()
            .metrics(
                (ServiceMetrics)
                    Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {ServiceMetrics.class},
                        (proxy, method, args) -> {
                          throw new IllegalStateException("no metrics today");
                        }));
    try (Recommender recommender = open(throwing)) {
      assertThat(recommender.recommend(request(1)).itemIds()).isEqualTo(expected(1, 1));
      recommender.recordEvent("u1", "i9");
      assertThat(recommender.recommend(request(1)).itemIds()).doesNotContain("i9");
    }
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> RecommenderOptions.builder().maxBatch(0).build())
        .hasMessage("maxBatch must be >= 1 but was 0");
    assertThatThrownBy(() -> RecommenderOptions.builder().maxDelay(Duration.ofMillis(-1)).build())
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> RecommenderOptions.builder().timeout(Duration.ZERO).build())
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> RecommendationRequest.forUser("u").k(-1).build())
        .hasMessage("k must be >= 1 but was -1");
    try (Recommender recommender = open(options())) {
      assertThatThrownBy(() -> recommender.recordEvent("x".repeat(1 << 20), "i1"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("1 to 1024 characters");
    }
  }
}
