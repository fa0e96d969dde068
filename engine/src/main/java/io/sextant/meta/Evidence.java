package io.sextant.meta;

import java.util.Arrays;

/**
 * What M strategies say of N candidates of each of B users: raw scores, and mean and standard
 * deviation of each strategy's scores over the catalogue.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays, which are not copied.
 *
 * @param numCandidates N, the room for candidates that each user has
 * @param numStrategies M
 * @param lengths (B) how many candidates each user has; the rest is padding
 * @param items (B * N) candidates; -1 at padding
 * @param raw (B * N * M)
 * @param means (B * M)
 * @param deviations (B * M); 0 where all scores are equal
 */
record Evidence(
    int numCandidates,
    int numStrategies,
    int[] lengths,
    int[] items,
    float[] raw,
    float[] means,
    float[] deviations) {

  int numUsers() {
    return lengths.length;
  }

  int length(int user) {
    return lengths[user];
  }

  int item(int user, int candidate) {
    return items[user * numCandidates + candidate];
  }

  float raw(int user, int candidate, int strategy) {
    return raw[(user * numCandidates + candidate) * numStrategies + strategy];
  }

  /** The standardised score; 0 where all scores of the user are equal. */
  float z(int user, int candidate, int strategy) {
    int i = user * numStrategies + strategy;
    return deviations[i] > 0 ? (raw(user, candidate, strategy) - means[i]) / deviations[i] : 0;
  }

  /** Rank from 0 of each of the user's candidates by one strategy; ties by place. */
  int[] ranks(int user, int strategy) {
    int n = lengths[user];
    long[] keys = new long[n];
    for (int c = 0; c < n; c++) {
      int bits = Float.floatToIntBits(raw(user, c, strategy) + 0f);
      // Integers that compare like the floats, negated so that the greatest comes first.
      int key = ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
      keys[c] = ((long) key << 32) | c;
    }
    Arrays.sort(keys);
    int[] ranks = new int[n];
    for (int rank = 0; rank < n; rank++) {
      ranks[(int) keys[rank]] = rank;
    }
    return ranks;
  }

  /** The evidence of these strategies. */
  Evidence only(int[] strategies) {
    return new Evidence(
        numCandidates,
        strategies.length,
        lengths,
        items,
        columns(raw, strategies),
        columns(means, strategies),
        columns(deviations, strategies));
  }

  private float[] columns(float[] values, int[] columns) {
    float[] chosen = new float[values.length / numStrategies * columns.length];
    for (int at = 0; at < chosen.length; at++) {
      chosen[at] = values[at / columns.length * numStrategies + columns[at % columns.length]];
    }
    return chosen;
  }

  /** The evidence of these users. */
  Evidence select(int[] users) {
    int row = numCandidates;
    int[] newLengths = new int[users.length];
    int[] newItems = new int[users.length * row];
    float[] newRaw = new float[newItems.length * numStrategies];
    float[] newMeans = new float[users.length * numStrategies];
    float[] newDeviations = new float[newMeans.length];
    for (int i = 0; i < users.length; i++) {
      int u = users[i];
      newLengths[i] = lengths[u];
      System.arraycopy(items, u * row, newItems, i * row, row);
      System.arraycopy(
          raw, u * row * numStrategies, newRaw, i * row * numStrategies, row * numStrategies);
      System.arraycopy(means, u * numStrategies, newMeans, i * numStrategies, numStrategies);
      System.arraycopy(
          deviations, u * numStrategies, newDeviations, i * numStrategies, numStrategies);
    }
    return new Evidence(
        numCandidates, numStrategies, newLengths, newItems, newRaw, newMeans, newDeviations);
  }
}
