package io.sextant.benchmarks;

import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One bundle behind two recommenders, which differ in nothing but the size of their batches: one
 * puts requests of the same time together, the other computes each alone.
 *
 * <p>Callers are threads that ask again as soon as they are answered.
 */
final class Serving implements AutoCloseable {

  private static final int K = 100;

  private final int users;
  private final ServedBundle bundle;
  private final Recommender batched;
  private final Recommender oneByOne;

  Serving(int users, int items, int dimension) {
    this(users, items, dimension, "cpu");
  }

  /**
   * @param device on which lists are made
   */
  Serving(int users, int items, int dimension, String device) {
    this.users = users;
    bundle = new ServedBundle(users, items, dimension);
    RecommenderOptions.Builder options =
        RecommenderOptions.builder().device(device).timeout(Duration.ofMinutes(10)).maxNewItems(0);
    batched = Recommender.open(bundle.folder(), options.build());
    oneByOne = Recommender.open(bundle.folder(), options.maxBatch(1).build());
  }

  /**
   * Compares lists of both.
   *
   * @throws IllegalStateException if scores differ by more than rounding can explain
   */
  void checkThatBothAgree() {
    List<RecommendationRequest> requests = new ArrayList<>();
    for (int user = 0; user < Math.min(64, users); user++) {
      requests.add(request(user));
    }
    List<Recommendations> together = batched.recommendBatch(requests);
    for (int i = 0; i < requests.size(); i++) {
      Recommendations alone = oneByOne.recommend(requests.get(i));
      for (int place = 0; place < K; place++) {
        float a = together.get(i).items().get(place).score();
        float b = alone.items().get(place).score();
        if (!(Math.abs(a - b) <= 1e-4 * (1 + Math.abs(b)))) {
          throw new IllegalStateException(
              "user %d, place %d: %f together and %f alone".formatted(i, place, a, b));
        }
      }
    }
  }

  private static RecommendationRequest request(int user) {
    return RecommendationRequest.forUser("u" + user).k(K).build();
  }

  /** One list, by the recommender that puts requests together or by the other. */
  Recommendations ask(boolean together, int user) {
    return (together ? batched : oneByOne).recommend(request(user % users));
  }

  /** Requests a second with requests of the same time put together. */
  double batched(int callers, int requests) {
    return throughput(batched, callers, requests);
  }

  /** Requests a second with each computed alone. */
  double oneByOne(int callers, int requests) {
    return throughput(oneByOne, callers, requests);
  }

  private double throughput(Recommender recommender, int callers, int requests) {
    AtomicInteger next = new AtomicInteger();
    Queue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    long start = System.nanoTime();
    for (int caller = 0; caller < callers; caller++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  for (int i = next.getAndIncrement(); i < requests; i = next.getAndIncrement()) {
                    recommender.recommend(request(i % users));
                  }
                } catch (RuntimeException e) {
                  failures.add(e);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (!failures.isEmpty()) {
      throw failures.element();
    }
    return requests / seconds;
  }

  @Override
  public void close() {
    batched.close();
    oneByOne.close();
    bundle.close();
  }
}
