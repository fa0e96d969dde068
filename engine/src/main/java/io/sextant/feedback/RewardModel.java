package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Arrays;

/**
 * A regression of the reward on the context, one for each action, that is drawn towards the mean
 * reward of all actions: contexts are standardised, and an L2 penalty is laid on the slopes and on
 * the intercept's distance from that mean, so that an action with few rounds is predicted near the
 * mean and one with none at it. Predictions stay within the rewards that were seen.
 *
 * <ul>
 *   <li>Ridge: {@code (X'X + l2 I) beta = X'(r - mean)}, solved exactly.
 *   <li>Logistic, for rewards in [0, 1]: Newton's method with step halving on the penalised log
 *       likelihood, around the log odds of the mean.
 * </ul>
 *
 * <p>Time O(n d^2 + K d^3) a fit, times the Newton steps (about six) if logistic.
 *
 * <p>Thread safety: immutable.
 *
 * @param kind which regression
 * @param l2 the penalty, &gt; 0: worth so many rounds of evidence for the mean
 */
public record RewardModel(Kind kind, double l2) {

  /** The regressions. */
  public enum Kind {
    /** Least squares, for any reward. */
    RIDGE,
    /** Log likelihood, for clicks and other rewards in [0, 1]. */
    LOGISTIC
  }

  private static final int MAX_STEPS = 30;

  public RewardModel {
    if (!(l2 > 0 && Double.isFinite(l2))) {
      throw new InvalidInputException("l2 must be > 0 and finite but was " + l2);
    }
  }

  /** Penalised least squares. */
  public static RewardModel ridge(double l2) {
    return new RewardModel(Kind.RIDGE, l2);
  }

  /** Penalised logistic regression. */
  public static RewardModel logistic(double l2) {
    return new RewardModel(Kind.LOGISTIC, l2);
  }

  /**
   * Learns from all rounds of a log.
   *
   * @throws InvalidInputException if a reward does not suit the regression
   */
  public FittedRewardModel fit(LoggedRounds log) {
    int[] all = new int[log.size()];
    Arrays.setAll(all, i -> i);
    return fit(log, all);
  }

  /**
   * Predictions for every round and action, each by a model that has not seen the round: rounds are
   * dealt to folds at random, and each fold is predicted from the others.
   *
   * @param folds how many parts, 2..n
   * @param seed decides which round belongs to which fold
   */
  public RewardPredictions crossFit(LoggedRounds log, int folds, long seed) {
    Folds parts = new Folds(log.size(), folds, seed);
    double[] values = new double[log.size() * log.numActions()];
    for (int fold = 0; fold < folds; fold++) {
      FittedRewardModel model = fit(log, parts.others(fold));
      for (int i : parts.of(fold)) {
        model.predict(log.contexts(), i * log.contextDimension(), values, i * log.numActions());
      }
    }
    return new RewardPredictions(log.numActions(), values);
  }

  private FittedRewardModel fit(LoggedRounds log, int[] rounds) {
    double lo = Double.POSITIVE_INFINITY;
    double hi = Double.NEGATIVE_INFINITY;
    double sum = 0;
    for (int i : rounds) {
      double reward = log.rewards()[i];
      if (kind == Kind.LOGISTIC && !(reward >= 0 && reward <= 1)) {
        throw new InvalidInputException(
            "round %d: a logistic reward model needs rewards in 0..1 but had %s: use ridge"
                .formatted(i, reward));
      }
      lo = Math.min(lo, reward);
      hi = Math.max(hi, reward);
      sum += reward;
    }
    double mean = sum / rounds.length;
    double centre = kind == Kind.RIDGE ? mean : logOdds(mean, rounds.length);
    Scaling scaling = Scaling.of(log, rounds);
    double[][] betas = new double[log.numActions()][];
    int[][] ofAction = byAction(log, rounds);
    for (int a = 0; a < betas.length; a++) {
      double[][] x = scaling.rows(log, ofAction[a]);
      double[] y = new double[x.length];
      for (int i = 0; i < y.length; i++) {
        y[i] = log.rewards()[ofAction[a][i]];
      }
      betas[a] =
          kind == Kind.RIDGE
              ? ridge(x, y, centre, scaling.width())
              : logistic(x, y, centre, scaling.width());
    }
    return new FittedRewardModel(kind, centre, lo, hi, scaling, betas);
  }

