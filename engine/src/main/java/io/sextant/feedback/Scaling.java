package io.sextant.feedback;

/**
 * Standardises contexts: each number less its mean, by its standard deviation (or by 1 where it
 * does not vary), behind a 1 for the intercept.
 *
 * @param means (d)
 * @param deviations (d), &gt; 0
 */
record Scaling(double[] means, double[] deviations) {

  static Scaling of(LoggedRounds log, int[] rounds) {
    int d = log.contextDimension();
    double[] means = new double[d];
    double[] deviations = new double[d];
    for (int i : rounds) {
      for (int j = 0; j < d; j++) {
        means[j] += log.contexts()[i * d + j] / rounds.length;
      }
    }
    for (int i : rounds) {
      for (int j = 0; j < d; j++) {
        double off = log.contexts()[i * d + j] - means[j];
        deviations[j] += off * off / rounds.length;
      }
    }
    for (int j = 0; j < d; j++) {
      double deviation = Math.sqrt(deviations[j]);
      // Below this a column is constant up to rounding.
      deviations[j] = deviation > 1e-9 * (1 + Math.abs(means[j])) ? deviation : 1;
    }
    return new Scaling(means, deviations);
  }

  /** 1 + d: the length of a standardised row. */
  int width() {
    return 1 + means.length;
  }

  double[][] rows(LoggedRounds log, int[] rounds) {
    double[][] rows = new double[rounds.length][width()];
    for (int i = 0; i < rounds.length; i++) {
      row(log.contexts(), rounds[i] * means.length, rows[i]);
    }
    return rows;
  }

  /** Writes the standardised row of the context that starts at an offset. */
  void row(double[] contexts, int offset, double[] into) {
    into[0] = 1;
    for (int j = 0; j < means.length; j++) {
      into[j + 1] = (contexts[offset + j] - means[j]) / deviations[j];
    }
  }
}
