package io.sextant.benchmarks;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The decision log beside batched inserts by hand; both durable. The figure to read is {@code
 * decisions}, decisions a second; an operation is a log of so many.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// The callers are the log's own.
@Threads(1)
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 5, time = 5)
public class DecisionLogBenchmark {

  /** Who writes. */
  public enum Writer {
    /** {@link io.sextant.feedback.SqliteDecisionLog}. */
    SEXTANT,
    /** One table, by hand. */
    PLAIN_SQLITE
  }

  @Param({"SEXTANT", "PLAIN_SQLITE"})
  private Writer writer = Writer.SEXTANT;

  @Param("20000")
  private int count = 1;

  @Param({"10", "50"})
  private int candidates = 1;

  @Param("4")
  private int callers = 1;

  private @Nullable Logging logging;

  /** Makes the decisions. */
  @Setup(Level.Trial)
  public void open() {
    logging = new Logging(count, candidates);
  }

  /** All decisions, until they are durable. */
  @Benchmark
  public double write(Decisions counter) {
    Logging open = logging;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    double rate = writer == Writer.SEXTANT ? open.grouped(callers) : open.plain();
    counter.decisions += count;
    return rate;
  }

  /** Counts decisions. */
  // A count that JMH divides by the time of the iteration.
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Decisions {
    /** Decisions written in this iteration. */
    public double decisions;
  }
}
