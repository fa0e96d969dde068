package io.sextant.train;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A policy that sets how a two-tower or sequence model steps: the step sizes of its three parameter
 * groups, {@code alpha = alpha_max y} with y in (0, 1) from the policy, and the weights of its
 * objectives, one for each type of event. What it learns lowers the loss of trusted interactions,
 * the meta set.
 *
 * <p>Once or a few times an epoch the policy makes a step: the slope of the meta loss along what
 * each group has moved since the last ({@link RateWindow}) is its gradient for the group's output,
 * as a cosine, so that it means the same whatever the loss; and the slope by each example's weight
 * ({@link LookAhead}), summed by type, for the type's. Weights of types are scaled to mean 1 over
 * the examples, which leaves the size of steps to the rates.
 *
 * <p>Rates that lower the loss most within a step or a few are too small for a training (Wu et al.,
 * ICLR 2018, arXiv:1803.02021): hence windows as long as an epoch. What a start far too high has
 * spoilt, or one far too low has lost, no later rate makes good: begin anew with the rates of the
 * {@linkplain #report report}, which are means over the run, since the last ones of a run suit its
 * end.
 *
 * <p>Do no harm: where losses of the meta set are not finite, step sizes go back to those that the
 * training was given; the guard, interactions from which the policy does not learn, tells whether
 * the run has led anywhere. Whether rates are better than others is for a comparison of whole
 * trainings to say.
 *
 * <p>A policy step costs about a plain step, and some three more with objectives. It belongs to one
 * run of one trainer and to its thread.
 */
public final class StepPolicy implements ExampleWeigher {

  private static final Logger LOG = LoggerFactory.getLogger(StepPolicy.class);
  private static final Gson GSON = new GsonBuilder().serializeSpecialFloatingPointValues().create();

  /** The guard is asked at every so many steps of the policy. */
  private static final int GUARD_EVERY = 2;

  private static final int MAX_BAD_STEPS = 5;

  private final StepPolicyOptions options;
  private final Interactions metaSet;
  private final @Nullable Interactions guardSet;
  private State state = new State();
  private @Nullable Run run;
  private @Nullable StepPolicyReport report;

  /**
   * A policy for one run.
   *
   * @param metaSet trusted interactions over the same users and items, not among those to train on
   * @param guardSet more of them, to be judged by and not learned from; null for none
   */
  public StepPolicy(
      StepPolicyOptions options, Interactions metaSet, @Nullable Interactions guardSet) {
    this.options = options;
    this.metaSet = metaSet;
    this.guardSet = guardSet;
  }

  /**
   * What the policy has done.
   *
   * @throws IllegalStateException before the run has ended
   */
  public StepPolicyReport report() {
    if (report == null) {
      throw new IllegalStateException("the run of this policy has not ended");
    }
    return report;
  }

  private Run started() {
    if (run == null) {
      throw new IllegalStateException("the run of this policy has not begun");
    }
    return run;
  }

  @Override
  public void start(
      Scope session, LearningTask<?> task, ModelParameters parameters, int stepsPerEpoch) {
    if (!(task instanceof InteractionTask<?> learns)) {
      throw new InvalidInputException(
          "step sizes and objectives are learned with a model that learns from interactions; give others fixed ones");
    }
    if (run != null) {
      throw new IllegalStateException("a policy serves one run");
    }
    run = new Run(session, learns, parameters, stepsPerEpoch);
  }

  @Override
  public float @Nullable [] weights(int[] examples, long step, int epoch, float factor) {
    Run now = started();
    int[] rows = now.task.rowsOf(examples);
    if (step % now.horizon == 0) {
      now.turn(examples, rows, step, factor);
    }
    return now.weightsOf(rows);
  }

  @Override
  public ResidentForm.@Nullable Weigher onDevice(
      int[] examples, long step, int epoch, float factor) {
    Run now = started();
    if (step % now.horizon == 0) {
      now.turn(examples, now.task.rowsOf(examples), step, factor);
    }
    return now.weightsOnDevice();
  }

  @Override
  public void endEpoch() {
    state.epochs.add(state.epoch.report(started().types()));
    state.epoch = new Sums();
  }

  @Override
  public void finish(long steps) {
    Run now = started();
    now.window.close();
    if (state.outcome == StepPolicyReport.Outcome.LEARNED && state.policySteps == 0) {
      state.outcome = StepPolicyReport.Outcome.NOT_BEGUN;
    }
    if (state.outcome == StepPolicyReport.Outcome.LEARNED && !state.epochs.isEmpty()) {
      double guard = state.epochs.get(state.epochs.size() - 1).guardLoss();
      if (guard >= state.guardAtStart) {
        LOG.warn("the guard's loss is {} and was {} before training", guard, state.guardAtStart);
        state.outcome = StepPolicyReport.Outcome.HARMFUL;
      }
    }
    StepPolicyReport.Epoch all = state.all.report(now.types());
    report =
        new StepPolicyReport(
            state.outcome,
            state.policySteps,
            state.skippedSteps,
            now.start,
            all.rates(),
            all.objectives(),
            state.epochs);
    run = null;
  }

  @Override
  public List<TensorSource> sources() {
    Run now = started();
    List<TensorSource> sources = new ArrayList<>(now.network.parameters().sources());
    sources.addAll(now.window.sources());
    return sources;
  }

  @Override
  public Map<String, String> counters() {
    Map<String, String> counters = started().network.parameters().counters();
    counters.put("sextant.steps", GSON.toJson(state));
    return counters;
  }

  @Override
  public void restore(StoredTensors stored, Map<String, String> counters) {
    State saved = GSON.fromJson(counters.get("sextant.steps"), State.class);
    if (saved == null) {
      throw new InvalidInputException(
          "the checkpoint is of a run without a policy that sets step sizes: train without --resume, or remove it");
    }
    Run now = started();
    now.network.parameters().restore(stored, counters);
    now.window.restore(stored);
    state = saved;
    now.setRates();
  }

  /** Where the learning stands. */
  private static final class State {
    StepPolicyReport.Outcome outcome = StepPolicyReport.Outcome.LEARNED;
    boolean learning = true;
    long policySteps;
    long skippedSteps;
    int badStepsInARow;
    long windowStart;
    double guardAtStart = Double.NaN;
    double[] outputs = new double[0];
    double[] typeSlopes = new double[0];
    float[] rates = new float[0];
    float[] typeWeights = new float[0];
    Sums epoch = new Sums();
    Sums all = new Sums();
    List<StepPolicyReport.Epoch> epochs = new ArrayList<>();
  }

  /** What is to be averaged. */
  private static final class Sums {
    int count;
    double[] logRates = new double[NamedParameter.Group.values().length];
    double[] typeWeights = new double[0];
    int metaCount;
    double metaLoss;
    int guardCount;
    double guardLoss;

    void add(float[] rates, float[] weights) {
      count++;
      typeWeights = Arrays.copyOf(typeWeights, weights.length);
      for (int group = 0; group < logRates.length; group++) {
        logRates[group] += Math.log(rates[group]);
      }
      for (int type = 0; type < weights.length; type++) {
        typeWeights[type] += weights[type];
      }
    }

    StepPolicyReport.Epoch report(List<EventType> types) {
      Map<EventType, Double> weights = new EnumMap<>(EventType.class);
      for (int type = 0; type < typeWeights.length; type++) {
        weights.put(types.get(type), typeWeights[type] / count);
      }
      return new StepPolicyReport.Epoch(
          new StepPolicyReport.Rates(
              rate(NamedParameter.Group.DENSE),
              rate(NamedParameter.Group.USER),
              rate(NamedParameter.Group.ITEM)),
          weights,
          metaLoss / metaCount,
          guardLoss / guardCount);
    }

    private double rate(NamedParameter.Group group) {
      return Math.exp(logRates[group.ordinal()] / count);
    }
  }

  /** What lives as long as the run. */
  private final class Run {
    private final InteractionTask<?> task;
    private final InteractionTask<?> judge;
    private final @Nullable InteractionTask<?> guardJudge;
    private final Interactions train;
    private final int[] userOfRow;
    private final ModelParameters parameters;
    private final int stepsPerEpoch;
    private final int horizon;
    private final StepPolicyReport.Rates start;
    private final float[] startRates = new float[NamedParameter.Group.values().length];
    private final List<NamedParameter.Group> groups = new ArrayList<>();
    private final @Nullable EventTypeWeights objectives;
    private final StepPolicyNetwork network;
    private final MetaRows metaRows;
    private final @Nullable MetaRows guardRows;
    private final @Nullable MetaGradient guard;
    private final LookAhead lookAhead;
    private final RateWindow window;
    private final Scope session;
    private @Nullable ResidentTypeWeights onDevice;

    <B extends Batch> Run(
        Scope session, InteractionTask<B> task, ModelParameters parameters, int stepsPerEpoch) {
      this.session = session;
      this.task = task;
      this.train = task.interactions();
      this.userOfRow = train.userOfRow();
      this.parameters = parameters;
      this.stepsPerEpoch = stepsPerEpoch;
      horizon = Math.max(1, stepsPerEpoch / options.windows());
      start =
          new StepPolicyReport.Rates(
              parameters.rateOf(NamedParameter.Group.DENSE),
              parameters.rateOf(NamedParameter.Group.USER),
              parameters.rateOf(NamedParameter.Group.ITEM));
      for (NamedParameter.Group group : NamedParameter.Group.values()) {
        startRates[group.ordinal()] = parameters.rateOf(group);
      }
      state.rates = startRates.clone();
      if (options.rates()) {
        chooseGroups(task);
      }
      EventTypeWeights byType = new EventTypeWeights(train);
      objectives = options.objectives() && byType.types().size() > 1 ? byType : null;
      double[] starts =
          new double[groups.size() + (objectives == null ? 0 : byType.types().size())];
      if (starts.length == 0) {
        throw new InvalidInputException(
            "there is nothing for a policy to set: all step sizes are 0 or kept, and all interactions are of one type");
      }
      Arrays.fill(starts, 0.5);
      for (int g = 0; g < groups.size(); g++) {
        starts[g] = startOf(groups.get(g));
      }
      network = new StepPolicyNetwork(session, options, starts);
      metaRows = MetaRows.of("meta set", train, metaSet);
      InteractionTask<B> judging = task.over(metaRows.interactions(), seed("meta"));
      judge = judging;
      lookAhead = LookAhead.of(session, task, judging, null, parameters);
      window = new RateWindow(MetaGradient.of(session, judging, parameters), task.parameters());
      Interactions judges = guardSet;
      guardRows = judges == null ? null : MetaRows.of("guard set", train, judges);
      InteractionTask<B> guarding =
          guardRows == null ? null : task.over(guardRows.interactions(), seed("guard"));
      guardJudge = guarding;
      guard = guarding == null ? null : MetaGradient.of(session, guarding, parameters);
    }

    private long seed(String stream) {
      return new CounterRandom(options.seed(), stream, 0).nextLong();
    }

    /** A group without parameters or with step size 0 stays as it is. */
    private void chooseGroups(LearningTask<?> task) {
      TreeSet<NamedParameter.Group> present = new TreeSet<>();
      for (NamedParameter parameter : task.parameters()) {
        if (parameters.rateOf(parameter.group()) > 0) {
          present.add(parameter.group());
        }
      }
      groups.addAll(present);
    }

    private double startOf(NamedParameter.Group group) {
      double rate = parameters.rateOf(group);
      if (rate >= limitOf(group)) {
        throw new InvalidInputException(
            "the policy's largest rate of %s parameters is %s, so training must start with a smaller one but starts with %s"
                .formatted(group.name().toLowerCase(Locale.ROOT), limitOf(group), rate));
      }
      return rate / limitOf(group);
    }

    private float limitOf(NamedParameter.Group group) {
      return switch (group) {
        case USER -> options.maxUserLearningRate();
        case ITEM -> options.maxItemLearningRate();
        case DENSE -> options.maxLearningRate();
      };
    }

    List<EventType> types() {
      return objectives == null ? List.of() : objectives.types();
    }

    private double age(long step) {
      return (double) step / stepsPerEpoch;
    }

    /** Sets step sizes and weights of types for the next steps. */
    void act(long step) {
      if (state.outcome == StepPolicyReport.Outcome.LEARNED) {
        state.outputs = network.outputs(age(step));
        double[] first = network.outputsAtStart();
        for (int g = 0; g < groups.size(); g++) {
          // alpha_max y, in a form that gives the very start as long as nothing was learned.
          state.rates[groups.get(g).ordinal()] =
              (float) (startRates[groups.get(g).ordinal()] * (state.outputs[g] / first[g]));
        }
        if (objectives != null) {
          state.typeWeights =
              objectives.weights(
                  Arrays.copyOfRange(state.outputs, groups.size(), state.outputs.length));
        }
      }
      setRates();
      state.epoch.add(state.rates, state.typeWeights);
      state.all.add(state.rates, state.typeWeights);
    }

    void setRates() {
      for (NamedParameter.Group group : NamedParameter.Group.values()) {
        parameters.setRate(group, state.rates[group.ordinal()]);
      }
    }

    float @Nullable [] weightsOf(int[] rows) {
      return objectives == null || state.outcome != StepPolicyReport.Outcome.LEARNED
          ? null
          : objectives.ofRows(rows, state.typeWeights);
    }

    ResidentForm.@Nullable Weigher weightsOnDevice() {
      if (objectives == null || state.outcome != StepPolicyReport.Outcome.LEARNED) {
        return null;
      }
      if (onDevice == null) {
        onDevice = new ResidentTypeWeights(session, objectives.typeOfRow());
      }
      return onDevice.with(state.typeWeights);
    }

    /** Learns from the window that ends here, acts on it and begins another. */
    void turn(int[] examples, int[] rows, long step, float factor) {
      if (window.isOpen()) {
        learn(step);
      }
      act(step);
      if (state.learning) {
        open(examples, rows, step, factor);
      }
    }

    /** Looks at where the training stands before the steps that will be judged. */
    void open(int[] examples, int[] rows, long step, float factor) {
      int[] judges = judge.examplesOf(draw(metaRows, "meta-batch", rows, step));
      if (judges.length == 0) {
        return;
      }
      state.windowStart = step;
      state.typeSlopes = typeSlopes(examples, rows, judges, step, factor);
      if (guardRows != null
          && guardJudge != null
          && guard != null
          && state.policySteps % GUARD_EVERY == 0) {
        int[] others = guardJudge.examplesOf(draw(guardRows, "guard-batch", rows, step));
        double loss = others.length == 0 ? Double.NaN : guard.loss(others, step);
        if (Double.isFinite(loss)) {
          state.epoch.guardCount++;
          state.epoch.guardLoss += loss;
          if (step == 0) {
            state.guardAtStart = loss;
          }
        }
      }
      window.begin(judges, step);
    }

    /** The derivative of the meta loss, after the next step, by the logarithm of types' outputs. */
    private double[] typeSlopes(int[] examples, int[] rows, int[] judges, long step, float factor) {
      float[] weights = weightsOf(rows);
      if (objectives == null || weights == null) {
        return new double[0];
      }
      LookAhead.Slopes slopes =
          lookAhead.slopes(examples, weights, judges, new int[0], step, factor);
      double[] byType = objectives.slopes(rows, slopes.perRow(), state.typeWeights);
      if (!Double.isFinite(slopes.metaLoss())) {
        Arrays.fill(byType, Double.NaN);
      }
      return byType;
    }

    private int[] draw(MetaRows from, String stream, int[] rows, long step) {
      CounterRandom random = new CounterRandom(options.seed(), stream, step);
      return from.draw(train, userOfRow, rows, options.metaBatchSize(), random);
    }

    /** One step of the policy, from the window that ends here. */
    void learn(long step) {
      RateWindow.Slopes seen = window.end(state.windowStart);
      float[] slopes = byLogit(seen);
      boolean finite = Double.isFinite(seen.metaLoss());
      for (float slope : slopes) {
        finite &= Float.isFinite(slope);
      }
      if (!finite) {
        skip(step);
        return;
      }
      state.badStepsInARow = 0;
      state.epoch.metaCount++;
      state.epoch.metaLoss += seen.metaLoss();
      network.update(age(state.windowStart), slopes);
      state.policySteps++;
    }

    /** The slopes by each output's logit. */
    private float[] byLogit(RateWindow.Slopes seen) {
      float[] slopes = new float[state.outputs.length];
      for (int g = 0; g < groups.size(); g++) {
        RateWindow.Slope slope = seen.byGroup().get(groups.get(g));
        if (slope != null) {
          slopes[g] = (float) (slope.cosine() * (1 - state.outputs[g]));
        }
      }
      for (int t = 0; t < state.typeSlopes.length; t++) {
        int output = groups.size() + t;
        slopes[output] = (float) (state.typeSlopes[t] * (1 - state.outputs[output]));
      }
      return slopes;
    }

    private void skip(long step) {
      state.skippedSteps++;
      if (++state.badStepsInARow >= MAX_BAD_STEPS) {
        LOG.warn("step sizes are those of the start from step {} on: meta losses not finite", step);
        state.outcome = StepPolicyReport.Outcome.DIVERGED;
        state.learning = false;
        state.rates = startRates.clone();
      }
    }
  }
}
