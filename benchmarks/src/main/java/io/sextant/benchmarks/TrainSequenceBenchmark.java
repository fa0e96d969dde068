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
 * Training of self-attention over sequences. The figure to read is {@code examples}, sequences a
 * second, each of {@code length} targets.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
// One training uses all cores by itself.
@Threads(1)
@State(Scope.Benchmark)
// The time is libtorch's, which is the same in every JVM; a second one shows that.
@Fork(2)
@Warmup(iterations = 2, time = 5)
// A turn takes seconds on the CPU.
@Measurement(iterations = 5, time = 10)
public class TrainSequenceBenchmark {

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  @Param("200000")
  private int items = 1;

  @Param("64")
  private int dimension = 1;

  /** Sequences a step. */
  @Param("128")
  private int batch = 1;

  @Param("50")
  private int length = 1;

  /** Steps an epoch, which is a turn. */
  @Param("12")
  private int steps = 1;

  private @Nullable Training training;

  /** Fails where the device is absent, or where nothing is learned. */
  @Setup(Level.Trial)
  public void open() {
    Device where = Devices.parse(device);
    SequenceTraining.checkThatItLearns(where);
    training = new SequenceTraining(items, dimension, batch, length, steps, where);
  }

  /** Frees the model. */
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
