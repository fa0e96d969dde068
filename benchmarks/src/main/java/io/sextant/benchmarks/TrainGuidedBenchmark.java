package io.sextant.benchmarks;

import ai.djl.Device;
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

/**
 * Training of matrix factorisation whose examples a policy weighs, beside the same without one: BPR
 * with four negatives an example. The figure to read is {@code examples}, examples a second.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// One training uses all cores by itself.
@Threads(1)
@State(Scope.Benchmark)
// The step's loops are Java on the CPU: what the compiler makes of them differs from JVM to JVM.
@Fork(2)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 10)
public class TrainGuidedBenchmark {

  private static final int TURNS_OF_CHECK = 60;

  /** The policy learns at every so many batches; 0 for no policy. */
  @Param({"0", "1", "4"})
  private int every = 1;

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

  /** Steps an epoch, which is a turn. */
  @Param("24")
  private int steps = 1;

  private @Nullable Training training;

  /** Fails where the device is absent, or where nothing is learned. */
  @Setup(Level.Trial)
  public void open() {
    Device where = Devices.parse(device);
    checkThatItLearns(where);
    training = open(new GuidedWorkload(new Sizes(users, items, dimension, batch), steps), where);
  }

  private Training open(GuidedWorkload workload, Device where) {
    return every == 0 ? workload.plain(where) : workload.guided(where, every);
  }

  private void checkThatItLearns(Device where) {
    try (Training small = open(new GuidedWorkload(new Sizes(300, 200, 16, 128), 8), where)) {
      double first = small.train().meanLoss();
      double last = first;
      for (int turn = 0; turn < TURNS_OF_CHECK; turn++) {
        last = small.train().meanLoss();
      }
      // Written so that NaN fails too.
      if (!(last < 0.9 * first)) {
        throw new IllegalStateException(
            "nothing is learned on %s: the loss went from %f to %f".formatted(where, first, last));
      }
    }
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
  public double train(TrainBenchmark.Examples counter) {
    Training open = training;
    if (open == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    Training.Outcome outcome = open.train();
    counter.examples += outcome.examples();
    return outcome.meanLoss();
  }
}
