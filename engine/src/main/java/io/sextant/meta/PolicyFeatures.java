package io.sextant.meta;

import io.sextant.retrieve.SparseRows;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The inputs of the policy network, before standardisation.
 *
 * <p>Of a user, before candidates are known (stage 1): length of the history, popularity of its
 * items (mean, spread, latest), whether the user was there in training, and of each strategy how
 * peaked its scores are. With candidates (stage 2) also, of each strategy: how much its best 20
 * overlap with those of the others, and how far above the catalogue its best and its twentieth
 * candidate stand. Of a candidate: its popularity, its rank in the baseline mixture, and each
 * strategy's score in three normalisations.
 *
 * <p>Thread safety: stateless.
 */
final class PolicyFeatures {

  private static final int DEPTH = 20;
  private static final List<Normalisation> EVIDENCE =
      List.of(Normalisation.LOG_RANK, Normalisation.SQRT_Z, Normalisation.MIN_MAX);

  private final ItemFacts facts;
  private final List<String> strategies;

  PolicyFeatures(ItemFacts facts, List<String> strategies) {
    this.facts = facts;
    this.strategies = strategies;
  }

  /** Names of the features of a user before candidates are known. */
  List<String> userNames() {
    List<String> names =
        new ArrayList<>(
            List.of(
                "history length",
                "mean popularity of history",
                "spread of popularity of history",
                "popularity of latest item",
                "known in training"));
    strategies.forEach(s -> names.add("mean to deviation of " + s));
    strategies.forEach(s -> names.add("support of " + s));
    return names;
  }

  /** Names of the features of a user with candidates. */
  List<String> userNamesWithCandidates() {
    List<String> names = new ArrayList<>(userNames());
    strategies.forEach(s -> names.add("agreement of " + s));
    strategies.forEach(s -> names.add("best score of " + s));
    strategies.forEach(s -> names.add("twentieth score of " + s));
    return names;
  }

  /** Names of the features of a candidate. */
  List<String> itemNames() {
    List<String> names = new ArrayList<>(List.of("item popularity", "rank in baseline"));
    for (Normalisation normalisation : EVIDENCE) {
      String kind = normalisation.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      strategies.forEach(s -> names.add(kind + " of " + s));
    }
    return names;
  }

  /** Features of users before candidates are known (B * F). */
  float[] users(List<UserState> users, PoolScores scores) {
    int numStrategies = strategies.size();
    int width = userNames().size();
    float[] features = new float[users.size() * width];
    for (int u = 0; u < users.size(); u++) {
      int at = u * width;
      history(users.get(u), features, at);
      at += 5;
      for (int m = 0; m < numStrategies; m++) {
        int i = u * numStrategies + m;
        float deviation = scores.deviations()[i];
        float ratio = deviation > 0 ? scores.means()[i] / deviation : 0;
        features[at + m] = Math.min(10, Math.max(-10, ratio));
        SparseRows sparse = scores.sparse()[m];
        features[at + numStrategies + m] =
            sparse == null ? 0 : (float) Math.log1p(sparse.starts()[u + 1] - sparse.starts()[u]);
      }
    }
    return features;
  }

  /**
   * Features of users with candidates (B * F').
   *
   * @param before (B * F), the features before candidates are known
   */
  float[] usersWithCandidates(float[] before, Evidence evidence) {
    int numStrategies = strategies.size();
    int narrow = userNames().size();
    int width = userNamesWithCandidates().size();
    float[] features = new float[evidence.numUsers() * width];
    IntStream.range(0, evidence.numUsers())
        .parallel()
        .forEach(
            u -> {
              System.arraycopy(before, u * narrow, features, u * width, narrow);
              candidates(evidence, u, features, u * width + narrow, numStrategies);
            });
    return features;
  }

  /**
   * Features of candidates (B * N * F_i).
   *
   * @param baseline (B * N) scores of the baseline mixture
   */
  float[] items(Evidence evidence, float[] baseline) {
    int numStrategies = strategies.size();
    int n = evidence.numCandidates();
    int width = itemNames().size();
    float[] features = new float[evidence.numUsers() * n * width];
    IntStream.range(0, evidence.numUsers())
        .parallel()
        .forEach(
            u -> {
              int row = u * n * width;
              int[] ranks = ranks(baseline, u * n, evidence.length(u));
              for (int c = 0; c < evidence.length(u); c++) {
                int at = row + c * width;
                features[at] = facts.logPopularity()[evidence.item(u, c)];
                features[at + 1] = (float) Math.log(ranks[c] + 2);
              }
              int offset = 2;
              for (Normalisation normalisation : EVIDENCE) {
                for (int m = 0; m < numStrategies; m++) {
                  normalisation.apply(evidence, u, m, features, row + offset++, width);
                }
              }
            });
    return features;
  }

  private void history(UserState user, float[] features, int at) {
    int[] items = user.history();
    double sum = 0;
    double squares = 0;
    for (int item : items) {
      double value = facts.logPopularity()[item];
      sum += value;
      squares += value * value;
    }
    double mean = items.length == 0 ? 0 : sum / items.length;
    double variance = items.length == 0 ? 0 : squares / items.length - mean * mean;
    features[at] = (float) Math.log1p(items.length);
    features[at + 1] = (float) mean;
    features[at + 2] = (float) Math.sqrt(Math.max(0, variance));
    features[at + 3] = items.length == 0 ? 0 : facts.logPopularity()[items[items.length - 1]];
    features[at + 4] = user.userIndex() >= 0 ? 1 : 0;
  }

  private static void candidates(
      Evidence evidence, int u, float[] features, int at, int numStrategies) {
    int length = evidence.length(u);
    int[] inTop = new int[length];
    int[][] ranks = new int[numStrategies][];
    for (int m = 0; m < numStrategies; m++) {
      ranks[m] = evidence.ranks(u, m);
      for (int c = 0; c < length; c++) {
        inTop[c] += ranks[m][c] < DEPTH ? 1 : 0;
      }
    }
    for (int m = 0; m < numStrategies; m++) {
      float shared = 0;
      float best = 0;
      float twentieth = 0;
      for (int c = 0; c < length; c++) {
        if (ranks[m][c] < DEPTH) {
          shared += inTop[c] - 1;
        }
        if (ranks[m][c] == 0) {
          best = evidence.z(u, c, m);
        } else if (ranks[m][c] == DEPTH - 1) {
          twentieth = evidence.z(u, c, m);
        }
      }
      features[at + m] = shared / (DEPTH * Math.max(1, numStrategies - 1));
      features[at + numStrategies + m] = (float) Math.log1p(Math.max(0, best));
      features[at + 2 * numStrategies + m] = (float) Math.log1p(Math.max(0, twentieth));
    }
  }

  private static int[] ranks(float[] scores, int at, int length) {
    Integer[] order = new Integer[length];
    Arrays.setAll(order, c -> c);
    Arrays.sort(order, (a, b) -> Float.compare(scores[at + b], scores[at + a]));
    int[] ranks = new int[length];
    for (int place = 0; place < length; place++) {
      ranks[order[place]] = place;
    }
    return ranks;
  }
}
