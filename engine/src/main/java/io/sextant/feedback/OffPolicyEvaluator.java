package io.sextant.feedback;

import io.sextant.eval.Bootstrap;
import io.sextant.eval.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Estimates what a policy would have earned in the rounds that another policy logged, with
 * intervals and with a word on whether they are to be trusted. See {@link Estimator} for the
 * estimators, {@link Slope} for the choice of their parameters, {@link IntervalMethod} for the
 * intervals, {@link Overlap} for the warnings.
 *
 * <p>Time O(n K) an estimator beside the fits of the reward model; O(n K) memory.
 *
 * <p>Thread safety: immutable.
 */
public final class OffPolicyEvaluator {

  private static final double TAIL = 0.025;

  private static final String TUNED = "@slope";

  private final EvaluationOptions options;

  /** An evaluator of one configuration. */
  public OffPolicyEvaluator(EvaluationOptions options) {
    this.options = options;
  }

  /**
   * The value of a target policy. The reward model is cross-fitted on the log, if an estimator
   * needs one.
   *
   * @param log what was logged
   * @param target what the target policy would do in the log's rounds
   * @throws io.sextant.InvalidInputException if sizes differ, an estimator is unknown, the target
   *     would draw no logged action, or a reward or weight is outside of the declared bounds
   */
  public OffPolicyReport evaluate(LoggedRounds log, ActionProbabilities target) {
    return evaluate(log, OffPolicyRounds.of(log, target, modelFor(log)));
  }

  /**
   * The same with the logging policy known in full, which makes support exact.
   *
   * @param logging what the logging policy would do in the log's rounds
   */
  public OffPolicyReport evaluate(
      LoggedRounds log, ActionProbabilities logging, ActionProbabilities target) {
    return evaluate(log, OffPolicyRounds.ofKnownPolicy(log, logging, target, modelFor(log)));
  }

  /** One estimate; {@code name} as in the options. */
  Estimate estimate(String name, OffPolicyRounds rounds) {
    Estimator estimator =
        name.endsWith(TUNED)
            ? Slope.choose(
                Slope.candidates(name.substring(0, name.length() - TUNED.length())), rounds)
            : Estimator.named(name);
    double[] values = estimator.roundValues(rounds);
    List<String> warnings = new ArrayList<>(estimator.overlap(rounds).warnings());
    if (estimator.weights().kind() == WeightRule.Kind.NONE) {
      warnings.add("the interval leaves out by how much the reward model is wrong");
    }
    Interval interval = interval(estimator, values);
    String skewed = MeanBounds.tooSkewed(values);
    if (options.method() != IntervalMethod.EMPIRICAL_BERNSTEIN && skewed != null) {
      warnings.add(skewed);
    }
    double plain = estimator.withPlainWeights().value(rounds);
    if (plain < interval.lo() || plain > interval.hi()) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "with plain weights the estimate is %.6g, outside of the interval, which leaves the"
                  + " bias out",
              plain));
    }
    return new Estimate(name, estimator, interval, warnings);
  }

  private OffPolicyReport evaluate(LoggedRounds log, OffPolicyRounds rounds) {
    EvaluationOptions.Bounds bounds = options.bounds();
    if (options.method() == IntervalMethod.EMPIRICAL_BERNSTEIN && bounds != null) {
      bounds.check(log, rounds);
    }
    List<Estimate> estimates = new ArrayList<>();
    for (String name : options.estimators()) {
      estimates.add(estimate(name, rounds));
    }
    return new OffPolicyReport(estimates, rounds.overlap());
  }

  private @Nullable RewardPredictions modelFor(LoggedRounds log) {
    boolean needed =
        options.estimators().stream()
            .map(n -> n.endsWith(TUNED) ? n.substring(0, n.length() - TUNED.length()) + "@1" : n)
            .anyMatch(n -> Estimator.named(n).usesModel());
    if (!needed) {
      return null;
    }
    RewardModel model = options.model();
    if (model == null) {
      model = defaultModel(log);
    }
    return model.crossFit(log, options.folds(), options.seed());
  }

  private static RewardModel defaultModel(LoggedRounds log) {
    for (double reward : log.rewards()) {
      if (!(reward >= 0 && reward <= 1)) {
        return RewardModel.ridge(EvaluationOptions.DEFAULT_L2);
      }
    }
    return RewardModel.logistic(EvaluationOptions.DEFAULT_L2);
  }

  private Interval interval(Estimator estimator, double[] values) {
    double value = MeanBounds.mean(values);
    EvaluationOptions.Bounds bounds = options.bounds();
    switch (options.method()) {
      case BOOTSTRAP -> {
        return Bootstrap.mean(values, options.resamples(), options.seed());
      }
      case STUDENT_T -> {
        return around(value, MeanBounds.studentHalfWidth(values, TAIL));
      }
      case EMPIRICAL_BERNSTEIN -> {
        if (bounds != null) {
          double range =
              estimator.range(bounds.minReward(), bounds.maxReward(), bounds.maxWeight());
          return around(value, MeanBounds.bernsteinHalfWidth(values, range, TAIL));
        }
      }
    }
    throw new IllegalStateException("no interval by " + options.method());
  }

  private static Interval around(double value, double halfWidth) {
    return new Interval(value, value - halfWidth, value + halfWidth);
  }
}
