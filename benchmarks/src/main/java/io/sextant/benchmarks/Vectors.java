package io.sextant.benchmarks;

import java.util.Random;

/** Vectors to search, the same for the same seed. */
final class Vectors {

  private Vectors() {}

  /** Independent numbers (n * dimension), normal: the worst case of every graph. */
  static float[] normal(int n, int dimension, long seed) {
    Random random = new Random(seed);
    float[] values = new float[Math.multiplyExact(n, dimension)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /**
   * Items and queries (n * dimension) like those of trained models: a spectrum that falls as 1 /
   * sqrt(1 + d), tastes in clusters whose sizes fall as 1 / rank, and lengths that differ with
   * popularity.
   *
   * <p>{@code v = s S (c + g / 2)} with S the spectrum, c the centre of one of 1,000 clusters, g
   * normal and s = exp(normal / 4). A query has the mean of two centres for c, and s = 1.
   */
  record Trained(float[] items, float[] queries) {

    private static final int CLUSTERS = 1000;

    static Trained of(int numItems, int numQueries, int dimension, long seed) {
      Random random = new Random(seed);
      float[] centres = normal(CLUSTERS, dimension, seed + 1);
      float[] items = new float[Math.multiplyExact(numItems, dimension)];
      for (int item = 0; item < numItems; item++) {
        int centre = cluster(random) * dimension;
        double length = Math.exp(random.nextGaussian() / 4);
        for (int d = 0; d < dimension; d++) {
          items[item * dimension + d] =
              (float) (length * axis(d) * (centres[centre + d] + random.nextGaussian() / 2));
        }
      }
      float[] queries = new float[Math.multiplyExact(numQueries, dimension)];
      for (int query = 0; query < numQueries; query++) {
        int one = cluster(random) * dimension;
        int other = cluster(random) * dimension;
        for (int d = 0; d < dimension; d++) {
          double mean = (centres[one + d] + centres[other + d]) / 2;
          queries[query * dimension + d] = (float) (axis(d) * (mean + random.nextGaussian() / 2));
        }
      }
      return new Trained(items, queries);
    }

    private static int cluster(Random random) {
      return (int) Math.pow(CLUSTERS, random.nextDouble()) - 1;
    }

    private static double axis(int d) {
      return 1 / Math.sqrt(1 + d);
    }
  }
}
