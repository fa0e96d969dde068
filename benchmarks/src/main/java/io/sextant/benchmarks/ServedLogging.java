package io.sextant.benchmarks;

import io.sextant.RecommendationRequest;
import io.sextant.feedback.SqliteDecisionLog;
import io.sextant.serve.DecisionLogging;
import io.sextant.serve.Recommender;
import io.sextant.serve.RecommenderOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * One bundle behind two recommenders, of which one logs every decision durably, with {@value #POOL}
 * candidates each. Requests come at a fixed rate whether or not earlier ones are answered, and a
 * latency counts from the moment when its request was due: whoever is slow is not spared.
 */
final class ServedLogging implements AutoCloseable {

  static final int POOL = 50;
  private static final int K = 10;

  private final int users;
  private final ServedBundle bundle;
  private final Path folder;
  private final SqliteDecisionLog log;
  private final Recommender plain;
  private final Recommender logged;

  /**
   * What the requests of a turn took.
   *
   * @param p50 microseconds
   * @param p99 microseconds
   */
  record Latencies(double p50, double p99) {

    static Latencies of(long[] nanos) {
      long[] sorted = nanos.clone();
      Arrays.sort(sorted);
      return new Latencies(quantile(sorted, 0.5), quantile(sorted, 0.99));
    }

    private static double quantile(long[] sorted, double share) {
      return sorted[(int) Math.ceil(share * sorted.length) - 1] / 1e3;
    }
  }

  ServedLogging(int users, int items, int dimension) {
    this.users = users;
    try {
      folder = Files.createTempDirectory("sextant-served-logging");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    bundle = new ServedBundle(users, items, dimension);
    log = SqliteDecisionLog.open(folder.resolve("log"));
    RecommenderOptions.Builder options =
        RecommenderOptions.builder().timeout(Duration.ofMinutes(10)).maxNewItems(0);
    plain = Recommender.open(bundle.folder(), options.build());
    logged =
        Recommender.open(
            bundle.folder(), options.decisions(DecisionLogging.greedy(log).withPool(POOL)).build());
  }

  /** A turn of requests that nobody logs. */
  Latencies plain(int perSecond, int requests) {
    return turn(plain, perSecond, requests);
  }

  /** A turn of requests that are logged. */
  Latencies logged(int perSecond, int requests) {
    return turn(logged, perSecond, requests);
  }

  private Latencies turn(Recommender recommender, int perSecond, int requests) {
    long[] nanos = new long[requests];
    CountDownLatch answered = new CountDownLatch(requests);
    AtomicReference<Throwable> failed = new AtomicReference<>();
    long start = System.nanoTime();
    for (int i = 0; i < requests; i++) {
      int number = i;
      long due = start + (long) (i * (1e9 / perSecond));
      for (long early = due - System.nanoTime(); early > 0; early = due - System.nanoTime()) {
        LockSupport.parkNanos(early);
      }
      recommender
          .recommendAsync(RecommendationRequest.forUser("u" + i % users).k(K).build())
          .whenComplete(
              (list, failure) -> {
                nanos[number] = System.nanoTime() - due;
                failed.compareAndSet(null, failure);
                answered.countDown();
              });
    }
    try {
      answered.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    if (failed.get() != null) {
      throw new IllegalStateException("a request failed: ask for fewer a second", failed.get());
    }
    return Latencies.of(nanos);
  }

  /** Closes both and says how many decisions are in the log. */
  long decisions() {
    closeServices();
    long[] count = new long[1];
    log.read(0, Long.MAX_VALUE, logged -> count[0]++);
    return count[0];
  }

  private void closeServices() {
    plain.close();
    logged.close();
  }

  @Override
  public void close() {
    closeServices();
    log.close();
    bundle.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
