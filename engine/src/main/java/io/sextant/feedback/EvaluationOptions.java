package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a target policy is evaluated.
 *
 * <p>Thread safety: immutable.
 *
 * @param estimators names as in {@link Estimator}, or {@code FAMILY@slope} to have the parameter
 *     chosen by {@link Slope}
 * @param method how intervals are found
 * @param model the reward model; null to choose logistic for rewards in 0..1 and else ridge
 * @param folds into how many parts the log is cut to fit the model, 2..n
 * @param bounds what rewards and weights can be, known beforehand; null unless {@link
 *     IntervalMethod#EMPIRICAL_BERNSTEIN} is asked for
 * @param resamples of the bootstrap, at least 100
 * @param seed of folds and bootstrap
 */
public record EvaluationOptions(
    List<String> estimators,
    IntervalMethod method,
    @Nullable RewardModel model,
    int folds,
    @Nullable Bounds bounds,
    int resamples,
    long seed) {

  /** The estimators that are computed unless others are named. */
  public static final List<String> DEFAULT_ESTIMATORS =
      List.of(
          "dm",
          "ips",
          "ips@10",
          "snips",
          "snips@10",
          "dr",
          "dr@10",
          "sndr",
          "switch-dr@10",
          "dros@100",
          "sub-gaussian@0.1",
          "ips@slope",
          "dr@slope");

  /** The penalty of the model that is chosen where none is given. */
  static final double DEFAULT_L2 = 1;

  /**
   * What is known before any round is seen.
   *
   * @param minReward no reward is below
   * @param maxReward no reward is above
   * @param maxWeight no weight can be above: the largest target probability by the smallest
   *     propensity that the logging policy can have
   */
  public record Bounds(double minReward, double maxReward, double maxWeight) {
    public Bounds {
      if (!(minReward < maxReward && maxWeight > 0 && Double.isFinite(maxWeight))) {
        throw new InvalidInputException(
            "bounds need minReward < maxReward and a finite maxWeight > 0 but were %s, %s and %s"
                .formatted(minReward, maxReward, maxWeight));
      }
    }

    void check(LoggedRounds log, OffPolicyRounds rounds) {
      for (int i = 0; i < log.size(); i++) {
        double reward = log.rewards()[i];
        if (!(reward >= minReward && reward <= maxReward)) {
          throw new InvalidInputException(
              "round %d: the reward %s lies outside of the declared range %s..%s"
                  .formatted(i, reward, minReward, maxReward));
        }
        if (rounds.weight(i) > maxWeight) {
          throw new InvalidInputException(
              "round %d: the weight %s lies above the declared bound of %s"
                  .formatted(i, rounds.weight(i), maxWeight));
        }
      }
    }
  }

  public EvaluationOptions {
    estimators = List.copyOf(estimators);
    if (estimators.isEmpty()) {
      throw new InvalidInputException("no estimator is asked for");
    }
    if (folds < 2) {
      throw new InvalidInputException("folds must be > 1 but was " + folds);
    }
    if (method == IntervalMethod.EMPIRICAL_BERNSTEIN && bounds == null) {
      throw new InvalidInputException(
          "an empirical-Bernstein interval needs bounds that were known beforehand: give the range"
              + " of rewards and the largest possible weight");
    }
  }

  /** All estimators, Student-t intervals, three folds, seed 1. */
  public static EvaluationOptions defaults() {
    return new EvaluationOptions(
        DEFAULT_ESTIMATORS, IntervalMethod.STUDENT_T, null, 3, null, 1000, 1);
  }

  /** The same with other estimators. */
  public EvaluationOptions withEstimators(List<String> names) {
    return new EvaluationOptions(names, method, model, folds, bounds, resamples, seed);
  }

  /** The same with intervals found in another way that needs no bounds. */
  public EvaluationOptions withMethod(IntervalMethod other) {
    return new EvaluationOptions(estimators, other, model, folds, bounds, resamples, seed);
  }

  /** The same with empirical-Bernstein intervals. */
  public EvaluationOptions withBernstein(Bounds known) {
    return new EvaluationOptions(
        estimators, IntervalMethod.EMPIRICAL_BERNSTEIN, model, folds, known, resamples, seed);
  }

  /** The same with another reward model and number of folds. */
  public EvaluationOptions withModel(RewardModel other, int numFolds) {
    return new EvaluationOptions(estimators, method, other, numFolds, bounds, resamples, seed);
  }

  /** The same with another seed. */
  public EvaluationOptions withSeed(long other) {
    return new EvaluationOptions(estimators, method, model, folds, bounds, resamples, other);
  }
}
