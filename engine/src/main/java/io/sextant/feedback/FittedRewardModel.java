package io.sextant.feedback;

import io.sextant.InvalidInputException;

/**
 * What a {@link RewardModel} learned: the expected reward of each of K actions, given a context of
 * d numbers.
 *
 * <p>Thread safety: immutable.
 */
public final class FittedRewardModel {

  private final RewardModel.Kind kind;
  private final double centre;
  private final double lo;
  private final double hi;
  private final Scaling scaling;
  private final double[][] betas;

  FittedRewardModel(
      RewardModel.Kind kind,
      double centre,
      double lo,
      double hi,
      Scaling scaling,
      double[][] betas) {
    this.kind = kind;
    this.centre = centre;
    this.lo = lo;
    this.hi = hi;
    this.scaling = scaling;
    this.betas = betas;
  }

  /**
   * The expected rewards of all actions in a batch of contexts.
   *
   * @param contexts (B * d) row after row
   * @param rows B; needed because d may be 0
   */
  public RewardPredictions predict(double[] contexts, int rows) {
    int d = scaling.width() - 1;
    if (contexts.length != (long) rows * d) {
      throw new InvalidInputException(
          "%d contexts of %d numbers need %d numbers but had %d"
              .formatted(rows, d, (long) rows * d, contexts.length));
    }
    double[] values = new double[rows * betas.length];
    for (int i = 0; i < rows; i++) {
      predict(contexts, i * d, values, i * betas.length);
    }
    return new RewardPredictions(betas.length, values);
  }

  /** Predicts one context, found and written at the offsets. */
  void predict(double[] contexts, int offset, double[] into, int at) {
    double[] x = new double[scaling.width()];
    scaling.row(contexts, offset, x);
    for (int a = 0; a < betas.length; a++) {
      double z = centre + dot(betas[a], x);
      double value = kind == RewardModel.Kind.LOGISTIC ? sigmoid(z) : z;
      into[at + a] = Math.min(Math.max(value, lo), hi);
    }
  }

  /** (1 + d) the intercept's distance from the centre and the slopes of one action; a copy. */
  double[] coefficients(int action) {
    return betas[action].clone();
  }

  /** The linear form of coefficients over one context. */
  double linear(double[] beta, double[] contexts, int offset) {
    double[] x = new double[scaling.width()];
    scaling.row(contexts, offset, x);
    return centre + dot(beta, x);
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }
}
