package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.List;

/**
 * Ranks one relevant item of each user against a few given negatives, as the protocol of NCF does
 * (He et al., WWW 2017: the last item against 99 negatives).
 *
 * <p><b>Warning:</b> use this only to stand beside a published number of the same protocol. Values
 * on sampled negatives are far above those on the full catalogue and can order models wrongly
 * (Krichene and Rendle, KDD 2020). For every other purpose: {@link RankingEvaluation}.
 *
 * <p>Thread safety: stateless.
 */
public final class SampledRanking {

  /** Where the relevant item stands among negatives of the same score. */
  public enum Ties {
    /** Behind all of them: a model that scores everything alike gets nothing for it. */
    PESSIMISTIC,
    /** Each place among them is equally likely: the metric is its expectation over the places. */
    EXPECTED
  }

  private SampledRanking() {}

  /**
   * Computes metrics user by user. A negative that is the relevant item itself is skipped; one that
   * is given twice counts twice, as in the published protocol. With a single relevant item recall
   * equals hr, and map equals mrr. A k beyond the number of candidates is allowed.
   *
   * @param positives (U) the relevant item of each user
   * @param positiveScores (U) its score
   * @param negatives (U) the negatives of each user
   * @param negativeScores (U) their scores
   * @param ties what to do with equal scores
   * @param metrics what to compute, without duplicates
   * @throws InvalidInputException if the sizes do not fit together or a score is NaN
   */
  public static MetricTable perUser(
      int[] positives,
      float[] positiveScores,
      int[][] negatives,
      float[][] negativeScores,
      Ties ties,
      List<RankingMetric> metrics) {
    int users = positives.length;
    if (positiveScores.length != users
        || negatives.length != users
        || negativeScores.length != users) {
      throw new InvalidInputException(
          "%d relevant items need as many scores, negatives and negatives' scores but had %d, %d, %d"
              .formatted(users, positiveScores.length, negatives.length, negativeScores.length));
    }
    RankingEvaluation.checkMetrics(metrics);
    double[][] columns = new double[metrics.size()][users];
    int[] place = new int[1];
    for (int user = 0; user < users; user++) {
      float score = positiveScores[user];
      int above = 0;
      int equal = 0;
      if (negatives[user].length != negativeScores[user].length || Float.isNaN(score)) {
        throw new InvalidInputException(
            "user %d has %d negatives, %d scores of negatives and the score %s of the relevant item"
                .formatted(user, negatives[user].length, negativeScores[user].length, score));
      }
      for (int i = 0; i < negatives[user].length; i++) {
        if (negatives[user][i] == positives[user]) {
          continue;
        }
        float other = negativeScores[user][i];
        if (Float.isNaN(other)) {
          throw new InvalidInputException(
              "the score of negative %d of user %d (item %d) is NaN"
                  .formatted(i, user, negatives[user][i]));
        }
        if (other > score) {
          above++;
        } else if (other == score) {
          equal++;
        }
      }
      int first = ties == Ties.PESSIMISTIC ? above + equal : above;
      for (int m = 0; m < columns.length; m++) {
        double sum = 0;
        for (place[0] = first; place[0] <= above + equal; place[0]++) {
          sum += metrics.get(m).value(place, 1, 1);
        }
        columns[m][user] = sum / (above + equal - first + 1);
      }
    }
    int[] lists = new int[users];
    Arrays.setAll(lists, i -> i);
    return new MetricTable(metrics, columns, lists, users);
  }
}
