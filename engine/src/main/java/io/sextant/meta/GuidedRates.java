package io.sextant.meta;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.SextantException;
import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.train.StepPolicy;
import io.sextant.train.StepPolicyOptions;
import io.sextant.train.StepPolicyReport;
import io.sextant.train.StepPolicyReport.Rates;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Training with step sizes and weights of event types that a {@link StepPolicy} has learned, and a
 * guard on whether they pay.
 *
 * <p>The policy learns beside a few trainings, each from the start with the step sizes that the one
 * before has used on average, until they change little: a start that was far too high or too low
 * spoils one training and not the last. The policy's own rate is halved where a rate has turned
 * back or changes by less than a factor of 2: it is near, and would swing. Then the strategy is
 * fitted with what the last one has used on average, and with default rates and equal weights of
 * types as well. Both are judged on the guard set, which nothing has learned from, and the default
 * is kept where it is better. Time: that of up to {@code runs + 2} trainings.
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
  private static final int RESAMPLES = 1000;

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
    TrainingOptions usual = TrainingOptions.builder().build();
    return new GuidedRates(policy, 4, ratesOf(usual), RankingMetric.ndcg(10));
  }

  private static Rates ratesOf(TrainingOptions training) {
    return new Rates(
        training.learningRate(), training.userLearningRate(), training.itemLearningRate());
  }

  /**
   * The two fits and which one is kept.
   *
   * @param byDefault with default rates and equal weights of types
   * @param guided with the learned ones; the same as byDefault where none were learned
   * @param reports of the trainings beside which the policy has learned, but for those that
   *     diverged
   * @param rates of the fit that is kept
   * @param objectives weights of event types of the fit that is kept; empty for equal ones
   * @param differences of guided to byDefault on the guard set, by metric; empty where nothing was
   *     learned
   * @param pays whether what was learned is kept
   */
  public record Result(
      FittedStrategy byDefault,
      FittedStrategy guided,
      List<StepPolicyReport> reports,
      Rates rates,
      Map<EventType, Double> objectives,
      Map<String, Interval> differences,
      boolean pays)
      implements AutoCloseable {

    /** The fit that is kept. */
    public FittedStrategy kept() {
      return pays ? guided : byDefault;
    }

    /** Closes the fit that is not kept and returns the other, which is the caller's to close. */
    public FittedStrategy take() {
      if (byDefault != guided) {
        (pays ? byDefault : guided).close();
      }
      return kept();
    }

    @Override
    public void close() {
      byDefault.close();
      if (byDefault != guided) {
        guided.close();
      }
    }
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
      TwoTowerStrategy strategy, FitContext context, Interactions metaSet, Interactions guardSet) {
    List<StepPolicyReport> reports = new ArrayList<>();
    boolean learned = learn(strategy, context, metaSet, guardSet, reports);
    FittedStrategy guided = null;
    FittedStrategy byDefault = null;
    try {
      byDefault = with(strategy, defaults).fit(context.withCheckpoints(null));
      if (!learned) {
        LOG.warn("the policy has learned nothing that could be kept: default rates are kept");
        return new Result(byDefault, byDefault, reports, defaults, Map.of(), Map.of(), false);
      }
      StepPolicyReport last = reports.get(reports.size() - 1);
      Interactions train = context.train().interactions();
      guided =
          with(strategy, last.rates())
              .fit(context.withInteractions(reweighted(train, last.objectives())));
      try (Ranker ranker = new Ranker()) {
        Interactions known = train.concat(metaSet);
        MetricTable of = ranker.evaluate(guided, known, guardSet, List.of(metric));
        MetricTable than = ranker.evaluate(byDefault, known, guardSet, List.of(metric));
        boolean pays = of.mean(metric) >= than.mean(metric);
        if (!pays) {
          LOG.warn("default rates are kept: on the guard set they are better than learned ones");
        }
        return new Result(
            byDefault,
            guided,
            reports,
            pays ? last.rates() : defaults,
            pays ? last.objectives() : Map.of(),
            of.differenceTo(than, RESAMPLES, policy.seed()),
            pays);
      }
    } catch (RuntimeException | Error e) {
      if (guided != null) {
        guided.close();
      }
      if (byDefault != null) {
        byDefault.close();
      }
      throw e;
    }
  }

  /** Learns in a few trainings; whether the last one has ended well. */
  private boolean learn(
      TwoTowerStrategy strategy,
      FitContext context,
      Interactions metaSet,
      Interactions guardSet,
      List<StepPolicyReport> reports) {
    FitContext trial = context.withValidation(null).withCheckpoints(null);
    Rates rates = ratesOf(strategy.training());
    StepPolicyOptions options = policy;
    double[] before = new double[3];
    boolean learned = false;
    for (int run = 0; run < runs; run++) {
      StepPolicy steps = new StepPolicy(options, metaSet, guardSet);
      try {
        with(strategy, rates).fit(trial.withHooks(List.of(steps))).close();
      } catch (InvalidInputException e) {
        throw e;
      } catch (SextantException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        LOG.warn("a training with rates {} has diverged: the next one is slower", rates, e);
        rates = new Rates(rates.dense() / RETREAT, rates.user() / RETREAT, rates.item() / RETREAT);
        learned = false;
        continue;
      }
      StepPolicyReport report = steps.report();
      reports.add(report);
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

  private static TwoTowerStrategy with(TwoTowerStrategy strategy, Rates rates) {
    return strategy.withTraining(
        strategy
            .training()
            .withRates((float) rates.dense(), (float) rates.user(), (float) rates.item()));
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
