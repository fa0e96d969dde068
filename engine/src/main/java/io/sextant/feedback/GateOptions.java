package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * What a candidate policy must show before it is promoted.
 *
 * <p>Thread safety: immutable.
 *
 * @param estimator whose round values are compared, candidate's less incumbent's
 * @param method how the lower bound is found: Student's t or empirical Bernstein
 * @param bounds what rewards and weights can be, known beforehand; looked at by Bernstein only
 * @param alpha the chance, over all looks together, to promote a candidate that is not better
 * @param minRounds no look with fewer rounds than this can promote
 * @param minEffectiveSampleSize nor one whose candidate has a smaller effective sample size
 * @param maxUnsupportedShare nor one in which the candidate would draw actions without support in a
 *     larger share of the rounds, 0..1
 */
public record GateOptions(
    Estimator estimator,
    IntervalMethod method,
    EvaluationOptions.Bounds bounds,
    double alpha,
    int minRounds,
    double minEffectiveSampleSize,
    double maxUnsupportedShare) {

  public GateOptions {
    if (method == IntervalMethod.BOOTSTRAP) {
      throw new InvalidInputException(
          "the gate needs bounds far in the tail, which a bootstrap does not give: choose"
              + " STUDENT_T or EMPIRICAL_BERNSTEIN");
    }
    if (!(alpha > 0 && alpha < 0.5)) {
      throw new InvalidInputException("alpha must be > 0 and < 0.5 but was " + alpha);
    }
    if (minRounds < 2 || !(minEffectiveSampleSize >= 0)) {
      throw new InvalidInputException(
          "minRounds must be > 1 and minEffectiveSampleSize >= 0 but were %d and %s"
              .formatted(minRounds, minEffectiveSampleSize));
    }
    if (!(maxUnsupportedShare >= 0 && maxUnsupportedShare <= 1)) {
      throw new InvalidInputException(
          "maxUnsupportedShare must lie in 0..1 but was " + maxUnsupportedShare);
    }
  }

  /**
   * Student-t bounds of ips differences for clicks: alpha 5 %, at least 500 rounds that are worth
   * 100, no unsupported action.
   */
  public static GateOptions defaults() {
    return new GateOptions(
        Estimator.named("ips"),
        IntervalMethod.STUDENT_T,
        new EvaluationOptions.Bounds(0, 1, Overlap.LARGE_WEIGHT),
        0.05,
        500,
        Overlap.FEW_ROUNDS,
        0);
  }

  /** The same with another estimator; one with a reward model needs predictions. */
  public GateOptions withEstimator(Estimator other) {
    return new GateOptions(
        other, method, bounds, alpha, minRounds, minEffectiveSampleSize, maxUnsupportedShare);
  }

  /** The same with empirical-Bernstein bounds. */
  public GateOptions withBernstein(EvaluationOptions.Bounds known) {
    return new GateOptions(
        estimator,
        IntervalMethod.EMPIRICAL_BERNSTEIN,
        known,
        alpha,
        minRounds,
        minEffectiveSampleSize,
        maxUnsupportedShare);
  }

  /** The same with other floors. */
  public GateOptions withFloors(int rounds, double effectiveSampleSize, double unsupportedShare) {
    return new GateOptions(
        estimator, method, bounds, alpha, rounds, effectiveSampleSize, unsupportedShare);
  }
}
