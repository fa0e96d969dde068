package io.sextant.meta;

import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/**
 * Fits one weight for each strategy, the same for all users: the baseline that a policy must beat.
 *
 * <p>First the listwise softmax loss over the candidates, {@code -sum_+ log softmax(n w) / |+|}, by
 * Adam in the logarithms of the weights, so that they stay positive; then two rounds of coordinate
 * search on NDCG@k, the metric that counts.
 *
 * <p>Time O(steps B N M). Thread safety: stateless.
 */
final class GlobalWeights {

  private static final int STEPS = 250;
  private static final int BATCH = 1500;
  private static final double RATE = 0.05;
  private static final double[] FACTORS = {0, 0.5, 0.7, 1.4, 2};
  private static final int ROUNDS = 2;

  private GlobalWeights() {}

  /**
   * Fits.
   *
   * @param normalised (B * N * M)
   * @param k of the NDCG that the search improves
   * @return (M) weights, none negative, at least one positive
   */
  static float[] fit(
      Evidence evidence, float[] normalised, Judgements judgements, int k, long seed) {
    int numStrategies = evidence.numStrategies();
    int[] users =
        IntStream.range(0, evidence.numUsers()).filter(u -> judgements.found(u) > 0).toArray();
    double[] logs = new double[numStrategies];
    if (users.length > 0) {
      descend(evidence, normalised, judgements, users, logs, seed);
    }
    float[] weights = new float[numStrategies];
    for (int m = 0; m < numStrategies; m++) {
      weights[m] = (float) Math.exp(logs[m]);
    }
    return search(evidence, normalised, judgements, k, weights);
  }

  /** The weighted sum of the strategies for each candidate (B * N). */
  static float[] scores(Evidence evidence, float[] normalised, float[] weights) {
    int numStrategies = weights.length;
    float[] scores = new float[evidence.numUsers() * evidence.numCandidates()];
    for (int at = 0; at < scores.length; at++) {
      float sum = 0;
      for (int m = 0; m < numStrategies; m++) {
        sum += weights[m] * normalised[at * numStrategies + m];
      }
      scores[at] = sum;
    }
    return scores;
  }

  private static void descend(
      Evidence evidence,
      float[] normalised,
      Judgements judgements,
      int[] users,
      double[] logs,
      long seed) {
    int m = logs.length;
    double[] first = new double[m];
    double[] second = new double[m];
    for (int step = 1; step <= STEPS; step++) {
      CounterRandom random = new CounterRandom(seed, "global-weights", step);
      int[] batch = new int[Math.min(BATCH, users.length)];
      for (int i = 0; i < batch.length; i++) {
        batch[i] = users[random.nextInt(users.length)];
      }
      double[] gradient = gradient(evidence, normalised, judgements, batch, logs);
      for (int i = 0; i < m; i++) {
        first[i] = 0.9 * first[i] + 0.1 * gradient[i];
        second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
        double unbiasedFirst = first[i] / (1 - Math.pow(0.9, step));
        double unbiasedSecond = second[i] / (1 - Math.pow(0.999, step));
        logs[i] -= RATE * unbiasedFirst / (Math.sqrt(unbiasedSecond) + 1e-8);
      }
    }
  }

  /** The gradient of the mean loss with respect to the logarithms of the weights. */
  static double[] gradient(
      Evidence evidence, float[] normalised, Judgements judgements, int[] users, double[] logs) {
    int numStrategies = logs.length;
    int n = evidence.numCandidates();
    double[] weights = Arrays.stream(logs).map(Math::exp).toArray();
    double[][] parts = new double[users.length][];
    ConcurrentLinkedQueue<double[]> idle = new ConcurrentLinkedQueue<>();
    IntStream.range(0, users.length)
        .parallel()
        .forEach(
            i -> {
              double[] idleScores = idle.poll();
              double[] scores = idleScores == null ? new double[n] : idleScores;
              parts[i] = gradient(evidence, normalised, judgements, users[i], weights, scores);
              idle.add(scores);
            });
    // Summed in order, so that the result does not depend on the threads.
    double[] sum = new double[numStrategies];
    for (double[] part : parts) {
      for (int m = 0; m < numStrategies; m++) {
        sum[m] += part[m] / users.length;
      }
    }
    return sum;
  }

  private static double[] gradient(
      Evidence evidence,
      float[] normalised,
      Judgements judgements,
      int user,
      double[] weights,
      double[] scores) {
    int numStrategies = weights.length;
    int n = evidence.numCandidates();
    int length = evidence.length(user);
    double greatest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < length; c++) {
      double score = 0;
      for (int m = 0; m < numStrategies; m++) {
        score += weights[m] * normalised[(user * n + c) * numStrategies + m];
      }
      scores[c] = score;
      greatest = Math.max(greatest, score);
    }
    double total = 0;
    for (int c = 0; c < length; c++) {
      scores[c] = Math.exp(scores[c] - greatest);
      total += scores[c];
    }
    double positives = judgements.found(user);
    double[] gradient = new double[numStrategies];
    for (int c = 0; c < length; c++) {
      double difference = scores[c] / total - judgements.labels()[user * n + c] / positives;
      for (int m = 0; m < numStrategies; m++) {
        gradient[m] += difference * weights[m] * normalised[(user * n + c) * numStrategies + m];
      }
    }
    return gradient;
  }

  /** Coordinate search on NDCG@k from these weights; those that are zero stay so. */
  static float[] search(
      Evidence evidence, float[] normalised, Judgements judgements, int k, float[] start) {
    float[] weights = start.clone();
    float[] base = scores(evidence, normalised, weights);
    double best = judgements.meanNdcg(evidence, base, k);
    int numStrategies = weights.length;
    for (int round = 0; round < ROUNDS; round++) {
      for (int m = 0; m < numStrategies; m++) {
        for (double factor : FACTORS) {
          float change = (float) (weights[m] * (factor - 1));
          if (change == 0 || isLast(weights, m, factor)) {
            continue;
          }
          float[] changed = base.clone();
          for (int at = 0; at < changed.length; at++) {
            changed[at] += change * normalised[at * numStrategies + m];
          }
          double value = judgements.meanNdcg(evidence, changed, k);
          if (value > best + 1e-6) {
            best = value;
            base = changed;
            weights[m] += change;
          }
        }
      }
    }
    return weights;
  }

  /** Whether the factor would make the last positive weight zero. */
  private static boolean isLast(float[] weights, int m, double factor) {
    if (factor > 0) {
      return false;
    }
    for (int other = 0; other < weights.length; other++) {
      if (other != m && weights[other] > 0) {
        return false;
      }
    }
    return true;
  }
}
