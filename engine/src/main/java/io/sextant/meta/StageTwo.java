package io.sextant.meta;

import io.sextant.tensor.Scope;
import java.util.List;

/**
 * Re-scores candidates with weights that depend on user and item.
 *
 * <p>Thread safety: safe.
 *
 * @param normalisation of the scores that are mixed
 * @param baseline (M) global weights over them
 * @param policies networks whose scores are averaged; may be empty
 * @param users standardiser of the features of users with candidates
 * @param items standardiser of the features of candidates
 * @param edges ascending history lengths that separate the groups
 * @param strengths for each group of history lengths how much of the policy's change is applied, in
 *     [0, 1]: 0 is the baseline
 */
record StageTwo(
    Normalisation normalisation,
    float[] baseline,
    List<MixModel> policies,
    Standardiser users,
    Standardiser items,
    int[] edges,
    float[] strengths) {

  /** The same with other strengths. */
  StageTwo withStrengths(float[] other) {
    return new StageTwo(normalisation, baseline, policies, users, items, edges, other);
  }

  /** The group of a history of this length. */
  int group(int historyLength) {
    int group = 0;
    while (group < edges.length && historyLength > edges[group]) {
      group++;
    }
    return group;
  }

  /** How much of the policy's change is applied to a user with a history of this length. */
  float strength(int historyLength) {
    return historyLength == 0 ? 0 : strengths[group(historyLength)];
  }

  /** The baseline's scores (B * N). */
  float[] baselineScores(Evidence evidence, float[] normalised) {
    return GlobalWeights.scores(evidence, normalised, baseline);
  }

  /** What the networks read. */
  MixData data(
      PolicyFeatures features,
      Evidence evidence,
      float[] normalised,
      float[] before,
      float[] confidence) {
    float[] raw = features.usersWithCandidates(before, evidence);
    float[] candidates = features.items(evidence, baselineScores(evidence, normalised));
    return new MixData(evidence, normalised, users.apply(raw), items.apply(candidates), confidence);
  }

  /** The mean of the networks' scores (users * N). */
  float[] policyScores(Scope scope, MixData data, int[] chosen) {
    float[] mean = new float[chosen.length * data.evidence().numCandidates()];
    for (MixModel policy : policies) {
      float[] scores = MixTask.scores(scope, policy, data, chosen);
      for (int i = 0; i < mean.length; i++) {
        mean[i] += scores[i] / policies.size();
      }
    }
    return mean;
  }

  /**
   * The final scores (B * N): the baseline's plus the applied part of the policy's change.
   *
   * @param historyLengths (B)
   */
  float[] blend(
      Evidence evidence, float[] baselineScores, float[] policyScores, int[] historyLengths) {
    float[] blended = baselineScores.clone();
    int n = evidence.numCandidates();
    for (int u = 0; u < historyLengths.length; u++) {
      float strength = strength(historyLengths[u]);
      for (int at = u * n; at < (u + 1) * n; at++) {
        blended[at] += strength * (policyScores[at] - baselineScores[at]);
      }
    }
    return blended;
  }

  /**
   * What each strategy, and at the end the additive term, adds to each final score (B * N * (M +
   * 1)): with s the applied share of the policy's change and P networks,
   *
   * <pre>
   *   part_m = n_m ((1 - s) b_m + s mean_p w_pm),   part_M = s mean_p bias_p
   * </pre>
   *
   * @param historyLengths (B)
   */
  float[] parts(Scope scope, Rescoring rescoring, int[] historyLengths) {
    float[] normalised = rescoring.normalised();
    MixData data = rescoring.data();
    int numStrategies = baseline.length;
    float[] weights = new float[normalised.length];
    float[] biases = new float[normalised.length / numStrategies];
    if (data != null) {
      for (MixModel policy : policies) {
        MixTask.addOutputs(scope, policy, data, weights, biases);
      }
    }
    int n = rescoring.evidence().numCandidates();
    float[] parts = new float[biases.length * (numStrategies + 1)];
    for (int at = 0; at < biases.length; at++) {
      float strength = data == null ? 0 : strength(historyLengths[at / n]) / policies.size();
      float rest = data == null ? 1 : 1 - strength(historyLengths[at / n]);
      int from = at * (numStrategies + 1);
      for (int m = 0; m < numStrategies; m++) {
        int i = at * numStrategies + m;
        parts[from + m] = normalised[i] * (rest * baseline[m] + strength * weights[i]);
      }
      parts[from + numStrategies] = strength * biases[at];
    }
    return parts;
  }
}
