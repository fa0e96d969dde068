package io.sextant.train;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A policy that weighs the interactions that a two-tower or sequence model learns from while it
 * trains, so that what it learns lowers the loss of trusted interactions, the meta set
 * (Meta-Weight-Net: Shu et al., NeurIPS 2019, arXiv:1902.07379, in first-order form). Of a sequence
 * each target has a weight of its own; what a model reads as history is not weighed.
 *
 * <p>At every m-th batch the model looks ahead (see {@link LookAhead}): the derivative of the meta
 * loss by each example's weight, scaled to mean size 1, is a gradient for the policy's outputs.
 * Then the batch is weighed with the new policy, and the step is made as ever. Weights are twice
 * the policy's output, in (0, 2), and start at 1.
 *
 * <p>Deviations from the source: the meta batch is drawn from the users and items of the batch,
 * because ids that do not meet say nothing of each other; the optimizer's diagonal is part of the
 * look-ahead; the policy sees features of the interaction and, only if asked, the loss.
 *
 * <p>Do no harm: the same gain is measured on a guard, interactions from which the policy does not
 * learn. The policy stops where the guard's gain no longer grows and is put back to its best; if it
 * is clearly below zero over at least 30 looks, or if all weights go to zero together, weights are
 * 1 from then on; and at the end if the gain was never clearly above zero. (The first few looks say
 * little: they all see the same first guess of a policy that knows nothing yet.)
 *
 * <p>A policy step costs about two plain steps; the batch that it has looked at need not be drawn
 * and scored again for the real step. It belongs to one run of one trainer and to its thread;
 * afterwards {@link #weights()} and {@link #report()} tell what was learned.
 */
public final class ExampleWeighting implements ExampleWeigher {

  private static final Logger LOG = LoggerFactory.getLogger(ExampleWeighting.class);
  private static final Gson GSON = new GsonBuilder().serializeSpecialFloatingPointValues().create();

  /** The guard is asked at every so many steps of the policy, with half as many examples. */
  private static final int GUARD_EVERY = 2;

  /** Looks at the guard, over whole epochs, before weights can be called harmful. */
  private static final int MIN_EVIDENCE = 30;

  private static final int MAX_BAD_STEPS = 20;
  private static final int ROWS_AT_ONCE = 4096;

  private final WeightingOptions options;
  private final ExampleFeatures features;
  private final Interactions metaSet;
  private final @Nullable Interactions guardSet;
  private State state = new State();
  private @Nullable Run run;
  private float @Nullable [] weights;
  private @Nullable WeightReport report;

  /**
   * A weighting for one run.
   *
   * @param metaSet trusted interactions over the same users and items, not among those to train on
   * @param guardSet more of them, to be judged by and not learned from; null for none
   */
  public ExampleWeighting(
      WeightingOptions options,
      ExampleFeatures features,
      Interactions metaSet,
      @Nullable Interactions guardSet) {
    this.options = options;
    this.features = features;
    this.metaSet = metaSet;
    this.guardSet = guardSet;
  }

  /**
   * The weight of each training interaction (n), with mean 1, as the policy gives it at the end.
   *
   * @throws IllegalStateException before the run has ended
   */
  public float[] weights() {
    return ended(weights).clone();
  }

  /**
   * What the policy has done.
   *
   * @throws IllegalStateException before the run has ended
   */
  public WeightReport report() {
    return ended(report);
  }

  private static <T> T ended(@Nullable T result) {
    if (result == null) {
      throw new IllegalStateException("the run of this weighting has not ended");
    }
    return result;
  }

  @Override
  public void start(
      Scope session, LearningTask<?> task, ModelParameters parameters, int stepsPerEpoch) {
    if (!(task instanceof InteractionTask<?> learns)) {
      throw new InvalidInputException(
          "weights are learned with a model that learns from interactions; fit others to the weights that it has learned");
    }
    if (run != null) {
      throw new IllegalStateException("a weighting serves one run");
    }
    run = new Run(session, learns, parameters);
  }

  private Run started() {
    if (run == null) {
      throw new IllegalStateException("the run of this weighting has not begun");
    }
    return run;
  }

  @Override
  public float @Nullable [] weights(int[] examples, long step, int epoch, float factor) {
    if (epoch < options.warmUpEpochs() || state.outcome != WeightReport.Outcome.LEARNED) {
      return null;
    }
    Run now = started();
    int[] rows = now.task.rowsOf(examples);
    WeightPolicy.Inputs inputs = now.policy.inputs(rows, step);
    if (state.learning && step % options.every() == 0) {
      now.learn(inputs, examples, rows, step, factor);
    }
    float[] factors = now.policy.outputs(inputs);
    if (mean(factors) < options.collapse()) {
      collapse();
    }
    return state.outcome == WeightReport.Outcome.LEARNED ? factors : null;
  }

  @Override
  public ResidentForm.@Nullable Weigher onDevice(
      int[] examples, long step, int epoch, float factor) {
    if (epoch < options.warmUpEpochs() || state.outcome != WeightReport.Outcome.LEARNED) {
      return null;
    }
    Run now = started();
    if (state.learning && step % options.every() == 0) {
      settle();
      if (state.learning) {
        int[] rows = now.task.rowsOf(examples);
        now.learn(now.policy.inputs(rows, step), examples, rows, step, factor);
      }
    }
    return state.outcome == WeightReport.Outcome.LEARNED ? now.policy.onDevice() : null;
  }

  /** Asks the device what has become of the weights since it was last asked. */
  private void settle() {
    if (state.outcome == WeightReport.Outcome.LEARNED && started().policy.collapsedOnDevice()) {
      collapse();
    }
  }

  private void collapse() {
    end(WeightReport.Outcome.COLLAPSED, "all weights went to zero together");
  }

  /** Weights are 1 from now on. */
  private void end(WeightReport.Outcome outcome, String why) {
    LOG.warn("training goes on with weights of one: {}", why);
    state.outcome = outcome;
    state.learning = false;
  }

  @Override
  public void endEpoch() {
    settle();
    Gains now = state.gains;
    state.metaGains.add(now.meta.mean());
    state.guardGains.add(now.guard.mean());
    state.gains = new Gains();
    if (!state.learning || now.guard.count == 0) {
      return;
    }
    state.evidence.add(now.guard);
    if (state.evidence.count >= MIN_EVIDENCE) {
      if (state.evidence.mean() + 2 * state.evidence.standardError() < 0) {
        end(WeightReport.Outcome.HARMFUL, "they raise the loss of the guard set");
        return;
      }
      state.evidence = new Moments();
    }
    state.paid |= now.guard.mean() - 2 * now.guard.standardError() > 0;
    state.judged = true;
    if (now.guard.mean() > state.bestGain) {
      state.bestGain = now.guard.mean();
      state.epochsWithoutGain = 0;
      started().policy.parameters().keepBest();
    } else if (++state.epochsWithoutGain == options.patience()) {
      state.learning = false;
      started().policy.parameters().restoreBest();
    }
  }

  @Override
  public void finish(long steps) {
    Run now = started();
    if (state.outcome == WeightReport.Outcome.LEARNED && state.policySteps == 0) {
      state.outcome = WeightReport.Outcome.NOT_BEGUN;
    }
    if (state.outcome == WeightReport.Outcome.LEARNED && state.judged && !state.paid) {
      end(WeightReport.Outcome.NO_GAIN, "they were not seen to lower the loss of the guard set");
    }
    int n = now.train.size();
    float[] all = new float[n];
    List<WeightReport.Feature> drivers = List.of();
    if (state.outcome == WeightReport.Outcome.LEARNED) {
      now.policy.parameters().restoreBest();
      double sum = 0;
      for (int from = 0; from < n; from += ROWS_AT_ONCE) {
        float[] some =
            now.policy.outputs(
                now.policy.inputs(range(from, Math.min(n, from + ROWS_AT_ONCE)), steps));
        System.arraycopy(some, 0, all, from, some.length);
        for (float weight : some) {
          sum += weight;
        }
      }
      if (sum < (double) options.collapse() * n) {
        collapse();
      }
      float scale = (float) (n / sum);
      for (int row = 0; row < n; row++) {
        all[row] *= scale;
      }
      drivers = now.policy.drivers(scale, steps);
    }
    if (state.outcome != WeightReport.Outcome.LEARNED) {
      Arrays.fill(all, 1);
      drivers = List.of();
    }
    weights = all;
    report =
        new WeightReport(
            state.outcome,
            state.policySteps,
            state.skippedSteps,
            state.metaGains,
            state.guardGains,
            WeightReport.quantiles(all),
            WeightReport.effectiveShare(all),
            drivers);
    run = null;
  }

  /** The numbers from one up to another. */
  static int[] range(int from, int to) {
    int[] range = new int[to - from];
    Arrays.setAll(range, i -> from + i);
    return range;
  }

  static double mean(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  @Override
  public List<TensorSource> sources() {
    return started().policy.parameters().sources();
  }

  @Override
  public Map<String, String> counters() {
    settle();
    Map<String, String> counters = started().policy.parameters().counters();
    counters.put("sextant.weighting", GSON.toJson(state));
    return counters;
  }

  @Override
  public void restore(StoredTensors stored, Map<String, String> counters) {
    State saved = GSON.fromJson(counters.get("sextant.weighting"), State.class);
    if (saved == null) {
      throw new InvalidInputException(
          "the checkpoint is of a run without a policy that weighs examples: train without --resume, or remove it");
    }
    started().policy.parameters().restore(stored, counters);
    state = saved;
  }

  /** Where the learning of weights stands. */
  private static final class State {
    WeightReport.Outcome outcome = WeightReport.Outcome.LEARNED;
    boolean learning = true;
    long policySteps;
    long skippedSteps;
    int badStepsInARow;
    boolean judged;
    boolean paid;
    double bestGain = Double.NEGATIVE_INFINITY;
    int epochsWithoutGain;
    Gains gains = new Gains();
    Moments evidence = new Moments();
    List<Double> metaGains = new ArrayList<>();
    List<Double> guardGains = new ArrayList<>();
  }

  /** Gains of an epoch. */
  private static final class Gains {
    Moments meta = new Moments();
    Moments guard = new Moments();
  }

  /** Mean and spread of numbers. */
  private static final class Moments {
    int count;
    double sum;
    double squares;

    void add(double x) {
      count++;
      sum += x;
      squares += x * x;
    }

    void add(Moments other) {
      count += other.count;
      sum += other.sum;
      squares += other.squares;
    }

    double mean() {
      return count == 0 ? Double.NaN : sum / count;
    }

    double standardError() {
      return Math.sqrt(Math.max(0, squares / count - mean() * mean()) / count);
    }
  }

  /**
   * Trusted interactions that judge.
   *
   * @param stream of their draws
   * @param task that learns from them
   */
  private record Judges(String stream, MetaRows rows, InteractionTask<?> task) {}

  /** What lives as long as the run. */
  private final class Run {
    private final InteractionTask<?> task;
    private final Interactions train;
    private final WeightPolicy policy;
    private final Judges meta;
    private final @Nullable Judges guard;
    private final LookAhead lookAhead;

    <B extends Batch> Run(Scope session, InteractionTask<B> task, ModelParameters parameters) {
      this.task = task;
      train = task.interactions();
      MetaRows metaRows = MetaRows.of("meta set", train, metaSet);
      InteractionTask<B> metaTask = task.over(metaRows.interactions(), seed("meta"));
      meta = new Judges("meta-batch", metaRows, metaTask);
      InteractionTask<B> guardTask = null;
      if (guardSet == null) {
        guard = null;
      } else {
        MetaRows guardRows = MetaRows.of("guard set", train, guardSet);
        guardTask = task.over(guardRows.interactions(), seed("guard"));
        guard = new Judges("guard-batch", guardRows, guardTask);
      }
      lookAhead = LookAhead.of(session, task, metaTask, guardTask, parameters);
      policy = new WeightPolicy(session, options, features, train, lookAhead::losses);
    }

    private long seed(String stream) {
      return new CounterRandom(options.seed(), stream, 0).nextLong();
    }

    /** One step of the policy. */
    void learn(WeightPolicy.Inputs inputs, int[] examples, int[] rows, long step, float factor) {
      int size = Math.min(examples.length, options.metaBatchSize());
      int[] judges = draw(meta, rows, size, step);
      if (judges.length == 0) {
        return;
      }
      float ahead = factor * options.lookAhead();
      boolean learned =
          policy.step(inputs, weights -> slopes(examples, rows, weights, judges, step, ahead));
      if (learned) {
        state.policySteps++;
      }
    }

    /**
     * The derivative by each weight, brought to mean size 1; null where nothing is to be learned.
     */
    private float @Nullable [] slopes(
        int[] examples, int[] rows, float[] weights, int[] judges, long step, float ahead) {
      int guardSize = Math.max(1, judges.length / 2);
      Judges guards = state.policySteps % GUARD_EVERY == 0 ? guard : null;
      int[] others = guards == null ? new int[0] : draw(guards, rows, guardSize, step);
      LookAhead.Slopes slopes = lookAhead.slopes(examples, weights, judges, others, step, ahead);
      double size = meanSize(slopes.perRow());
      if (!Double.isFinite(slopes.metaLoss()) || !Double.isFinite(size)) {
        skip();
        return null;
      }
      state.badStepsInARow = 0;
      if (size == 0) {
        return null;
      }
      state.gains.meta.add(gain(slopes, weights));
      if (others.length > 0) {
        double gain = gain(lookAhead.guardSlopes(), weights);
        if (Double.isFinite(gain)) {
          state.gains.guard.add(gain);
        }
      }
      float[] scaled = slopes.perRow().clone();
      float scale = (float) (1 / (size * scaled.length));
      for (int p = 0; p < scaled.length; p++) {
        scaled[p] *= scale;
      }
      return scaled;
    }

    /** Examples that judge a batch which learns from these rows. */
    private int[] draw(Judges judges, int[] rows, int size, long step) {
      CounterRandom random = new CounterRandom(options.seed(), judges.stream, step);
      return judges.task.examplesOf(
          judges.rows.draw(train, policy.userOfRow(), rows, size, random));
    }

    private void skip() {
      state.skippedSteps++;
      if (++state.badStepsInARow >= MAX_BAD_STEPS) {
        end(WeightReport.Outcome.DIVERGED, "losses of the look-ahead were not finite");
      }
    }

    /** What the differences between the weights take from the loss, to first order. */
    private static double gain(LookAhead.Slopes slopes, float[] weights) {
      double mean = mean(weights);
      double gain = 0;
      for (int p = 0; p < weights.length; p++) {
        gain -= slopes.perRow()[p] * (weights[p] - mean);
      }
      return Double.isFinite(slopes.metaLoss()) ? gain : Double.NaN;
    }

    private static double meanSize(float[] slopes) {
      double sum = 0;
      for (float slope : slopes) {
        sum += Math.abs(slope);
      }
      return sum / slopes.length;
    }
  }
}
