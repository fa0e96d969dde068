package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.tensor.Devices;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Training of matrix factorisation beside its peers: BPR with one uniform negative an example. The
 * figure to read is {@code examples}, examples a second; an operation is a turn, whose length
 * differs between peers.
 */
// Rates are what is asked for, and a peer's turns differ in length too much for times.
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// One training uses all cores by itself; two beside each other would measure the scheduler.
@Threads(1)
@State(Scope.Benchmark)
// The step's loops are Java: what the compiler makes of them differs from JVM to JVM.
@Fork(2)
// The compiler is done within some hundred steps of the fast peer; the slow one needs a step or two
// for its memory.
@Warmup(iterations = 3, time = 5)
// A step of the slow peer takes a second and more at the default size: several must fit.
@Measurement(iterations = 5, time = 10)
public class TrainBenchmark {

  @Param({"SEXTANT", "PLAIN_DJL"})
  private Peer peer = Peer.SEXTANT;

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  @Param("1000000")
  private int users = 1;

  @Param("200000")
  private int items = 1;

  @Param("64")
  private int dimension = 1;

  @Param("8192")
  private int batch = 1;

  /** Steps an epoch, which is a turn of the engine. */
  @Param("48")
  private int steps = 1;

  private @Nullable Training training;

  /** Fails where the device is absent, or where the peer does not learn. */
  @Setup(Level.Trial)
  public void open() {
    Device where = Devices.parse(device);
    peer.checkThatItLearns(where);
    Workload workload = Workload.random(new Sizes(users, items, dimension, batch), steps);
    training = peer.open(workload, where);
  }

  /** Frees the tables. */
  @TearDown(Level.Trial)
  public void close() {
    if (training != null) {
      training.close();
    }
  }

  /** A turn. Its loss was read back, so the device is done. */
  @Benchmark
  public double train(Examples counter) {
    Training open = training;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    Training.Outcome outcome = open.train();
    counter.examples += outcome.examples();
    return outcome.meanLoss();
  }

  /** Counts examples, so that turns of different length can be compared. */
  // A count that JMH divides by the time of the iteration.
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Examples {
    /** Examples trained on in this iteration. */
    public double examples;
  }
}
