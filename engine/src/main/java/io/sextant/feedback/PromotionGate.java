package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a candidate policy replaces the incumbent. It does only if the lower bound of the
 * mean <em>paired difference</em> of their round values is above 0 on rounds that the candidate was
 * not learned from, and the log speaks of the candidate: enough rounds, a large enough effective
 * sample size, support. Candidate and incumbent are judged on the same rounds, so that what both
 * earn cancels. Differences of self-normalised estimators are linearised.
 *
 * <p><b>Repeated looks.</b> Whoever looks often enough at a candidate that is no better will see it
 * ahead once. Look t may be wrong with a chance of
 *
 * <pre>
 * alpha / (t (t + 1))
 * </pre>
 *
 * only, which adds up to alpha over any number of looks: alpha spending with a union bound. It
 * needs no plan of the number of looks or of the data between them, holds however the looks hang
 * together, and costs power at late looks: look rarely, with much new data. The count is of looks
 * at one candidate against one incumbent; every further candidate has its own alpha.
 *
 * <p>With Student-t bounds the chance holds as far as means of round values are near normal, which
 * the floors are for; with empirical-Bernstein bounds it holds for every n, at a price in power.
 *
 * <p>Thread safety: immutable.
 */
public final class PromotionGate {

  private final GateOptions options;

  /** A gate of one configuration. */
  public PromotionGate(GateOptions options) {
    this.options = options;
  }

  /**
   * The chance of a wrong promotion that a look is allowed.
   *
   * @param look from 1
   */
  public double level(int look) {
    if (look < 1) {
      throw new InvalidInputException("looks are counted from 1 but this was " + look);
    }
    return options.alpha() / (look * (look + 1.0));
  }

  /**
   * Looks at a candidate.
   *
   * @param candidate its version
   * @param incumbent the incumbent's version
   * @param look the how-manieth look at this candidate it is, from 1: the caller counts, also looks
   *     that failed
   * @throws InvalidInputException if the estimator needs predictions and there are none, or a
   *     reward or weight is outside of the declared bounds
   */
  public PromotionDecision decide(
      String candidate, String incumbent, int look, PromotionEvidence evidence) {
    Verdict verdict = new Verdict(candidate, incumbent, look, level(look));
    int[] unseen = evidence.unseen();
    if (unseen.length < options.minRounds()) {
      return tooFew(verdict, unseen.length);
    }
    LoggedRounds log = evidence.log().select(unseen);
    RewardPredictions model = evidence.model();
    RewardPredictions predictions = model == null ? null : model.select(unseen);
    ActionProbabilities ofCandidate = evidence.candidate().select(unseen);
    if (drawsNothingLogged(log, ofCandidate)) {
      return verdict.without(
          PromotionDecision.Outcome.WITHOUT_SUPPORT,
          say("the candidate would draw none of the %d logged actions", unseen.length),
          unseen.length);
    }
    OffPolicyRounds rounds = OffPolicyRounds.of(log, ofCandidate, predictions);
    Overlap overlap = options.estimator().overlap(rounds);
    PromotionDecision refused =
        belowFloors(
            verdict,
            unseen.length,
            overlap,
            overlap.effectiveSampleSize(),
            rounds.supportViolations() / (double) unseen.length,
            "rounds the candidate would draw an action that was never logged");
    if (refused != null) {
      return refused;
    }
    OffPolicyRounds old = OffPolicyRounds.of(log, evidence.incumbent().select(unseen), predictions);
    double[] differences =
        less(options.estimator().roundValues(rounds), options.estimator().roundValues(old));
    double half = halfWidth(differences, log, rounds, old, verdict.level());
    return judged(verdict, overlap, differences, half);
  }

  /**
   * Looks at a candidate by the slates that were shown; the options' estimator has no say. Bounds
   * are Student's, and floors count decisions.
   *
   * @param look as in the other
   */
  public PromotionDecision decide(
      String candidate, String incumbent, int look, SlateEvidence evidence) {
    if (options.method() != IntervalMethod.STUDENT_T) {
      throw new InvalidInputException(
          "values of slates have no range that is known beforehand: use a gate with STUDENT_T");
    }
    Verdict verdict = new Verdict(candidate, incumbent, look, level(look));
    int[] unseen = evidence.unseen();
    if (unseen.length < options.minRounds()) {
      return tooFew(verdict, unseen.length);
    }
    SlateRounds ofCandidate = evidence.candidate().select(unseen);
    Overlap overlap = ofCandidate.overlap();
    PromotionDecision refused =
        belowFloors(
            verdict,
            unseen.length,
            overlap,
            ofCandidate.effectiveDecisions(),
            ofCandidate.unsupportedShare(),
            "decisions the candidate would show what could not have been logged");
    if (refused != null) {
      return refused;
    }
    double[] differences = less(ofCandidate.values(), evidence.incumbent().select(unseen).values());
    double half = MeanBounds.studentHalfWidth(differences, verdict.level());
    return judged(verdict, overlap, differences, half);
  }

