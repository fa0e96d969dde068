package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Locale;

/**
 * An off-policy estimator of a target policy's mean reward. All are one formula with a reward model
 * q (or 0), a rule g for the weights w, and a norm:
 *
 * <pre>
 * value = mean( q(x, target) ) + mean( g(w) (r - q(x, a)) ) / norm
 * </pre>
 *
 * where q(x, target) is the model's mean under the target policy; norm is 1, or mean(g(w)) for
 * self-normalised estimators.
 *
 * <table>
 * <caption>The estimators, by name</caption>
 * <tr><th>name</th><th>model</th><th>g(w)</th><th>source</th></tr>
 * <tr><td>dm</td><td>yes</td><td>0</td><td>Beygelzimer and Langford, KDD 2009</td></tr>
 * <tr><td>ips</td><td></td><td>w</td><td>Horvitz and Thompson, JASA 1952</td></tr>
 * <tr><td>ips@l</td><td></td><td>min(w, l)</td><td>Ionides, JCGS 2008</td></tr>
 * <tr><td>snips, snips@l</td><td></td><td>the same, self-normalised</td>
 *     <td>Swaminathan and Joachims, NeurIPS 2015</td></tr>
 * <tr><td>dr, dr@l</td><td>yes</td><td>w, min(w, l)</td><td>Dudik et al., ICML 2011</td></tr>
 * <tr><td>sndr, sndr@l</td><td>yes</td><td>the same, self-normalised</td>
 *     <td>Thomas and Brunskill, ICML 2016</td></tr>
 * <tr><td>switch-dr@l</td><td>yes</td><td>w where w &lt;= l</td>
 *     <td>Wang, Agarwal and Dudik, ICML 2017</td></tr>
 * <tr><td>dros@l</td><td>yes</td><td>l w / (w^2 + l)</td><td>Su et al., ICML 2020</td></tr>
 * <tr><td>sub-gaussian@l</td><td></td><td>w / (1 - l + l w)</td>
 *     <td>Metelli et al., NeurIPS 2021</td></tr>
 * </table>
 *
 * <p>ips and dr are unbiased where the log supports the target; dr with a good model has the
 * smaller variance. The self-normalised ones have a bias of order 1/n and do not leave the rewards'
 * range. The others give up unbiasedness for less variance.
 *
 * <p>Thread safety: immutable.
 *
 * @param name as in the table
 * @param usesModel whether a reward model is part of it
 * @param weights the rule g
 * @param selfNormalised whether the norm is mean(g(w))
 */
