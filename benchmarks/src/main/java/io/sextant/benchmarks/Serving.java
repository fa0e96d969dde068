package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import io.sextant.store.BundleWriter;
import io.sextant.store.TensorSource;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * One bundle behind two recommenders, which differ in nothing but the size of their batches: one
 * puts requests of the same time together, the other computes each alone. The model is one dense
 * strategy (least squares from ten items of history to a query) over random item vectors.
 *
 * <p>Callers are threads that ask again as soon as they are answered.
 */
final class Serving implements AutoCloseable {

  private static final int HISTORY = 10;
  private static final int K = 100;

  private final int users;
  private final Path folder;
  private final Recommender batched;
  private final Recommender oneByOne;

  Serving(int users, int items, int dimension) {
    this.users = users;
    try {
      folder = Files.createTempDirectory("sextant-serving");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Path bundle = write(folder.resolve("bundle"), users, items, dimension);
    RecommenderOptions.Builder options =
        RecommenderOptions.builder().timeout(Duration.ofMinutes(10)).maxNewItems(0);
    batched = Recommender.open(bundle, options.build());
    oneByOne = Recommender.open(bundle, options.maxBatch(1).build());
  }

  private static Path write(Path directory, int users, int items, int dimension) {
    Random random = new Random(1);
    float[] vectors = new float[items * dimension];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = 0.1f * (float) random.nextGaussian();
    }
    BundleWriter writer = new BundleWriter();
    try (FittedStrategy shape = smallModel(dimension)) {
      writer.strategy(
          "als",
          shape.type(),
          shape.configJson(),
          List.of(TensorSource.of("items.vectors", vectors, items, dimension)));
    }
    int[][] histories = new int[users][];
    for (int user = 0; user < users; user++) {
      histories[user] = random.ints(HISTORY, 0, items).toArray();
    }
    writer
        .users(ids("u", users))
        .items(ids("i", items))
        .histories(user -> histories[user])
        .write(directory);
    return directory;
  }

  /** A model of two items, for the sake of its configuration. */
  private static FittedStrategy smallModel(int dimension) {
    Interactions.Builder rows =
        Interactions.builder(SextantTraining.ids("u", 1), SextantTraining.ids("i", 2));
    rows.add(0, 0, EventType.VIEW, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
    return Als.builder()
        .factors(dimension)
        .epochs(1)
        .build()
        .fit(FitContext.of(Device.cpu(), Dataset.of(rows.build())));
  }

  private static List<String> ids(String prefix, int count) {
    List<String> ids = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      ids.add(prefix + i);
    }
    return ids;
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
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
