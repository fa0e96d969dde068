package io.sextant.meta;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.GradientTrained;
import io.sextant.train.CheckpointOptions;
import io.sextant.train.StepPolicy;
import io.sextant.train.StepPolicyOptions;
import io.sextant.train.StepPolicyReport;
import io.sextant.train.StepPolicyReport.Rates;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Training with step sizes and weights of event types that a {@link StepPolicy} has learned, and a
 * guard, {@link GuidedFits}, on whether they pay.
 *
 * <p>The policy learns beside a few trainings, each from the start with the step sizes that the one
 * before has used on average, until they change little: a start that was far too high or too low
 * spoils one training and not the last. The policy's own rate is halved where a rate has turned
 * back or changes by less than a factor of 2: it is near, and would swing. Then the strategy is
 * fitted with what the last one has used on average, and with default rates and equal weights of
 * types as well, and the default is kept where it is better on the guard set: no rate is safer than
 * another, so the mean decides. Time: that of up to {@code runs + 2} trainings.
 *
 * <p>A checkpoint of the context is that of the guided fit. The other trainings save themselves
 * beside it, so that a run which was killed goes on in the training that it had reached.
 *
 * <p>Thread safety: immutable.
 *
 * @param policy how it learns
 * @param runs trainings beside which it learns, at most
 * @param defaults the step sizes that are kept if the learned ones do not pay
 * @param metric by which the guard judges
 */
