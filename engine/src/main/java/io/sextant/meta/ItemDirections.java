package io.sextant.meta;

/**
 * Makes of item vectors of several strategies one direction: each strategy's vectors less their
 * mean, divided by the root of their covariance's trace, so that each strategy counts alike. One
 * dimension alone, as popularity has it, is no direction and is left out.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 *
 * @param offsets (M + 1) where each strategy's dimensions begin
 * @param means (D) of the catalogue
 * @param scales (M)
 */
record ItemDirections(int[] offsets, float[] means, float[] scales) {

  /** How many dimensions are directions. */
  static int width(int[] offsets) {
    int width = 0;
    for (int m = 0; m + 1 < offsets.length; m++) {
      width += isDirection(offsets, m) ? offsets[m + 1] - offsets[m] : 0;
    }
    return width;
  }

  private static boolean isDirection(int[] offsets, int strategy) {
    return offsets[strategy + 1] - offsets[strategy] > 1;
  }

  /**
   * Unit vectors; zeros where nothing is left of a vector.
   *
   * @param vectors (n * D)
   * @return (n * width)
   */
  float[] of(float[] vectors) {
    int width = width(offsets);
    int n = vectors.length / means.length;
    float[] directions = new float[n * width];
    for (int i = 0; i < n; i++) {
      int to = i * width;
      for (int m = 0; m < scales.length; m++) {
        if (isDirection(offsets, m)) {
          for (int d = offsets[m]; d < offsets[m + 1]; d++) {
            directions[to++] = (vectors[i * means.length + d] - means[d]) * scales[m];
          }
        }
      }
      normalise(directions, i * width, width);
    }
    return directions;
  }

  private static void normalise(float[] values, int from, int length) {
    double squares = 0;
    for (int at = from; at < from + length; at++) {
      squares += (double) values[at] * values[at];
    }
    for (int at = from; at < from + length && squares > 0; at++) {
      values[at] /= (float) Math.sqrt(squares);
    }
  }
}
