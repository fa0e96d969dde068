package io.sextant.meta;

/**
 * Brings features to mean 0 and standard deviation 1, as measured on the users that a policy was
 * fitted to, and cuts them off. A feature that was the same for all of them is 0 for everybody: the
 * network has learned nothing about it, so another value, as that of users who were not there in
 * training, must not reach it.
 *
 * @param means (F)
 * @param deviations (F), none zero
 * @param limit greatest absolute value that comes out
 */
record Standardiser(float[] means, float[] deviations, float limit) {

  private static final double FLOOR = 1e-6;

  /** The floor and what the rounding of equal numbers adds to it. */
  private static final float CONSTANT = 2e-6f;

  /** Measured on rows (R * F). */
  static Standardiser of(float[] rows, int width, float limit) {
    int count = rows.length / width;
    double[] sums = new double[width];
    double[] squares = new double[width];
    for (int at = 0; at < count * width; at++) {
      sums[at % width] += rows[at];
    }
    for (int f = 0; f < width; f++) {
      sums[f] /= Math.max(1, count);
    }
    for (int at = 0; at < count * width; at++) {
      double difference = rows[at] - sums[at % width];
      squares[at % width] += difference * difference;
    }
    float[] means = new float[width];
    float[] deviations = new float[width];
    for (int f = 0; f < width; f++) {
      means[f] = (float) sums[f];
      deviations[f] = (float) (Math.sqrt(squares[f] / Math.max(1, count)) + FLOOR);
    }
    return new Standardiser(means, deviations, limit);
  }

  int width() {
    return means.length;
  }

  /** Standardises rows (R * F) in place and returns them. */
  float[] apply(float[] rows) {
    int width = means.length;
    for (int at = 0; at < rows.length; at++) {
      float deviation = deviations[at % width];
      float value = deviation <= CONSTANT ? 0 : (rows[at] - means[at % width]) / deviation;
      rows[at] = Math.min(limit, Math.max(-limit, value));
    }
    return rows;
  }
}
