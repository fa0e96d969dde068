package io.sextant.cli;

/**
 * Logistic regression on one feature, fitted by Newton's method: p = sigmoid(intercept + slope x).
 */
record LogisticLine(double intercept, double slope) {

  private static final int MAX_STEPS = 50;

  /** Keeps the curvature positive where the feature separates the labels or never changes. */
  private static final double RIDGE = 1e-6;

  /**
   * The line with the greatest likelihood: the loss is convex, so it does not depend on a start.
   */
  static LogisticLine fit(float[] x, float[] labels) {
    double a = 0;
    double b = 0;
    for (int step = 0; step < MAX_STEPS; step++) {
      double ga = RIDGE * a;
      double gb = RIDGE * b;
      double haa = RIDGE;
      double hab = 0;
      double hbb = RIDGE;
      for (int i = 0; i < x.length; i++) {
        double p = sigmoid(a + b * x[i]);
        double error = (p - labels[i]) / x.length;
        double curve = p * (1 - p) / x.length;
        ga += error;
        gb += error * x[i];
        haa += curve;
        hab += curve * x[i];
        hbb += curve * x[i] * x[i];
      }
      double determinant = haa * hbb - hab * hab;
      double da = (hbb * ga - hab * gb) / determinant;
      double db = (haa * gb - hab * ga) / determinant;
      a -= da;
      b -= db;
      if (Math.abs(da) + Math.abs(db) < 1e-9) {
        break;
      }
    }
    return new LogisticLine(a, b);
  }

  float[] predict(float[] x) {
    float[] p = new float[x.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = (float) sigmoid(intercept + slope * x[i]);
    }
    return p;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }
}