public record GuidedRates(
    StepPolicyOptions policy, int runs, Rates defaults, RankingMetric metric) {

  private static final Logger LOG = LoggerFactory.getLogger(GuidedRates.class);

  /** Rates that change by less than this factor from one training to the next have settled. */
  private static final double SETTLED = 1.25;

  /** After a training that has diverged the next one starts so many times slower. */
  private static final double RETREAT = 10;

  public GuidedRates {
    if (runs <= 0) {
      throw new InvalidInputException("runs must be > 0 but was " + runs);
    }
  }

  /** Four trainings at most, the engine's default rates, judged by NDCG@10. */
  public static GuidedRates of(StepPolicyOptions policy) {
    return new GuidedRates(
        policy, 4, ratesOf(TrainingOptions.builder().build()), RankingMetric.ndcg(10));
  }

  /** The step sizes of a training. */
  public static Rates ratesOf(TrainingOptions training) {
    return new Rates(
        training.learningRate(), training.userLearningRate(), training.itemLearningRate());
  }

  /** A training with other step sizes. */
  public static TrainingOptions with(TrainingOptions training, Rates rates) {
    return training.withRates((float) rates.dense(), (float) rates.user(), (float) rates.item());
  }

  /**
   * The two fits, of which the plain one has default rates and equal weights of types.
   *
   * @param fits and which of them is kept
   * @param reports of the trainings beside which the policy has learned, but for those that
   *     diverged
   * @param diverged how many have
   * @param learned the rates that were found; the default ones where none were
   * @param rates of the fit that is kept
   * @param objectives weights of event types of the fit that is kept; empty for equal ones
   */
  public record Result(
      GuidedFits fits,
      List<StepPolicyReport> reports,
      int diverged,
      Rates learned,
      Rates rates,
      Map<EventType, Double> objectives)
      implements AutoCloseable {

    public Result {
      reports = List.copyOf(reports);
      objectives = Map.copyOf(objectives);
    }

    /** What became of the rates that were found. */
    public Outcome outcome() {
      if (fits.plain() == fits.guided()) {
        return Outcome.NOTHING_LEARNED;
      }
      return fits.pays() ? Outcome.KEPT : Outcome.WORSE;
    }

    @Override
    public void close() {
      fits.close();
    }
  }

  /** What becomes of learned rates. */
  public enum Outcome {
    /** They rank the guard set at least as well as the default ones do. */
    KEPT,
    /** They do not: the default ones are kept. */
    WORSE,
    /** The last training has diverged or led nowhere, or was too short: defaults are kept. */
    NOTHING_LEARNED
  }

  /**
   * Fits a strategy.
   *
   * @param strategy whose step sizes are where the policy starts
   * @param context what it is fitted with
   * @param metaSet trusted interactions over the same users and items, not among those to learn
   *     from; of the type that matters, as purchases, where types are to be weighed
   * @param guardSet more of them, to judge by
   * @throws InvalidInputException if the sets cannot judge the interactions, or a start is not
   *     below the policy's largest rate
   */
  public Result fit(
      GradientTrained strategy, FitContext context, Interactions metaSet, Interactions guardSet) {
    Trials trials = new Trials();
    boolean learned = learn(strategy, context, metaSet, guardSet, trials);
    Supplier<FittedStrategy> byDefault =
        () -> with(strategy, defaults).fit(beside(context, "default"));
    if (!learned) {
      LOG.warn("the policy has learned nothing that could be kept: default rates are kept");
      return new Result(
          GuidedFits.unguided(byDefault.get()),
          trials.reports,
          trials.diverged,
          defaults,
          defaults,
          Map.of());
    }
    StepPolicyReport last = trials.reports.get(trials.reports.size() - 1);
    Interactions train = context.train().interactions();
    FitContext weighed = context.withInteractions(reweighted(train, last.objectives()));
    GuidedFits fits =
        GuidedFits.judged(
            byDefault,
            () -> with(strategy, last.rates()).fit(weighed),
            train.concat(metaSet),
            guardSet,
            metric,
            gain -> gain.value() >= 0,
            policy.seed());
    if (!fits.pays()) {
      LOG.warn("default rates are kept: learned ones are worse on the guard set");
    }
    return new Result(
        fits,
        trials.reports,
        trials.diverged,
        last.rates(),
        fits.pays() ? last.rates() : defaults,
        fits.pays() ? last.objectives() : Map.of());
  }

  /** What the trainings beside which the policy learns have shown. */
  private static final class Trials {
    final List<StepPolicyReport> reports = new ArrayList<>();
    int diverged;
  }

  /** The context of a training that saves itself in a file of its own. */
  private static FitContext beside(FitContext context, String name) {
    CheckpointOptions of = context.checkpoints();
    if (of == null) {
      return context;
    }
    return context.withCheckpoints(
        new CheckpointOptions(
            of.file().resolveSibling(name + "-" + of.file().getFileName()),
            of.interval(),
            of.resume(),
            of.fingerprint()));
  }

  /** Learns in a few trainings; whether the last one has ended well. */
  private boolean learn(
      GradientTrained strategy,
      FitContext context,
      Interactions metaSet,
      Interactions guardSet,
      Trials trials) {
    Rates rates = ratesOf(strategy.training());
    StepPolicyOptions options = policy;
    double[] before = new double[3];
    boolean learned = false;
    for (int run = 0; run < runs; run++) {
      StepPolicy steps = new StepPolicy(options, metaSet, guardSet);
      FitContext trial =
          beside(context, "run" + run).withValidation(null).withHooks(List.of(steps));
      try {
        with(strategy, rates).fit(trial).close();
      } catch (InvalidInputException e) {
        throw e;
      } catch (SextantException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        LOG.warn("a training with rates {} has diverged: the next one is slower", rates, e);
        rates = new Rates(rates.dense() / RETREAT, rates.user() / RETREAT, rates.item() / RETREAT);
        trials.diverged++;
        learned = false;
        continue;
      }
      StepPolicyReport report = steps.report();
      trials.reports.add(report);
      learned = report.outcome() == StepPolicyReport.Outcome.LEARNED;
      double[] moved = logRatios(report.rates(), report.start());
      double most = Arrays.stream(moved).map(Math::abs).max().orElseThrow();
      if (learned && most < Math.log(SETTLED)) {
        break;
      }
      boolean turned = false;
      for (int group = 0; group < moved.length; group++) {
        turned |= moved[group] * before[group] < 0;
      }
      if (turned || most < Math.log(2)) {
        options = options.slower(2);
      }
      before = moved;
      rates = report.rates();
    }
    return learned;
  }

  private static double[] logRatios(Rates to, Rates from) {
    return new double[] {
      logRatio(to.dense(), from.dense()),
      logRatio(to.user(), from.user()),
      logRatio(to.item(), from.item())
    };
  }

  /** 0 for a rate of 0, which stays. */
  private static double logRatio(double to, double from) {
    return from == 0 ? 0 : Math.log(to / from);
  }

  private static GradientTrained with(GradientTrained strategy, Rates rates) {
    return strategy.withTraining(with(strategy.training(), rates));
  }

  private static Interactions reweighted(Interactions rows, Map<EventType, Double> objectives) {
    if (objectives.isEmpty()) {
      return rows;
    }
    float[] factors = new float[rows.size()];
    for (int row = 0; row < factors.length; row++) {
      factors[row] = objectives.getOrDefault(rows.typeAt(row), 1.0).floatValue();
    }
    return rows.reweighted(factors);
  }
}