public record Estimator(
    String name, boolean usesModel, WeightRule weights, boolean selfNormalised) {

  public Estimator {
    if (weights.kind() == WeightRule.Kind.NONE && (!usesModel || selfNormalised)) {
      throw new InvalidInputException("an estimator without weights is its reward model");
    }
  }

  /**
   * The estimator of a name.
   *
   * @throws InvalidInputException if there is none
   */
  public static Estimator named(String name) {
    int at = name.indexOf('@');
    String family = at < 0 ? name : name.substring(0, at);
    if (at < 0) {
      return switch (family) {
        case "dm" -> of(family, true, WeightRule.Kind.NONE, 0, false);
        case "ips" -> of(family, false, WeightRule.Kind.PLAIN, 0, false);
        case "snips" -> of(family, false, WeightRule.Kind.PLAIN, 0, true);
        case "dr" -> of(family, true, WeightRule.Kind.PLAIN, 0, false);
        case "sndr" -> of(family, true, WeightRule.Kind.PLAIN, 0, true);
        default -> throw unknown(name);
      };
    }
    return withParameter(family, parameterOf(name, at));
  }

  /** The estimator of a family (the name before the @) with a parameter. */
  static Estimator withParameter(String family, double parameter) {
    String name = family + "@" + text(parameter);
    return switch (family) {
      case "ips" -> of(name, false, WeightRule.Kind.CLIPPED, parameter, false);
      case "snips" -> of(name, false, WeightRule.Kind.CLIPPED, parameter, true);
      case "dr" -> of(name, true, WeightRule.Kind.CLIPPED, parameter, false);
      case "sndr" -> of(name, true, WeightRule.Kind.CLIPPED, parameter, true);
      case "switch-dr" -> of(name, true, WeightRule.Kind.SWITCHED, parameter, false);
      case "dros" -> of(name, true, WeightRule.Kind.SHRUNK, parameter, false);
      case "sub-gaussian" -> of(name, false, WeightRule.Kind.SUB_GAUSSIAN, parameter, false);
      default -> throw unknown(name);
    };
  }

  /**
   * One value for each round, whose mean is the estimate and whose spread is the estimate's: of
   * self-normalised estimators the linearised ones, {@code D + g(w) (r - q - D) / norm} with D the
   * normalised mean of r - q.
   *
   * @throws InvalidInputException if the rounds lack the reward model that is needed, or no weight
   *     is left to normalise by
   */
  public double[] roundValues(OffPolicyRounds rounds) {
    if (usesModel && !rounds.hasModel()) {
      throw new InvalidInputException(
          name + " needs a reward model: give predictions for the rounds or choose ips or snips");
    }
    int n = rounds.size();
    double[] values = new double[n];
    double norm = 1;
    double level = 0;
    if (selfNormalised) {
      double sum = 0;
      double paid = 0;
      for (int i = 0; i < n; i++) {
        double g = weights.apply(rounds.weight(i));
        sum += g;
        paid += g * residual(rounds, i);
      }
      norm = sum / n;
      level = paid / sum;
    }
    for (int i = 0; i < n; i++) {
      double g = weights.apply(rounds.weight(i));
      double base = usesModel ? rounds.modelUnderTarget(i) : 0;
      values[i] = base + level + g * (residual(rounds, i) - level) / norm;
    }
    return values;
  }

  /** The same without a rule for the weights; of the model alone, itself. */
  Estimator withPlainWeights() {
    return weights.kind() == WeightRule.Kind.NONE
        ? this
        : new Estimator(name, usesModel, new WeightRule(WeightRule.Kind.PLAIN, 0), selfNormalised);
  }

  /** The estimate itself. */
  public double value(OffPolicyRounds rounds) {
    return MeanBounds.mean(roundValues(rounds));
  }

  /**
   * How far the estimator's weights can be trusted: of clipped weights, the clipped ones are
   * judged.
   */
  public Overlap overlap(OffPolicyRounds rounds) {
    return rounds.overlap(weights);
  }

  /**
   * The length of the interval in which round values lie, before any is seen: for {@code r} in a
   * range R and weights up to W, R for dm, W R for estimators without a model if 0 lies in the
   * range of rewards, and R + 2 W R for those with one.
   *
   * @throws InvalidInputException for self-normalised estimators, whose values have no bound that
   *     does not depend on the sample
   */
  double range(double minReward, double maxReward, double maxWeight) {
    if (selfNormalised) {
      throw new InvalidInputException(
          name + " has no range that is known beforehand: use a Student-t or bootstrap interval");
    }
    double width = maxReward - minReward;
    double bound = weights.bound(maxWeight);
    if (!usesModel) {
      return Math.max(0, bound * maxReward) - Math.min(0, bound * minReward);
    }
    return width + 2 * bound * width;
  }

  private double residual(OffPolicyRounds rounds, int round) {
    return usesModel ? rounds.reward(round) - rounds.modelAtLogged(round) : rounds.reward(round);
  }

  private static Estimator of(
      String name, boolean model, WeightRule.Kind kind, double parameter, boolean normalised) {
    return new Estimator(name, model, new WeightRule(kind, parameter), normalised);
  }

  private static double parameterOf(String name, int at) {
    try {
      return Double.parseDouble(name.substring(at + 1));
    } catch (NumberFormatException e) {
      throw new InvalidInputException(
          "'%s': what follows the @ must be a number, as in ips@10".formatted(name), e);
    }
  }

  private static String text(double parameter) {
    return parameter == Math.rint(parameter) && Math.abs(parameter) < 1e9
        ? Long.toString((long) parameter)
        : String.format(Locale.ROOT, "%s", parameter);
  }

  private static InvalidInputException unknown(String name) {
    return new InvalidInputException(
        ("there is no estimator '%s'; there are dm, ips, snips, dr, sndr, and with a parameter"
                + " ips@l, snips@l, dr@l, sndr@l, switch-dr@l, dros@l, sub-gaussian@l")
            .formatted(name));
  }
}
