package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.AttributeFilter;
import io.sextant.DeadlineExceededException;
import io.sextant.Eligibility;
import io.sextant.NewItem;
import io.sextant.OverloadedException;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many threads change items, swap models and fill the queue at once. Each thread has items of its
 * own, so it knows what every list that it asks for must show.
 */
@Timeout(120)
class StressTest {

  private static final int THREADS = 6;
  private static final int TURNS = 150;

  @TempDir Path folder;

  private final Queue<FakeModel> models = new ConcurrentLinkedQueue<>();
  private final Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
  private Path one = Path.of("");
  private Path other = Path.of("");

  @BeforeEach
  void write() {
    one = FakeModel.write(folder.resolve("one"), 1);
    other = FakeModel.write(folder.resolve("other"), 2);
  }

  private interface Work {
    void run(int thread) throws Exception;
  }

  /** Runs so many threads to their end, and fails with the first failure. */
  private void together(Work work) throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int number = i;
      Thread thread =
          new Thread(
              () -> {
                try {
                  work.run(number);
                } catch (Throwable e) {
                  wrong.add(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(wrong).isEmpty();
  }

  private static List<String> among(Recommender recommender, Eligibility eligibility) {
    return recommender
        .recommend(RecommendationRequest.forUser("nobody").k(5).eligibility(eligibility).build())
        .itemIds();
  }

  @Test
  void whoChangesAnItemSeesItInTheNextListAcrossSwaps() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    RecommenderOptions options =
        RecommenderOptions.builder()
            .timeout(Duration.ofMinutes(1))
            .maxNewItems(THREADS * TURNS)
            .build();
    try (Recommender recommender =
        Recommender.open(one, options, FakeModel.loader(models, users -> {}))) {
      Thread swapping =
          new Thread(
              () -> {
                while (!over.get()) {
                  recommender.swap(swaps.incrementAndGet() % 2 == 0 ? one : other);
                }
              });
      swapping.start();
      try {
        together(thread -> changeItems(recommender, thread));
      } finally {
        over.set(true);
        swapping.join();
      }
      assertThat(swaps.get()).isPositive();
      // What was changed last holds for the next model, too.
      recommender.swap(one);
      for (int thread = 0; thread < THREADS; thread++) {
        assertThat(among(recommender, Eligibility.UNSEEN.among(Set.of("i" + thread)))).isEmpty();
        assertThat(
                among(
                    recommender, Eligibility.UNSEEN.and(AttributeFilter.in("owner", "t" + thread))))
            .containsExactly("i" + (100 + thread));
      }
    }
    assertThat(models).allMatch(model -> model.closed.get() == 1);
  }

  private static void changeItems(Recommender recommender, int thread) {
    String switched = "i" + thread;
    String tagged = "i" + (100 + thread);
    Eligibility onlySwitched = Eligibility.UNSEEN.among(Set.of(switched));
    for (int turn = 0; turn < TURNS; turn++) {
      recommender.setAvailable(switched, true);
      assertThat(among(recommender, onlySwitched)).containsExactly(switched);
      recommender.setAvailable(switched, false);
      assertThat(among(recommender, onlySwitched)).isEmpty();
      String owner = turn == TURNS - 1 ? "t" + thread : "t" + thread + "-" + turn;
      recommender.setAttributes(tagged, Map.of("owner", Set.of(owner)));
      assertThat(among(recommender, Eligibility.UNSEEN.and(AttributeFilter.in("owner", owner))))
          .containsExactly(tagged);
      if (turn % 10 == 0) {
        String fresh = "new-%d-%d".formatted(thread, turn);
        recommender.addItem(new NewItem(fresh, Map.of(), List.of(tagged)));
        assertThat(among(recommender, Eligibility.UNSEEN.among(Set.of(fresh))))
            .containsExactly(fresh);
      }
    }
  }

  /** Every request ends, in one of the ways that are promised, and is computed once or never. */
  @Test
  void noRequestIsLostOrComputedTwice() throws Exception {
    AtomicInteger computed = new AtomicInteger();
    AtomicInteger answered = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger late = new AtomicInteger();
    AtomicInteger cancelled = new AtomicInteger();
    RecommenderOptions options =
        RecommenderOptions.builder()
            .maxBatch(7)
            .queueCapacity(20)
            .workers(2)
            .timeout(Duration.ofMinutes(1))
            .maxDelay(Duration.ofMillis(1))
            .build();
    int before;
    try (Recommender recommender =
        Recommender.open(
            one, options, FakeModel.loader(models, users -> computed.addAndGet(users.size())))) {
      before = computed.get();
      together(
          thread -> {
            Random random = new Random(thread);
            List<CompletableFuture<Recommendations>> futures = new ArrayList<>();
            for (int turn = 0; turn < 40 * TURNS; turn++) {
              Duration time =
                  random.nextInt(10) == 0
                      ? Duration.ofNanos(1 + random.nextInt(200_000))
                      : Duration.ofMinutes(1);
              RecommendationRequest request =
                  RecommendationRequest.forUser("u" + random.nextInt(FakeModel.USERS))
                      .k(3)
                      .timeout(time)
                      .build();
              CompletableFuture<Recommendations> future;
              try {
                future = recommender.recommendAsync(request);
              } catch (OverloadedException e) {
                future = CompletableFuture.failedFuture(e);
              }
              if (random.nextInt(10) == 0) {
                future.cancel(true);
              }
              futures.add(future);
              if (futures.size() == 8) {
                futures.forEach(f -> end(f, answered, refused, late, cancelled));
                futures.clear();
              }
            }
            futures.forEach(f -> end(f, answered, refused, late, cancelled));
          });
      assertThat(answered.get() + refused.get() + late.get() + cancelled.get())
          .isEqualTo(THREADS * 40 * TURNS);
      assertThat(recommender.health().queueDepth()).isZero();
    }
    assertThat(answered.get()).isPositive();
    assertThat(refused.get()).isPositive();
    assertThat(cancelled.get()).isPositive();
    // A request may be cancelled, or its time be over, while it is computed.
    assertThat(computed.get() - before)
        .isBetween(answered.get(), answered.get() + late.get() + cancelled.get());
  }

  private static void end(
      CompletableFuture<Recommendations> future,
      AtomicInteger answered,
      AtomicInteger refused,
      AtomicInteger late,
      AtomicInteger cancelled) {
    try {
      assertThat(future.join().items()).hasSize(3);
      answered.incrementAndGet();
    } catch (CancellationException e) {
      cancelled.incrementAndGet();
    } catch (CompletionException e) {
      if (e.getCause() instanceof OverloadedException overloaded) {
        assertThat(overloaded.retryAfter()).isPositive();
        refused.incrementAndGet();
      } else if (e.getCause() instanceof DeadlineExceededException) {
        late.incrementAndGet();
      } else {
        throw e;
      }
    }
  }
}