  private static double[] less(double[] values, double[] others) {
    double[] differences = new double[values.length];
    Arrays.setAll(differences, i -> values[i] - others[i]);
    return differences;
  }

  private static PromotionDecision judged(
      Verdict verdict, Overlap overlap, double[] differences, double halfWidth) {
    double difference = MeanBounds.mean(differences);
    double lowerBound = difference - halfWidth;
    boolean better = lowerBound > 0;
    return verdict.judged(
        better ? PromotionDecision.Outcome.PROMOTED : PromotionDecision.Outcome.NOT_BETTER,
        say(
            "the difference of %.6g a round has the lower bound %.6g at level %.4g, which is %s",
            difference, lowerBound, verdict.level(), better ? "above 0" : "not above 0"),
        differences.length,
        overlap,
        difference,
        lowerBound);
  }

  private PromotionDecision tooFew(Verdict verdict, int rounds) {
    return verdict.without(
        PromotionDecision.Outcome.TOO_FEW_ROUNDS,
        say(
            "%d rounds were not used to learn the candidate, %d are needed",
            rounds, options.minRounds()),
        rounds);
  }

  /** The refusal if the log says too little of the candidate; null if it says enough. */
  private @Nullable PromotionDecision belowFloors(
      Verdict verdict,
      int rounds,
      Overlap overlap,
      double worth,
      double unsupported,
      String unsupportedWhere) {
    if (unsupported > options.maxUnsupportedShare()) {
      return verdict.with(
          PromotionDecision.Outcome.WITHOUT_SUPPORT,
          say(
              "in %.2f %% of the %s; %.2f %% are allowed",
              100 * unsupported, unsupportedWhere, 100 * options.maxUnsupportedShare()),
          rounds,
          overlap);
    }
    if (worth < options.minEffectiveSampleSize()) {
      return verdict.with(
          PromotionDecision.Outcome.TOO_LITTLE_OVERLAP,
          say(
              "%d rounds are worth %.1f (effective sample size), %.1f is needed",
              rounds, worth, options.minEffectiveSampleSize()),
          rounds,
          overlap);
    }
    return null;
  }

  private double halfWidth(
      double[] differences,
      LoggedRounds log,
      OffPolicyRounds candidate,
      OffPolicyRounds incumbent,
      double level) {
    if (options.method() == IntervalMethod.STUDENT_T) {
      return MeanBounds.studentHalfWidth(differences, level);
    }
    EvaluationOptions.Bounds bounds = options.bounds();
    bounds.check(log, candidate);
    bounds.check(log, incumbent);
    // Either's values lie in the range, so their difference lies in twice the range.
    double range =
        2 * options.estimator().range(bounds.minReward(), bounds.maxReward(), bounds.maxWeight());
    return MeanBounds.bernsteinHalfWidth(differences, range, level);
  }

  private static boolean drawsNothingLogged(LoggedRounds log, ActionProbabilities policy) {
    for (int i = 0; i < log.size(); i++) {
      if (policy.of(i, log.actions()[i]) > 0) {
        return false;
      }
    }
    return true;
  }

  private static String say(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** What is the same in every decision of one look. */
  private record Verdict(String candidate, String incumbent, int look, double level) {

    PromotionDecision without(PromotionDecision.Outcome outcome, String reason, int rounds) {
      return new PromotionDecision(
          candidate, incumbent, look, level, outcome, reason, rounds, Double.NaN, Double.NaN, null);
    }

    PromotionDecision with(
        PromotionDecision.Outcome outcome, String reason, int rounds, Overlap overlap) {
      return judged(outcome, reason, rounds, overlap, Double.NaN, Double.NaN);
    }

    PromotionDecision judged(
        PromotionDecision.Outcome outcome,
        String reason,
        int rounds,
        Overlap overlap,
        double difference,
        double lowerBound) {
      return new PromotionDecision(
          candidate,
          incumbent,
          look,
          level,
          outcome,
          reason,
          rounds,
          difference,
          lowerBound,
          overlap);
    }
  }
}
