package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Off-policy values of slates whose items earn on their own, by how much they are looked at (the
 * position-based estimator of Li et al., KDD 2018, with a reward model). Slot l is examined with
 * the probability theta_l, and an examined item a pays r whatever is shown beside it. With e(a) =
 * sum_l theta_l P(a in slot l) a candidate's exposure under the target, and p_l the probability
 * with which the logged item of slot l was shown,
 *
 * <pre>
 * value = sum_a e(a) q(a) + sum_l e(a_l) / (p_l theta_l) (r_l - theta_l q(a_l))
 * </pre>
 *
 * where q is what an item is expected to pay if it is examined, or 0 without a model. It is
 * unbiased for any q that was not learned from the decision, if the log was drawn by a {@link
 * StratifiedSampler}: items have one slot and p_l is the probability to be shown. (A {@link
 * SlateSampler} logs probabilities given the slots above: use {@link SlateEstimator#RIPS}.) With
 * all theta 1, places do not matter.
 *
 * <p>Time O(n M) beside the scorers. Thread safety: immutable as long as nobody writes into the
 * array, which is not copied.
 *
 * @param examination (L) theta, in (0, 1]
 * @param reward what an item paid
 */
public record ExposureEstimator(double[] examination, RewardRule reward) {

  public ExposureEstimator {
    if (examination.length == 0) {
      throw new InvalidInputException("a slate needs at least one slot");
    }
    for (int slot = 0; slot < examination.length; slot++) {
      if (!(examination[slot] > 0 && examination[slot] <= 1)) {
        throw new InvalidInputException(
            "slot %d: the examination must be > 0 and <= 1 but was %s"
                .formatted(slot, examination[slot]));
      }
    }
  }

  /**
   * The log seen from a policy that shows its best candidates in order.
   *
   * @param log slates that a {@link StratifiedSampler} drew, mature, of at most L slots
   * @param target its scores decide
   * @param model q; null for none
   */
  public SlateRounds best(
      List<LoggedDecision> log, CandidateScorer target, @Nullable CandidateScorer model) {
    return rounds(log, decision -> bestExposures(target.scores(decision)), model);
  }

  /** The log seen from a policy that explores. */
  public SlateRounds explored(
      List<LoggedDecision> log,
      CandidateScorer target,
      StratifiedSampler exploration,
      @Nullable CandidateScorer model) {
    if (exploration.slots() != examination.length) {
      throw new InvalidInputException(
          "the exploration fills %d slots but the examination is of %d"
              .formatted(exploration.slots(), examination.length));
    }
    return rounds(
        log, decision -> exploration.exposures(target.scores(decision), examination), model);
  }

  /** (M) exposures of the candidates where the best are shown in order. */
  double[] bestExposures(double[] scores) {
    Softmax.checkScores(scores);
    double[] exposures = new double[scores.length];
    int[] order = Softmax.bestFirst(scores);
    for (int slot = 0; slot < Math.min(examination.length, order.length); slot++) {
      exposures[order[slot]] = examination[slot];
    }
    return exposures;
  }

  private SlateRounds rounds(
      List<LoggedDecision> log, CandidateScorer exposure, @Nullable CandidateScorer model) {
    int slots = examination.length;
    double examined = 0;
    for (double one : examination) {
      examined += one;
    }
    double[] weights = new double[log.size() * slots];
    double[] values = new double[log.size()];
    boolean[] unsupported = new boolean[log.size()];
    for (int i = 0; i < values.length; i++) {
      LoggedDecision logged = log.get(i);
      Decision decision = logged.decision();
      List<Decision.Candidate> candidates = decision.candidates();
      int[] slate = decision.slate();
      if (slate.length > slots) {
        throw new InvalidInputException(
            "decision '%s' filled %d slots but the examination is of %d"
                .formatted(decision.id(), slate.length, slots));
      }
      double[] exposures = exposure.scores(decision);
      double[] expected =
          model == null ? new double[candidates.size()] : checked(model.scores(decision));
      for (int c = 0; c < exposures.length; c++) {
        values[i] += exposures[c] * expected[c];
        unsupported[i] |= exposures[c] > 0 && candidates.get(c).propensity() == 0;
      }
      for (int l = 0; l < slate.length; l++) {
        Decision.Candidate shown = candidates.get(slate[l]);
        double weight = exposures[slate[l]] / shown.propensity();
        double paid = reward.of(logged, shown.itemId());
        weights[i * slots + l] = weight * slots / examined;
        values[i] += weight / examination[l] * (paid - examination[l] * expected[slate[l]]);
      }
    }
    return new SlateRounds(slots, weights, values, unsupported);
  }

  private static double[] checked(double[] expected) {
    Softmax.checkScores(expected);
    return expected;
  }
}
