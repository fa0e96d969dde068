package io.sextant.benchmarks;

import io.sextant.Recommendations;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Lists a second for callers of an embedded recommender who ask again as soon as they are answered:
 * so many as JMH has threads ({@code -t}).
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Threads(64)
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class ServeBenchmark {

  /** Whether requests of the same time are computed together. */
  @Param({"true", "false"})
  private boolean together;

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  @Param("1000")
  private int users = 1;

  @Param("100000")
  private int items = 1;

  @Param("64")
  private int dimension = 1;

  private @Nullable Serving serving;

  /** Fails where the lists of both ways differ. */
  @Setup(Level.Trial)
  public void open() {
    serving = new Serving(users, items, dimension, device);
    serving.checkThatBothAgree();
  }

  /** Closes the recommenders. */
  @TearDown(Level.Trial)
  public void close() {
    if (serving != null) {
      serving.close();
    }
  }

  /** A list. */
  @Benchmark
  public Recommendations recommend() {
    Serving open = serving;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    return open.ask(together, ThreadLocalRandom.current().nextInt(users));
  }
}
