package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingProgress;
import io.sextant.train.TwoTowerTask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much the process grows over many steps of training and many batches of scoring. The model has
 * histories, a hidden layer and a sampled softmax, so that every step is recorded, which is where
 * memory could leak.
 *
 * <p>Run it with a heap of fixed size ({@code -Xms = -Xmx}, {@code -XX:+AlwaysPreTouch}), or the
 * heap's growth is measured too.
 */
final class MemoryRun {

  private static final int BATCH = 128;
  private static final int STEPS_PER_EPOCH = 50;

  private MemoryRun() {}

  /**
   * Resident memory after warm-up and at the end.
   *
   * @param before bytes
   * @param after bytes
   */
  record Growth(long before, long after) {
    double percent() {
      return 100.0 * (after - before) / before;
    }
  }

  /** Trains for {@code warmup} steps, and then for {@code steps}. */
  static Growth train(int warmup, int steps) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            Workload workload = Workload.random(new Sizes(2000, 3000, 32, BATCH), STEPS_PER_EPOCH);
            Interactions.Builder rows =
                Interactions.builder(
                    SextantTraining.ids("u", workload.sizes().users()),
                    SextantTraining.ids("i", workload.sizes().items()));
            for (int row = 0; row < workload.users().length; row++) {
              rows.add(
                  workload.users()[row],
                  workload.items()[row],
                  EventType.VIEW,
                  Float.NaN,
                  1,
                  Event.NO_TIME,
                  InteractionFeatures.UNKNOWN);
            }
            EntityFeatures users = EntityFeatures.none(workload.sizes().users());
            EntityFeatures items = EntityFeatures.none(workload.sizes().items());
            TwoTowerOptions shape =
                TwoTowerOptions.builder()
                    .dimension(workload.sizes().dimension())
                    .history(TwoTowerOptions.History.SHARED)
                    .historyLength(10)
                    .hidden(List.of(32))
                    .biases(true)
                    .build();
            TwoTower model = new TwoTower(scope, users, items, shape, 1);
            SamplingOptions sampling =
                SamplingOptions.builder().negatives(64).inBatch(true).build();
            TwoTowerTask task = new TwoTowerTask(model, rows.build(), users, items, sampling, 0, 1);
            int epochs = (warmup + steps + STEPS_PER_EPOCH - 1) / STEPS_PER_EPOCH;
            TrainingOptions options =
                TrainingOptions.builder().epochs(epochs).batchSize(BATCH).patience(0).build();
            long[] before = new long[1];
            TrainingListener listener =
                new TrainingListener() {
                  @Override
                  public void onStep(TrainingProgress progress) {
                    if (progress.step() == warmup) {
                      before[0] = residentBytes();
                    }
                  }
                };
            new Trainer(options, List.of(), listener, null).train(scope, task, null);
            return new Growth(before[0], residentBytes());
          }
        });
  }

  /** Scores {@code warmup} batches, and then {@code batches}. */
  static Growth score(int warmup, int batches) {
    try (Scoring scoring = new Scoring(64, 5000, 32, 20, Device.cpu())) {
      long before = 0;
      for (int batch = 0; batch < warmup + batches; batch++) {
        if (batch == warmup) {
          before = residentBytes();
        }
        TensorThreads.call(() -> Peer.SEXTANT.search(scoring));
      }
      return new Growth(before, residentBytes());
    }
  }

  /** Resident memory of this process after a collection of garbage. */
  private static long residentBytes() {
    System.gc();
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      throw new IllegalStateException(
          "resident memory is read from /proc/self/status, which this system does not have: run on Linux");
    }
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmRSS:")) {
          return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException("/proc/self/status has no line VmRSS");
  }
}
