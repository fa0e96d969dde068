package io.sextant.feedback;

/**
 * A policy as evaluations see it: what it thinks of the candidates of a decision that was logged,
 * from what the decision holds, its inputs and the strategies' scores.
 *
 * <p>Thread safety: implementations must be safe.
 */
@FunctionalInterface
public interface CandidateScorer {

  /** (M) a finite score for each candidate of the decision. */
  double[] scores(Decision decision);

  /** A fixed weight for each strategy. */
  static CandidateScorer weighted(double... weights) {
    double[] own = weights.clone();
    return decision -> {
      double[] scores = new double[decision.candidates().size()];
      for (int i = 0; i < scores.length; i++) {
        float[] given = decision.candidates().get(i).scores();
        for (int m = 0; m < own.length; m++) {
          scores[i] += own[m] * given[m];
        }
      }
      return scores;
    };
  }
}
