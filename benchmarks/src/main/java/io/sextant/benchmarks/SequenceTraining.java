package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.SequenceSampling;
import io.sextant.train.SequenceTask;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingProgress;
import io.sextant.train.TrainingResult;
import java.util.List;
import java.util.Random;

/**
 * Self-attention over sequences in which each item follows the last at one of five distances, so
 * that there is something to learn. Not thread-safe.
 */
final class SequenceTraining implements Training {

  private static final int DISTANCES = 5;

  private final Scope scope;
  private final SequenceTask task;
  private final int batch;
  private final int steps;

  /**
   * A training whose turn is an epoch of {@code steps} batches of sequences.
   *
   * @param length items of each sequence that are learned from
   */
  SequenceTraining(int items, int dimension, int batch, int length, int steps, Device device) {
    this.batch = batch;
    this.steps = steps;
    Random random = new Random(7);
    int users = Math.multiplyExact(batch, steps);
    Interactions.Builder rows =
        Interactions.builder(SextantTraining.ids("u", users), SextantTraining.ids("i", items));
    for (int user = 0; user < users; user++) {
      int item = random.nextInt(items);
      for (int i = 0; i <= length; i++) {
        rows.add(user, item, EventType.VIEW, Float.NaN, 1, i, InteractionFeatures.UNKNOWN);
        item = (item + 1 + 7 * random.nextInt(DISTANCES)) % items;
      }
    }
    Interactions data = rows.build();
    SequenceOptions shape =
        SequenceOptions.builder().dimension(dimension).historyLength(length).build();
    scope = Scope.open(device);
    task =
        TensorThreads.call(
            () ->
                new SequenceTask(
                    scope,
                    new SequenceEncoder(scope, items, shape, 1),
                    data,
                    SequenceSampling.builder().build(),
                    1));
  }

  /** A turn is an epoch; an example is a sequence. */
  @Override
  public Outcome train() {
    TrainingOptions options =
        SequenceStrategy.trainingDefaults().epochs(1).batchSize(batch).patience(0).build();
    Start start = new Start();
    TrainingResult result =
        TensorThreads.call(
            () -> new Trainer(options, List.of(), start, null).train(scope, task, null));
    if (result.skippedSteps() > 0) {
      throw new IllegalStateException(result.skippedSteps() + " steps were skipped");
    }
    double seconds = (System.nanoTime() - start.first) / 1e9;
    return new Outcome(
        batch * steps, (steps - 1) * (double) batch / seconds, result.meanLosses().get(0));
  }

  /**
   * Trains something small.
   *
   * @throws IllegalStateException if the loss does not fall by a tenth
   */
  static void checkThatItLearns(Device device) {
    try (SequenceTraining training = new SequenceTraining(100, 16, 32, 10, 8, device)) {
      double first = training.train().meanLoss();
      double last = first;
      for (int turn = 0; turn < 12; turn++) {
        last = training.train().meanLoss();
      }
      // Written so that NaN fails too.
      if (!(last < 0.9 * first)) {
        throw new IllegalStateException(
            "sequences are not learned on %s: the loss went from %f to %f"
                .formatted(device, first, last));
      }
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  /** When the first step had ended. */
  private static final class Start implements TrainingListener {
    private long first;

    @Override
    public void onStep(TrainingProgress progress) {
      if (first == 0) {
        first = System.nanoTime();
      }
    }
  }
}
