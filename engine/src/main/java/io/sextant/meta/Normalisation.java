package io.sextant.meta;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How the scores of strategies are made comparable among the candidates of one user. Only {@link
 * #Z} collapses into one inner product; re-scoring may use any. Which is best differs from data set
 * to data set.
 */
public enum Normalisation {
  /** Standardised over the catalogue, a tenth, cut at -0.3 and 6. */
  Z {
    @Override
    void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride) {
      for (int c = 0; c < evidence.numCandidates(); c++) {
        float z = evidence.z(user, c, strategy);
        into[at + c * stride] = Math.min(60, Math.max(-3, z)) / 10;
      }
    }
  },
  /** Square root of the positive part of the standardised score. */
  SQRT_Z {
    @Override
    void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride) {
      for (int c = 0; c < evidence.numCandidates(); c++) {
        into[at + c * stride] = (float) Math.sqrt(Math.max(0, evidence.z(user, c, strategy)));
      }
    }
  },
  /** From 0 for the least to 1 for the greatest among the user's candidates. */
  MIN_MAX {
    @Override
    void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride) {
      float least = Float.POSITIVE_INFINITY;
      float greatest = Float.NEGATIVE_INFINITY;
      for (int c = 0; c < evidence.length(user); c++) {
        float value = evidence.raw(user, c, strategy);
        least = Math.min(least, value);
        greatest = Math.max(greatest, value);
      }
      float range = Math.max(greatest - least, 1e-9f);
      for (int c = 0; c < evidence.length(user); c++) {
        into[at + c * stride] = (evidence.raw(user, c, strategy) - least) / range;
      }
    }
  },
  /** Reciprocal rank among the user's candidates: 10 / (rank + 10), ranks from 0. */
  RECIPROCAL_RANK {
    @Override
    void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride) {
      int[] ranks = evidence.ranks(user, strategy);
      for (int c = 0; c < ranks.length; c++) {
        into[at + c * stride] = 10f / (ranks[c] + 10);
      }
    }
  },
  /** Minus a quarter of the binary logarithm of the rank among the user's candidates. */
  LOG_RANK {
    @Override
    void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride) {
      int[] ranks = evidence.ranks(user, strategy);
      for (int c = 0; c < ranks.length; c++) {
        into[at + c * stride] = (float) (-Math.log(ranks[c] + 2) / (4 * Math.log(2)));
      }
    }
  };

  /** Writes one strategy's normalised scores of a user's candidates to at, at + stride, ... */
  abstract void apply(Evidence evidence, int user, int strategy, float[] into, int at, int stride);

  /** All users, candidates and strategies (B * N * M); 0 at padding. */
  float[] apply(Evidence evidence) {
    int numStrategies = evidence.numStrategies();
    int rows = evidence.numCandidates() * numStrategies;
    float[] normalised = new float[evidence.numUsers() * rows];
    IntStream.range(0, evidence.numUsers())
        .parallel()
        .forEach(
            user -> {
              for (int m = 0; m < numStrategies; m++) {
                apply(evidence, user, m, normalised, user * rows + m, numStrategies);
              }
              int used = evidence.length(user) * numStrategies;
              Arrays.fill(normalised, user * rows + used, (user + 1) * rows, 0);
            });
    return normalised;
  }
}
