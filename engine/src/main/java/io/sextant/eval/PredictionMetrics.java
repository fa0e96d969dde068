package io.sextant.eval;

import io.sextant.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How good predicted probabilities of a yes-or-no outcome are, for example of a click.
 *
 * <p>Thread safety: immutable.
 *
 * @param count how many predictions
 * @param threshold from which probability on the prediction reads yes
 * @param accuracy share of right answers at the threshold: means little without the base rate
 * @param baseRate accuracy of always giving the more frequent answer
 * @param observedRate share of yes among the outcomes (the observed CTR)
 * @param predictedRate mean predicted probability
 * @param auc probability that a yes scores above a no, equal scores counting one half (mid-ranks);
 *     NaN if one of the two did not occur
 * @param logLoss mean negative log likelihood in nats; probabilities are kept {@value #CLIP} away
 *     from 0 and 1, so that one certain mistake costs 16 and not infinity
 * @param calibrationError expected calibration error (Naeini et al., AAAI 2015): |mean prediction -
 *     observed rate| in {@value #BINS} bins of equal width, weighted by their share of the
 *     predictions
 * @param calibrationRatio predictedRate / observedRate: above 1 the model promises too much; NaN if
 *     no yes occurred
 * @param mse mean squared error of the probabilities (the Brier score)
 * @param rmse its root
 * @param mae mean absolute error of the probabilities
 */
public record PredictionMetrics(
    long count,
    double threshold,
    double accuracy,
    double baseRate,
    double observedRate,
    double predictedRate,
    double auc,
    double logLoss,
    double calibrationError,
    double calibrationRatio,
    double mse,
    double rmse,
    double mae) {

  /** Number of bins of the calibration error. */
  public static final int BINS = 10;

  /** How far from 0 and 1 the log loss keeps probabilities. */
  public static final double CLIP = 1e-7;

  /** {@link #of(float[], float[], double)} with threshold 0.5. */
  public static PredictionMetrics of(float[] probabilities, float[] outcomes) {
    return of(probabilities, outcomes, 0.5);
  }

  /**
   * Compares predictions with outcomes, in time O(n log n).
   *
   * @param probabilities (n) in [0, 1]
   * @param outcomes (n) 1 for yes, 0 for no
   * @throws InvalidInputException if there are none, the lengths differ or a number is out of range
   */
  public static PredictionMetrics of(float[] probabilities, float[] outcomes, double threshold) {
    RatingMetrics.checkPairs(probabilities, outcomes);
    int n = probabilities.length;
    float[] positives = new float[n];
    float[] negatives = new float[n];
    int yes = 0;
    int no = 0;
    long right = 0;
    double sum = 0;
    double loss = 0;
    double[] binExcess = new double[BINS];
    for (int i = 0; i < n; i++) {
      float p = probabilities[i];
      if (p < 0 || p > 1 || (outcomes[i] != 0 && outcomes[i] != 1)) {
        throw new InvalidInputException(
            "prediction %d is %s and its outcome %s: a probability in [0, 1] and 0 or 1 are needed"
                .formatted(i, p, outcomes[i]));
      }
      boolean happened = outcomes[i] == 1;
      if (happened) {
        positives[yes++] = p;
      } else {
        negatives[no++] = p;
      }
      if (p >= threshold == happened) {
        right++;
      }
      sum += p;
      double clipped = Math.min(1 - CLIP, Math.max(CLIP, p));
      loss -= Math.log(happened ? clipped : 1 - clipped);
      binExcess[Math.min(BINS - 1, (int) (p * BINS))] += p - outcomes[i];
    }
    double calibrationError = 0;
    for (double excess : binExcess) {
      calibrationError += Math.abs(excess) / n;
    }
    RatingMetrics errors = RatingMetrics.of(probabilities, outcomes);
    return new PredictionMetrics(
        n,
        threshold,
        (double) right / n,
        (double) Math.max(yes, no) / n,
        (double) yes / n,
        sum / n,
        RankingEvaluation.auc(positives, yes, negatives, no),
        loss / n,
        calibrationError,
        yes == 0 ? Double.NaN : sum / yes,
        errors.mse(),
        errors.rmse(),
        errors.mae());
  }

  /** The metrics by the names that reports use. */
  public Map<String, Double> toMap() {
    Map<String, Double> map = new LinkedHashMap<>();
    map.put("accuracy", accuracy);
    map.put("baseRate", baseRate);
    map.put("observedRate", observedRate);
    map.put("predictedRate", predictedRate);
    map.put("auc", auc);
    map.put("logLoss", logLoss);
    map.put("calibrationError", calibrationError);
    map.put("calibrationRatio", calibrationRatio);
    map.put("mse", mse);
    map.put("rmse", rmse);
    map.put("mae", mae);
    return map;
  }
}
