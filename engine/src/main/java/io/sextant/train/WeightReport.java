package io.sextant.train;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingEvaluation;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a policy has done that weighs examples.
 *
 * <p>Thread safety: immutable.
 *
 * @param outcome how it ended
 * @param policySteps steps of the policy
 * @param skippedSteps steps of the policy that were left out because a loss was not finite
 * @param metaGains by epoch: how much further one step on the weighted batch lowers the loss of the
 *     meta set than one with equal weights of the same mean, to first order; NaN before the policy
 *     learns
 * @param guardGains the same for the guard, from which nothing is learned: it falling behind is
 *     over-fitting; NaN without a guard
 * @param quantiles of the weights at {@link #LEVELS}; the mean is 1
 * @param effectiveShare (sum w)^2 / (n sum w^2): which share of the examples, equally weighted,
 *     would carry as much
 * @param features which features drive the weights, the strongest first
 */
public record WeightReport(
    Outcome outcome,
    long policySteps,
    long skippedSteps,
    List<Double> metaGains,
    List<Double> guardGains,
    List<Double> quantiles,
    double effectiveShare,
    List<Feature> features) {

  /** The levels of the quantiles. */
  public static final List<Double> LEVELS = List.of(0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0);

  /** How the learning of weights ended. */
  public enum Outcome {
    /** The weights are those of the policy. */
    LEARNED,
    /** Training ended within the warm-up: all weights are 1. */
    NOT_BEGUN,
    /** The weights went to zero together: all are 1 again. */
    COLLAPSED,
    /** Losses of the look-ahead were not finite too often: all weights are 1. */
    DIVERGED,
    /** Weights made steps worse on the guard: all are 1. */
    HARMFUL,
    /** In no epoch did weights make steps better on the guard by more than chance: all are 1. */
    NO_GAIN
  }

  /**
   * How a feature drives the weights.
   *
   * @param effect how much a weight changes, in the mean over examples and whatever its sign, when
   *     the feature is put to its mean
   * @param correlation of the feature with the weight
   */
  public record Feature(String name, double effect, double correlation) {}

  /**
   * How well weights tell clean examples from corrupt ones, where the truth is known.
   *
   * @param weightAuc probability that a clean example outweighs a corrupt one
   * @param popularityAuc the same if examples were weighed by their item's count: what anyone gets
   *     without learning
   * @param meanClean mean weight of clean examples
   * @param meanCorrupt mean weight of corrupt ones
   */
  public record Separation(
      double weightAuc, double popularityAuc, double meanClean, double meanCorrupt) {}

  public WeightReport {
    metaGains = List.copyOf(metaGains);
    guardGains = List.copyOf(guardGains);
    quantiles = List.copyOf(quantiles);
    features = List.copyOf(features);
  }

  /**
   * Compares weights with the truth.
   *
   * @param corrupt for each interaction whether it is
   * @throws InvalidInputException if lengths differ
   */
  public static Separation separation(Interactions train, float[] weights, boolean[] corrupt) {
    if (weights.length != train.size() || corrupt.length != train.size()) {
      throw new InvalidInputException(
          "%d interactions need as many weights and truths but there were %d and %d"
              .formatted(train.size(), weights.length, corrupt.length));
    }
    int[] clean = IntStream.range(0, corrupt.length).filter(row -> !corrupt[row]).toArray();
    int[] counts = train.itemCounts();
    float[] popularity = new float[corrupt.length];
    double[] sums = new double[2];
    for (int row = 0; row < corrupt.length; row++) {
      popularity[row] = counts[train.itemAt(row)];
      sums[corrupt[row] ? 1 : 0] += weights[row];
    }
    return new Separation(
        RankingEvaluation.auc(weights, clean, new int[0]),
        RankingEvaluation.auc(popularity, clean, new int[0]),
        sums[0] / clean.length,
        sums[1] / (corrupt.length - clean.length));
  }

  /** The quantiles of weights at {@link #LEVELS}. */
  static List<Double> quantiles(float[] weights) {
    float[] sorted = weights.clone();
    Arrays.sort(sorted);
    return LEVELS.stream()
        .map(level -> (double) sorted[(int) Math.round(level * (sorted.length - 1))])
        .toList();
  }

  /** (sum w)^2 / (n sum w^2). */
  static double effectiveShare(float[] weights) {
    double sum = 0;
    double squares = 0;
    for (float weight : weights) {
      sum += weight;
      squares += (double) weight * weight;
    }
    return sum * sum / (weights.length * squares);
  }
}
