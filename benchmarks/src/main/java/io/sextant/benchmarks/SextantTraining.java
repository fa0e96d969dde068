package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingProgress;
import io.sextant.train.TrainingResult;
import io.sextant.train.TwoTowerTask;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Matrix factorisation by the engine's trainer: BPR with one negative. Not thread-safe. */
final class SextantTraining implements AutoCloseable {

  private final Sizes sizes;
  private final Scope scope;
  private final TwoTowerTask task;

  /** An epoch of this training has {@code steps} steps. */
  SextantTraining(Sizes sizes, Device device, int steps) {
    this.sizes = sizes;
    Interactions.Builder rows =
        Interactions.builder(ids("u", sizes.users()), ids("i", sizes.items()));
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    for (int row = 0; row < steps * sizes.batch(); row++) {
      rows.add(
          random.nextInt(sizes.users()),
          random.nextInt(sizes.items()),
          EventType.VIEW,
          Float.NaN,
          1,
          Event.NO_TIME,
          InteractionFeatures.UNKNOWN);
    }
    EntityFeatures users = EntityFeatures.none(sizes.users());
    EntityFeatures items = EntityFeatures.none(sizes.items());
    scope = Scope.open(device);
    TwoTower model =
        TensorThreads.call(
            () ->
                new TwoTower(
                    scope,
                    users,
                    items,
                    TwoTowerOptions.builder().dimension(sizes.dimension()).build(),
                    1));
    SamplingOptions sampling =
        SamplingOptions.builder().objective(Objective.BPR).negatives(1).build();
    task = new TwoTowerTask(model, rows.build(), users, items, sampling, 0, 1);
  }

  /** Trains an epoch. */
  Outcome train() {
    Stamps stamps = new Stamps();
    TrainingOptions options =
        TrainingOptions.builder().epochs(1).batchSize(sizes.batch()).patience(0).build();
    TrainingResult result =
        TensorThreads.call(
            () -> new Trainer(options, List.of(), stamps, null).train(scope, task, null));
    double seconds = (stamps.last - stamps.first) / 1e9;
    return new Outcome(
        (stamps.steps - 1) * (double) sizes.batch() / seconds,
        result.meanLosses().get(0),
        result.skippedSteps());
  }

  private static IdIndex ids(String prefix, int count) {
    IdIndex.Builder ids = IdIndex.builder();
    for (int i = 0; i < count; i++) {
      ids.add(prefix + i);
    }
    return ids.build();
  }

  @Override
  public void close() {
    scope.close();
  }

  /**
   * What an epoch came to.
   *
   * @param examplesPerSecond from the end of the first step, which also sets up the optimizer
   */
  record Outcome(double examplesPerSecond, double meanLoss, long skippedSteps) {}

  private static final class Stamps implements TrainingListener {
    private long first;
    private long last;
    private long steps;

    @Override
    public void onStep(TrainingProgress progress) {
      last = System.nanoTime();
      if (steps == 0) {
        first = last;
      }
      steps++;
    }
  }
}
