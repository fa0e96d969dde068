package io.sextant.cli;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Each user's mean over the seeds of a protocol, so that intervals hold the sampling of users. */
final class SeedMeans {

  private SeedMeans() {}

  /**
   * The mean over the seeds in which a user has truth; users without any are left out.
   *
   * @param users of a run, in the order of its values
   * @param values of a run
   */
  static <R> double[] of(
      List<R> runs, Function<R, int[]> users, Function<R, double[]> values, int numUsers) {
    double[] sums = new double[numUsers];
    int[] counts = new int[numUsers];
    for (R run : runs) {
      int[] who = users.apply(run);
      double[] what = values.apply(run);
      for (int u = 0; u < what.length; u++) {
        sums[who[u]] += what[u];
        counts[who[u]]++;
      }
    }
    double[] means = new double[numUsers];
    int n = 0;
    for (int user = 0; user < numUsers; user++) {
      if (counts[user] > 0) {
        means[n++] = sums[user] / counts[user];
      }
    }
    return Arrays.copyOf(means, n);
  }
}
