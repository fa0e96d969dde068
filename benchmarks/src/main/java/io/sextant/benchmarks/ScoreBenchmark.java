package io.sextant.benchmarks;

import io.sextant.tensor.Devices;
import io.sextant.tensor.TensorThreads;
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
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The exact best k of a catalogue for a batch of users, beside its peers. An operation is a batch.
 */
// The time of a batch is what a caller waits for; users a second are batch / time.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// One search uses all cores by itself; two beside each other would measure the scheduler.
@Threads(1)
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
// The scan is Java: what the compiler makes of it differs from JVM to JVM.
@Fork(2)
// Thirty batches and more: paired runs were still getting faster after twelve.
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class ScoreBenchmark {

  @Param({"SEXTANT", "PLAIN_DJL"})
  private Peer peer = Peer.SEXTANT;

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  /** Users a batch. Odd sizes beside the round one show what padding and tails cost. */
  @Param({"1", "207", "1024"})
  private int users = 1;

  @Param("100000")
  private int items = 1;

  @Param("64")
  private int dimension = 1;

  @Param("100")
  private int k = 1;

  private @Nullable Scoring scoring;

  /** Fails where the device is absent, or where the peers' scores differ. */
  @Setup(Level.Trial)
  public void open() {
    scoring = new Scoring(users, items, dimension, k, Devices.parse(device));
    scoring.checkThatPeersAgree();
  }

  /** Frees the vectors. */
  @TearDown(Level.Trial)
  public void close() {
    if (scoring != null) {
      scoring.close();
    }
  }

  /** A batch. Its lists are on the host, so the device is done. */
  @Benchmark
  public float score() {
    Scoring open = scoring;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    return TensorThreads.call(() -> peer.search(open)[0]);
  }
}
