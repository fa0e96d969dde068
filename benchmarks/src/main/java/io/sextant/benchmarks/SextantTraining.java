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
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.StepHook;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingProgress;
import io.sextant.train.TrainingResult;
import io.sextant.train.TwoTowerTask;
import java.util.List;
import java.util.function.Supplier;

/** Matrix factorisation by the engine's trainer: BPR with negatives. Not thread-safe. */
final class SextantTraining implements Training {

  private final Sizes sizes;
  private final Scope scope;
  private final TwoTowerTask task;
  private final Supplier<List<StepHook>> hooks;
  private final RowOptimizer.Kind optimizer;

  /** Plain training with one negative. */
  SextantTraining(Workload workload, Device device) {
    this(workload, device, RowOptimizer.Kind.ADAGRAD);
  }

  /** Plain training with one negative and an optimizer of the tables. */
  SextantTraining(Workload workload, Device device, RowOptimizer.Kind optimizer) {
    this(workload, interactions(workload), 1, device, List::of, optimizer);
  }

  /**
   * Training that is steered.
   *
   * @param rows those of the workload
   * @param hooks makes those of a turn
   */
  SextantTraining(
      Workload workload,
      Interactions rows,
      int negatives,
      Device device,
      Supplier<List<StepHook>> hooks) {
    this(workload, rows, negatives, device, hooks, RowOptimizer.Kind.ADAGRAD);
  }

  private SextantTraining(
      Workload workload,
      Interactions rows,
      int negatives,
      Device device,
      Supplier<List<StepHook>> hooks,
      RowOptimizer.Kind optimizer) {
    this.sizes = workload.sizes();
    this.hooks = hooks;
    this.optimizer = optimizer;
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
        SamplingOptions.builder().objective(Objective.BPR).negatives(negatives).build();
    task = new TwoTowerTask(model, rows, users, items, sampling, 0, 1);
  }

  /** A turn is an epoch of the workload; its rate leaves out the first step, with the set-up. */
  @Override
  public Outcome train() {
    Stamps stamps = new Stamps();
    TrainingOptions options =
        TrainingOptions.builder()
            .epochs(1)
            .batchSize(sizes.batch())
            .rowOptimizer(optimizer)
            .patience(0)
            .build();
    TrainingResult result =
        TensorThreads.call(
            () -> new Trainer(options, hooks.get(), stamps, null).train(scope, task, null));
    if (result.skippedSteps() > 0) {
      throw new IllegalStateException(result.skippedSteps() + " steps were skipped");
    }
    // A device may still be at work when its last step was asked for; its losses end the epoch.
    double seconds = (System.nanoTime() - stamps.first) / 1e9;
    return new Outcome(
        Math.toIntExact(stamps.steps * sizes.batch()),
        (stamps.steps - 1) * (double) sizes.batch() / seconds,
        result.meanLosses().get(0));
  }

  /** The rows of a workload. */
  static Interactions interactions(Workload workload) {
    Sizes sizes = workload.sizes();
    Interactions.Builder rows =
        Interactions.builder(ids("u", sizes.users()), ids("i", sizes.items()));
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
    return rows.build();
  }

  static IdIndex ids(String prefix, int count) {
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

  private static final class Stamps implements TrainingListener {
    private long first;
    private long steps;

    @Override
    public void onStep(TrainingProgress progress) {
      if (steps == 0) {
        first = System.nanoTime();
      }
      steps++;
    }
  }
}
