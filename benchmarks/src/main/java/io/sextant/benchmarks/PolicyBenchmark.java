package io.sextant.benchmarks;

import io.sextant.tensor.Devices;
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

/** What a policy adds to the lists of a batch of users: gates, and the second stage's scores. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// One search uses all cores by itself.
@Threads(1)
@State(Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class PolicyBenchmark {

  /** How the scores of strategies become one. */
  public enum Mix {
    /** The same weights for everybody. */
    FIXED,
    /** The policy's gates. */
    GATED,
    /** Both stages. */
    RESCORED
  }

  @Param({"FIXED", "GATED", "RESCORED"})
  private Mix mix = Mix.FIXED;

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  @Param("20000")
  private int items = 1;

  @Param("256")
  private int batch = 1;

  /** How many items the second stage scores. */
  @Param("200")
  private int candidates = 1;

  private @Nullable Mixing mixing;

  /** Fits; fails where the policy has no networks, which would cost nothing. */
  @Setup(Level.Trial)
  public void open() {
    mixing = new Mixing(items, batch, candidates, Devices.parse(device));
  }

  /** Frees the strategies and the policy. */
  @TearDown(Level.Trial)
  public void close() {
    if (mixing != null) {
      mixing.close();
    }
  }

  /** A batch of lists. */
  @Benchmark
  public int[] rank() {
    Mixing open = mixing;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    return switch (mix) {
      case FIXED -> open.fixed().items();
      case GATED -> open.gated().items();
      case RESCORED -> open.rescored().items();
    };
  }
}