  /** The log odds of a rate, held off the infinities by half an event. */
  private static double logOdds(double mean, int n) {
    double edge = 0.5 / (n + 1);
    double rate = Math.min(Math.max(mean, edge), 1 - edge);
    return Math.log(rate / (1 - rate));
  }

  private static int[][] byAction(LoggedRounds log, int[] rounds) {
    int[] counts = new int[log.numActions()];
    for (int i : rounds) {
      counts[log.actions()[i]]++;
    }
    int[][] ofAction = new int[counts.length][];
    Arrays.setAll(ofAction, a -> new int[counts[a]]);
    Arrays.fill(counts, 0);
    for (int i : rounds) {
      int a = log.actions()[i];
      ofAction[a][counts[a]++] = i;
    }
    return ofAction;
  }

  private double[] ridge(double[][] x, double[] y, double centre, int width) {
    double[] right = new double[width];
    double[][] left = new double[width][width];
    for (int i = 0; i < y.length; i++) {
      accumulate(left, right, x[i], 1, y[i] - centre);
    }
    return penalised(left, right);
  }

  private double[] logistic(double[][] x, double[] y, double centre, int width) {
    double[] beta = new double[width];
    double objective = logLikelihood(x, y, centre, beta);
    for (int step = 0; step < MAX_STEPS && y.length > 0; step++) {
      double[] gradient = new double[width];
      double[][] curvature = new double[width][width];
      for (int i = 0; i < y.length; i++) {
        double p = FittedRewardModel.sigmoid(centre + FittedRewardModel.dot(beta, x[i]));
        accumulate(curvature, gradient, x[i], p * (1 - p), y[i] - p);
      }
      for (int j = 0; j < width; j++) {
        gradient[j] -= l2 * beta[j];
      }
      double[] direction = penalised(curvature, gradient);
      double slope = FittedRewardModel.dot(direction, gradient);
      double share = 1;
      double[] next = moved(beta, direction, share);
      double better = logLikelihood(x, y, centre, next);
      while (better < objective && share > 1e-6) {
        share /= 2;
        next = moved(beta, direction, share);
        better = logLikelihood(x, y, centre, next);
      }
      if (better < objective) {
        break;
      }
      beta = next;
      objective = better;
      // The slope is twice what a full Newton step can still gain.
      if (slope < 1e-14 * (1 + Math.abs(objective))) {
        break;
      }
    }
    return beta;
  }

  private double logLikelihood(double[][] x, double[] y, double centre, double[] beta) {
    double sum = -l2 / 2 * FittedRewardModel.dot(beta, beta);
    for (int i = 0; i < y.length; i++) {
      double z = centre + FittedRewardModel.dot(beta, x[i]);
      sum += y[i] * z - Math.max(z, 0) - Math.log1p(Math.exp(-Math.abs(z)));
    }
    return sum;
  }

  private static double[] moved(double[] beta, double[] direction, double share) {
    double[] next = new double[beta.length];
    Arrays.setAll(next, j -> beta[j] + share * direction[j]);
    return next;
  }

  /** Adds one row to the lower triangle on the left and to the right side. */
  private static void accumulate(
      double[][] left, double[] right, double[] x, double weight, double residual) {
    for (int j = 0; j < x.length; j++) {
      right[j] += residual * x[j];
      double scaled = weight * x[j];
      double[] row = left[j];
      for (int k = 0; k <= j; k++) {
        row[k] += scaled * x[k];
      }
    }
  }

  /** Solves (left + l2 I) z = right by Cholesky's factorisation in place. */
  private double[] penalised(double[][] left, double[] right) {
    int n = right.length;
    for (int j = 0; j < n; j++) {
      left[j][j] += l2;
      for (int k = 0; k <= j; k++) {
        double sum = left[j][k];
        for (int m = 0; m < k; m++) {
          sum -= left[j][m] * left[k][m];
        }
        left[j][k] = j == k ? Math.sqrt(sum) : sum / left[k][k];
      }
    }
    double[] z = right.clone();
    for (int j = 0; j < n; j++) {
      for (int k = 0; k < j; k++) {
        z[j] -= left[j][k] * z[k];
      }
      z[j] /= left[j][j];
    }
    for (int j = n - 1; j >= 0; j--) {
      for (int k = j + 1; k < n; k++) {
        z[j] -= left[k][j] * z[k];
      }
      z[j] /= left[j][j];
    }
    return z;
  }
}
