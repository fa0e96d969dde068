package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training loop.
 *
 * <p>Every draw of an epoch or step is a function of (seed, epoch or step), and a checkpoint holds
 * parameters, optimizer states, the best parameters so far and the position. So a run that was
 * killed and resumed ends, on the CPU, with the same bits as one that was not.
 *
 * <p>A step records the task's loss and differentiates it. A task may know its gradient in closed
 * form instead, which moves the parameters alike within rounding and is faster; hooks look into
 * recorded steps, so with hooks every step is recorded. Only {@link ExampleWeighting} and {@link
 * StepPolicy} need no recording. Without other hooks a task whose tables are out of Java's reach
 * may train on the device alone ({@link ResidentForm}); losses are then asked for every so many
 * steps.
 *
 * <p>Thread safety: a trainer runs on the thread that calls {@link #train}, which must be a tensor
 * thread; any number of trainers may run at the same time.
 */
public final class Trainer {

  private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

  /** So many steps in a row without a finite loss mean that training has diverged. */
  private static final int MAX_BAD_STEPS = 20;

  /** Of so many steps on a device the losses are asked for at once, because asking waits for it. */
  private static final int STEPS_UNCOUNTED = 32;

  private final TrainingOptions options;
  private final List<StepHook> hooks;
  private final TrainingListener listener;
  private final @Nullable CheckpointOptions checkpoints;

  /**
   * A trainer.
   *
   * @param hooks what steers the steps, in order; their weights are multiplied
   * @param checkpoints where to save, or null not to
   */
  public Trainer(
      TrainingOptions options,
      List<StepHook> hooks,
      TrainingListener listener,
      @Nullable CheckpointOptions checkpoints) {
    this.options = options;
    this.hooks = List.copyOf(hooks);
    this.listener = listener;
    this.checkpoints = checkpoints;
  }

  /**
   * Trains until the last epoch, or until validation has not improved for the given patience. The
   * parameters are then those of the best epoch, or of the last one if there is no validation.
   *
   * @param model the lifetime of the task's parameters
   * @throws InvalidInputException if there are no examples, or a checkpoint is of another run
   * @throws SextantException if training diverges, or if the thread was interrupted: then after the
   *     step at hand, with a checkpoint if there is a place for one
   */
  public <B extends Batch> TrainingResult train(
      Scope model, LearningTask<B> task, @Nullable Validation validation) {
    if (task.numExamples() == 0) {
      throw new InvalidInputException("there is no example to train on");
    }
    try (Scope session = model.child();
        ModelParameters parameters = new ModelParameters(session, task.parameters(), options)) {
      return new Run<>(session, parameters, task, validation).run();
    }
  }

  private final class Run<B extends Batch> {
    private final Scope session;
    private final LearningTask<B> task;
    private final @Nullable Validation validation;
    private final ModelParameters parameters;
    private final @Nullable ClosedForm closedForm;
    private final @Nullable ResidentForm residentForm;
    private final List<ExampleWeigher> weighers = new ArrayList<>();
    private final @Nullable DivisibleTask<B> parts;
    private final GradientSum gradientSum;
    private final int stepsPerEpoch;
    private final long totalSteps;
    private TrainingState state = new TrainingState();
    private final long startNanos = System.nanoTime();
    private long lastCheckpointNanos = startNanos;
    private long validationNanos;
    private int stepsUncounted;
    private long examplesOfThisRun;

    Run(
        Scope session,
        ModelParameters parameters,
        LearningTask<B> task,
        @Nullable Validation validation) {
      this.session = session;
      this.parameters = parameters;
      this.task = task;
      this.validation = validation;
      for (StepHook hook : hooks) {
        if (hook instanceof ExampleWeigher weigher) {
          weighers.add(weigher);
        }
      }
      // Any other hook looks into the step, and only a recorded step can be looked into.
      boolean watched = weighers.size() < hooks.size();
      boolean whole = !parameters.cached();
      closedForm = whole && !watched && task instanceof ClosedForm.Task t ? t.closedForm() : null;
      residentForm =
          whole
                  && !watched
                  && task instanceof ResidentForm.Task t
                  && !(options.accumulate() > 1 && t.residentFormRecords())
              ? t.residentForm(session)
              : null;
      boolean recorded = closedForm == null && residentForm == null;
      parts = recorded && options.accumulate() > 1 ? divisible(task, watched) : null;
      gradientSum = new GradientSum(task.parameters());
      int perStep = options.examplesPerStep();
      stepsPerEpoch = task.numExamples() / perStep + (task.numExamples() % perStep == 0 ? 0 : 1);
      totalSteps = (long) stepsPerEpoch * options.epochs();
    }

    private static <B extends Batch> DivisibleTask<B> divisible(
        LearningTask<B> task, boolean watched) {
      if (watched) {
        throw new InvalidInputException(
            "accumulate must be 1 where a hook looks into steps: a step of several batches is never"
                + " recorded as a whole");
      }
      if (task instanceof DivisibleTask<B> divisible) {
        return divisible;
      }
      throw new InvalidInputException(
          "accumulate must be 1: the steps of %s cannot be divided"
              .formatted(task.getClass().getSimpleName()));
    }

    TrainingResult run() {
      for (ExampleWeigher weigher : weighers) {
        weigher.start(session, task, parameters, stepsPerEpoch);
      }
      if (checkpoints != null && checkpoints.resume()) {
        state = Checkpoint.load(checkpoints, parameters, weighers).orElse(state);
      }
      while (state.epoch < options.epochs() && !state.stopped) {
        runEpoch();
      }
      parameters.restoreBest();
      for (ExampleWeigher weigher : weighers) {
        weigher.finish(state.step);
      }
      return new TrainingResult(
          state.epoch,
          state.bestEpoch,
          state.step,
          state.skippedSteps,
          examplesPerSecond(),
          List.copyOf(state.meanLosses),
          List.copyOf(state.validations),
          List.copyOf(parameters.cacheReports()));
    }

    private void runEpoch() {
      int[] order = new int[task.numExamples()];
      Arrays.setAll(order, i -> i);
      new CounterRandom(options.seed(), "epoch-order", state.epoch).shuffle(order);
      if (residentForm != null) {
        residentForm.startEpoch(order, options.examplesPerStep());
      }
      while (state.step < (long) (state.epoch + 1) * stepsPerEpoch) {
        int perStep = options.examplesPerStep();
        int from = (int) (state.step - (long) state.epoch * stepsPerEpoch) * perStep;
        int to = (int) Math.min(order.length, (long) from + perStep);
        if (residentForm != null) {
          residentStep(residentForm, order, from, to);
        } else {
          step(Arrays.copyOfRange(order, from, to));
        }
        if (Thread.currentThread().isInterrupted()) {
          throw new SextantException(interrupted());
        }
        if (checkpointIsDue()) {
          save();
        }
      }
      endEpoch();
      save();
    }

    private void step(int[] examples) {
      float[] factors = null;
      for (ExampleWeigher weigher : weighers) {
        float[] more = weigher.weights(examples, state.step, state.epoch, factor());
        factors = factors == null ? more : product(factors, more);
      }
      if (closedForm != null) {
        closedFormStep(closedForm, examples, factors);
      } else if (parts != null && examples.length > options.batchSize()) {
        dividedStep(parts, examples, factors);
      } else {
        recordedStep(examples, factors);
      }
      listener.onStep(progress());
    }

    private void closedFormStep(ClosedForm form, int[] examples, float @Nullable [] factors) {
      ClosedForm.Result result = form.compute(examples, factors, state.step);
      if (Float.isFinite(result.loss())) {
        parameters.update(result.gradients(), examples.length, factor());
      }
      count(result.loss(), examples.length);
    }

    private void residentStep(ResidentForm form, int[] order, int from, int to) {
      long first = (long) state.epoch * task.numExamples() + from;
      ResidentForm.Position position = new ResidentForm.Position(from, to, first, state.step);
      form.step(position, weigher(order, from, to), parameters, factor());
      state.step++;
      stepsUncounted++;
      state.lossCount += to - from;
      examplesOfThisRun += to - from;
      if (stepsUncounted == STEPS_UNCOUNTED) {
        countResidentSteps();
      }
      listener.onStep(progress());
    }

    /** What weighs a step on the device, all weighers together. */
    private ResidentForm.@Nullable Weigher weigher(int[] order, int from, int to) {
      ResidentForm.Weigher all = null;
      for (ExampleWeigher weigher : weighers) {
        ResidentForm.Weigher more =
            weigher.onDevice(
                Arrays.copyOfRange(order, from, to), state.step, state.epoch, factor());
        all = all == null ? more : all.times(more);
      }
      return all;
    }

    /** Asks the device for the losses of the steps since the last call. */
    private void countResidentSteps() {
      if (residentForm == null || stepsUncounted == 0) {
        return;
      }
      ResidentLosses.Totals totals = residentForm.takeTotals();
      state.lossSum += totals.lossSum();
      state.lossCount -= totals.badExamples();
      state.skippedSteps += totals.badSteps();
      state.badStepsInARow = totals.badRun();
      if (totals.badSteps() > 0) {
        LOG.warn(
            "{} of the last {} steps up to {} are skipped: their losses are not finite",
            totals.badSteps(),
            stepsUncounted,
            state.step);
        requireSomeGood(totals.longestBadRun());
      }
      stepsUncounted = 0;
    }

    private void recordedStep(int[] examples, float @Nullable [] factors) {
      try (Scope scope = session.child()) {
        B batch = weighed(scope, task.prepare(scope, examples, state.step), factors);
        ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
        TrainingStep<B> step = new TrainingStep<>(task, scope, batch, leaves, state.step);
        NDArray weights = weights(scope, batch);
        for (StepHook hook : hooks) {
          NDArray more = hook.exampleWeights(step);
          if (more != null) {
            weights = weights == null ? more : weights.mul(more);
          }
        }
        float loss = differentiate(batch, leaves, weights);
        if (Float.isFinite(loss)) {
          parameters.update(scope, batch, leaves, factor());
        }
        count(loss, examples.length);
        for (StepHook hook : hooks) {
          hook.afterStep(step, loss);
        }
      }
    }

    /** A step whose batches are recorded one after the other, and whose gradients are summed. */
    private void dividedStep(DivisibleTask<B> parts, int[] examples, float @Nullable [] factors) {
      try (Scope scope = session.child()) {
        gradientSum.clear();
        double loss = 0;
        int row = 0;
        for (int from = 0; from < examples.length; from += options.batchSize()) {
          int to = (int) Math.min(examples.length, (long) from + options.batchSize());
          float share = (float) (to - from) / examples.length;
          float[] ofPart = null;
          if (factors != null && task instanceof InteractionTask<B> rows) {
            int end = row + rows.rowsOf(Arrays.copyOfRange(examples, from, to)).length;
            ofPart = Arrays.copyOfRange(factors, row, end);
            row = end;
          }
          try (Scope part = scope.child()) {
            B batch = weighed(part, parts.prepare(part, examples, from, to, state.step), ofPart);
            ModelParameters.Leaves leaves = parameters.leaves(part, batch);
            float ofBatch = differentiate(batch, leaves, weights(part, batch));
            loss += (double) share * ofBatch;
            if (!Float.isFinite(ofBatch)) {
              break;
            }
            gradientSum.add(scope, batch, leaves, share);
          }
        }
        if (Double.isFinite(loss)) {
          parameters.update(scope, gradientSum, examples.length, factor());
        }
        count((float) loss, examples.length);
      }
    }

    /** The mean loss, whose gradients the leaves have then, if it is finite. */
    private float differentiate(B batch, ModelParameters.Leaves leaves, @Nullable NDArray weights) {
      try (Grad grad = Grad.record()) {
        NDArray perExample = task.loss(leaves.values(), batch);
        NDArray mean = weights == null ? perExample.mean() : perExample.mul(weights).mean();
        float loss = mean.getFloat();
        if (Float.isFinite(loss)) {
          grad.backward(mean);
        }
        return loss;
      }
    }

    /** The schedule's factor on the step sizes. */
    private float factor() {
      return options.schedule().factor(state.step, totalSteps);
    }

    /** Counts a step that was made, or skipped for its loss. */
    private void count(float loss, int examples) {
      if (Float.isFinite(loss)) {
        state.badStepsInARow = 0;
        state.lossSum += (double) loss * examples;
        state.lossCount += examples;
      } else {
        skip(loss);
      }
      state.step++;
      examplesOfThisRun += examples;
    }

    private B weighed(Scope scope, B batch, float @Nullable [] factors) {
      return factors != null && task instanceof InteractionTask<B> rows
          ? rows.weighed(scope, batch, factors)
          : batch;
    }

    /** The examples' own weights; null if all are 1. */
    private @Nullable NDArray weights(Scope scope, B batch) {
      float[] own = batch.weights();
      boolean plain = true;
      for (float weight : own) {
        plain &= weight == 1;
      }
      return plain ? null : HostArrays.floats(scope.manager(), own, own.length);
    }

    private static float[] product(float[] a, float @Nullable [] b) {
      if (b == null) {
        return a;
      }
      float[] product = new float[a.length];
      for (int i = 0; i < a.length; i++) {
        product[i] = a[i] * b[i];
      }
      return product;
    }

    private void skip(float loss) {
      state.skippedSteps++;
      LOG.warn("step {} is skipped: its loss is {}", state.step, loss);
      requireSomeGood(++state.badStepsInARow);
    }

    private void requireSomeGood(int badStepsInARow) {
      if (badStepsInARow >= MAX_BAD_STEPS) {
        throw new SextantException(
            ("training has diverged: the loss was not finite for %d steps in a row up to step %d;"
                    + " use smaller learning rates or clipNorm%s")
                .formatted(
                    MAX_BAD_STEPS,
                    state.step,
                    checkpoints == null
                        ? ""
                        : "; the last good checkpoint is " + checkpoints.file()));
      }
    }

    private void endEpoch() {
      countResidentSteps();
      double meanLoss = state.lossCount == 0 ? Double.NaN : state.lossSum / state.lossCount;
      Map<String, Double> metrics = Map.of();
      boolean better = true;
      if (validation != null) {
        long start = System.nanoTime();
        parameters.writeBack();
        metrics = validate(validation);
        validationNanos += System.nanoTime() - start;
        Double objective = metrics.get(validation.objective());
        if (objective == null) {
          throw new IllegalStateException(
              "validation gives " + metrics.keySet() + " but not " + validation.objective());
        }
        double score = validation.higherIsBetter() ? objective : -objective;
        better = score > state.bestScore;
        if (better) {
          state.bestScore = score;
          parameters.keepBest();
        }
      }
      if (better) {
        state.bestEpoch = state.epoch;
      }
      for (ExampleWeigher weigher : weighers) {
        weigher.endEpoch();
      }
      state.meanLosses.add(meanLoss);
      state.validations.add(metrics);
      listener.onEpoch(state.epoch, meanLoss, metrics, better);
      state.stopped =
          validation != null
              && options.patience() > 0
              && state.epoch - state.bestEpoch >= options.patience();
      state.epoch++;
      state.lossSum = 0;
      state.lossCount = 0;
    }

    private Map<String, Double> validate(Validation how) {
      try {
        return Map.copyOf(how.evaluate());
      } catch (RuntimeException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw new SextantException(interrupted(), e);
        }
        throw e;
      }
    }

    /** Saves where training stands, between two steps, and gives a message of how to go on. */
    private String interrupted() {
      save();
      String saved =
          checkpoints == null
              ? "nothing was saved, because no checkpoint file was given"
              : "resume it from the checkpoint " + checkpoints.file();
      return "training was interrupted at step %d of %d: %s"
          .formatted(state.step, totalSteps, saved);
    }

    private boolean checkpointIsDue() {
      return checkpoints != null
          && System.nanoTime() - lastCheckpointNanos >= checkpoints.interval().toNanos();
    }

    private void save() {
      if (checkpoints != null) {
        countResidentSteps();
        saveUninterrupted(checkpoints);
        lastCheckpointNanos = System.nanoTime();
        listener.onCheckpoint(progress());
      }
    }

    /** A channel closes itself when its thread is interrupted, which must cost no checkpoint. */
    private void saveUninterrupted(CheckpointOptions place) {
      boolean interrupted = Thread.interrupted();
      try {
        Checkpoint.save(place, parameters, weighers, state);
      } catch (SextantException e) {
        if (!Thread.interrupted()) {
          throw e;
        }
        interrupted = true;
        Checkpoint.save(place, parameters, weighers, state);
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }

    private TrainingProgress progress() {
      double rate = examplesPerSecond();
      double examplesLeft = (double) (totalSteps - state.step) / stepsPerEpoch * task.numExamples();
      Duration remaining =
          rate > 0 ? Duration.ofMillis((long) (1000 * examplesLeft / rate)) : Duration.ZERO;
      int epoch = (int) Math.min(options.epochs() - 1L, state.step / stepsPerEpoch);
      return new TrainingProgress(epoch, state.step, totalSteps, rate, remaining);
    }

    private double examplesPerSecond() {
      double seconds = (System.nanoTime() - startNanos - validationNanos) * 1e-9;
      return seconds > 0 ? examplesOfThisRun / seconds : 0;
    }
  }

  /** Where training stands: everything that is not a tensor. */
  static final class TrainingState {
    int epoch;
    long step;
    int bestEpoch = -1;
    double bestScore = Double.NEGATIVE_INFINITY;
    long skippedSteps;
    int badStepsInARow;
    double lossSum;
    long lossCount;
    boolean stopped;
    List<Double> meanLosses = new ArrayList<>();
    List<Map<String, Double>> validations = new ArrayList<>();
  }
}
