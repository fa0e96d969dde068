package io.sextant.meta;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What users did afterwards, laid beside the candidates that they could have been shown.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 *
 * @param numCandidates N
 * @param labels (B * N) 1 where the candidate is relevant, else 0
 * @param relevant (B) how many relevant items each user has, among the candidates or not
 */
record Judgements(int numCandidates, float[] labels, int[] relevant) {

  static Judgements of(Evidence evidence, int[][] truth) {
    int n = evidence.numCandidates();
    float[] labels = new float[evidence.numUsers() * n];
    int[] relevant = new int[evidence.numUsers()];
    for (int u = 0; u < relevant.length; u++) {
      int[] sorted = Arrays.stream(truth[u]).sorted().distinct().toArray();
      relevant[u] = sorted.length;
      for (int c = 0; c < evidence.length(u); c++) {
        labels[u * n + c] = Arrays.binarySearch(sorted, evidence.item(u, c)) >= 0 ? 1 : 0;
      }
    }
    return new Judgements(n, labels, relevant);
  }

  /** How many of the user's candidates are relevant. */
  int found(int user) {
    float sum = 0;
    for (int c = 0; c < numCandidates; c++) {
      sum += labels[user * numCandidates + c];
    }
    return (int) sum;
  }

  /** NDCG@k of each user when the candidates are ordered by these scores (B * N). */
  double[] ndcg(Evidence evidence, float[] scores, int k) {
    double[] values = new double[evidence.numUsers()];
    IntStream.range(0, values.length)
        .parallel()
        .forEach(u -> values[u] = ndcg(evidence.length(u), u, scores, u * numCandidates, k));
    return values;
  }

  /** The mean of {@link #ndcg} over users with anything relevant. */
  double meanNdcg(Evidence evidence, float[] scores, int k) {
    double[] values = ndcg(evidence, scores, k);
    double sum = 0;
    int count = 0;
    for (int u = 0; u < values.length; u++) {
      if (relevant[u] > 0) {
        sum += values[u];
        count++;
      }
    }
    return count == 0 ? 0 : sum / count;
  }

  private double ndcg(int length, int user, float[] scores, int at, int k) {
    if (relevant[user] == 0) {
      return 0;
    }
    double gain = 0;
    for (int c = 0; c < length; c++) {
      if (labels[user * numCandidates + c] > 0) {
        int place = 0;
        float score = scores[at + c];
        for (int other = 0; other < length && place < k; other++) {
          float otherScore = scores[at + other];
          place += otherScore > score || (otherScore == score && other < c) ? 1 : 0;
        }
        gain += place < k ? 1 / log2(place + 2) : 0;
      }
    }
    double ideal = 0;
    for (int place = 0; place < Math.min(k, relevant[user]); place++) {
      ideal += 1 / log2(place + 2);
    }
    return gain / ideal;
  }

  private static double log2(double x) {
    return Math.log(x) / Math.log(2);
  }
}
