package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GlobalWeightsTest {

  private static final int USERS = 300;
  private static final int N = 20;
  private static final int M = 3;

  @Test
  void theGradientIsThatOfFiniteDifferences() {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      Evidence evidence = evidence(random);
      float[] normalised = Normalisation.Z.apply(evidence);
      Judgements judgements = judgements(evidence, random, new double[] {1, 0.2, 0});
      int[] users =
          IntStream.range(0, USERS).filter(u -> judgements.found(u) > 0).limit(40).toArray();
      double[] logs = {0.1, -0.4, 0.3};
      double[] gradient = GlobalWeights.gradient(evidence, normalised, judgements, users, logs);
      for (int m = 0; m < M; m++) {
        double[] up = logs.clone();
        double[] down = logs.clone();
        up[m] += 1e-4;
        down[m] -= 1e-4;
        double expected =
            (loss(evidence, normalised, judgements, users, up)
                    - loss(evidence, normalised, judgements, users, down))
                / 2e-4;
        assertThat(gradient[m]).as("seed %d, weight %d", seed, m).isCloseTo(expected, within(1e-6));
      }
    }
  }

  @Test
  void theStrategyThatKnowsGetsTheWeightAndNoiseGetsNone() {
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      Evidence evidence = evidence(random);
      float[] normalised = Normalisation.Z.apply(evidence);
      Judgements judgements = judgements(evidence, random, new double[] {3, 1.5, 0});
      float[] weights = GlobalWeights.fit(evidence, normalised, judgements, 10, seed);
      assertThat(weights[0]).as("seed %d: %s", seed, Arrays.toString(weights)).isPositive();
      assertThat(weights[1] / weights[0]).as("seed %d", seed).isBetween(0.25f, 0.9f);
      assertThat(weights[2] / weights[0]).as("seed %d", seed).isBetween(0f, 0.15f);
      double alone =
          judgements.meanNdcg(
              evidence, GlobalWeights.scores(evidence, normalised, new float[] {1, 0, 0}), 10);
      double mixed =
          judgements.meanNdcg(evidence, GlobalWeights.scores(evidence, normalised, weights), 10);
      assertThat(mixed).as("seed %d", seed).isGreaterThan(alone);
    }
  }

  @Test
  void ndcgIsThatOfTheDefinition() {
    Evidence evidence =
        new Evidence(
            4,
            1,
            new int[] {4, 2},
            new int[] {5, 6, 7, 8, 5, 6, -1, -1},
            new float[8],
            new float[2],
            new float[2]);
    Judgements judgements = Judgements.of(evidence, new int[][] {{6, 8, 99}, {5}});
    float[] scores = {4, 3, 2, 1, 1, 1, 9, 9};
    double[] ndcg = judgements.ndcg(evidence, scores, 2);
    // User 0: item 6 at place 2 of 2, three relevant. User 1: a tie, the earlier candidate wins.
    double second = Math.log(2) / Math.log(3);
    assertThat(ndcg[0]).isCloseTo(second / (1 + second), within(1e-12));
    assertThat(ndcg[1]).isCloseTo(1, within(1e-12));
  }

  private static double loss(
      Evidence evidence, float[] normalised, Judgements judgements, int[] users, double[] logs) {
    double sum = 0;
    for (int user : users) {
      double[] scores = new double[N];
      for (int c = 0; c < N; c++) {
        for (int m = 0; m < M; m++) {
          scores[c] += Math.exp(logs[m]) * normalised[(user * N + c) * M + m];
        }
      }
      double total = Arrays.stream(scores).map(Math::exp).sum();
      for (int c = 0; c < N; c++) {
        sum -=
            judgements.labels()[user * N + c]
                / judgements.found(user)
                * (scores[c] - Math.log(total));
      }
    }
    return sum / users.length;
  }

  private static Evidence evidence(Random random) {
    float[] raw = new float[USERS * N * M];
    int[] items = new int[USERS * N];
    for (int i = 0; i < raw.length; i++) {
      raw[i] = (float) (10 * random.nextGaussian());
    }
    for (int i = 0; i < items.length; i++) {
      items[i] = i % N;
    }
    float[] deviations = new float[USERS * M];
    Arrays.fill(deviations, 1);
    int[] lengths = new int[USERS];
    Arrays.fill(lengths, N);
    return new Evidence(N, M, lengths, items, raw, new float[USERS * M], deviations);
  }

  /** One relevant item for each user, drawn from the softmax of a known mixture. */
  private static Judgements judgements(Evidence evidence, Random random, double[] truth) {
    int[][] relevant = new int[USERS][];
    float[] normalised = Normalisation.Z.apply(evidence);
    for (int u = 0; u < USERS; u++) {
      double[] probabilities = new double[N];
      double total = 0;
      for (int c = 0; c < N; c++) {
        double score = 0;
        for (int m = 0; m < M; m++) {
          score += truth[m] * normalised[(u * N + c) * M + m];
        }
        probabilities[c] = Math.exp(score);
        total += probabilities[c];
      }
      double draw = random.nextDouble() * total;
      int chosen = 0;
      while (chosen < N - 1 && draw >= probabilities[chosen]) {
        draw -= probabilities[chosen++];
      }
      relevant[u] = new int[] {chosen};
    }
    return Judgements.of(evidence, relevant);
  }
}
