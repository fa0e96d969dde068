package io.sextant.cli;

import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.RewardRule;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.List;

/**
 * Users and items of which all is known, also what was not shown: the value of any policy is exact.
 *
 * <p>Thread safety: implementations are immutable.
 */
interface SimulatedWorld {

  /** A round lasts a day. */
  long ROUND_MILLIS = 86_400_000;

  /**
   * A user who comes.
   *
   * @param before inputs and candidates, nothing drawn yet
   * @param worth (M) what each candidate pays on average if it is examined, in this round
   * @param best what the best slate of all that is eligible is worth, an examined item
   */
  @SuppressWarnings("ArrayRecordComponent") // Handed over, not compared.
  record Visit(Decision before, double[] worth, double best) {}

  /** (L) how often each slot is examined. */
  double[] examination();

  /** What an item paid. */
  RewardRule reward();

  /** The share of what is paid that the reward rule gets to see. */
  double observedShare();

  /** At which temperature exploration suits the scores. */
  double temperature();

  /** Which share of draws should ignore scores. */
  double epsilon();

  /** How many rounds back learning and evaluation look. */
  int memory();

  /** Users who come to the service. */
  List<Integer> visitors();

  /** Users whom the loop never sees: final values are theirs. */
  List<Integer> strangers();

  Visit visit(int user, int round);

  /** What a user does with a slate; some of it much later. */
  List<Outcome> outcomes(Visit visit, Decision shown, int round, CounterRandom random);

  /** What is served before anything was learned, and the baseline. */
  CandidateScorer popularity();

  /** A policy from what was logged; scores are expected rewards of examined items. */
  CandidateScorer learn(List<LoggedDecision> log);

  /** How many slots of a slate are examined. */
  default double examined() {
    return Arrays.stream(examination()).sum();
  }

  /** What a slate of the best candidates in order is worth, an examined item. */
  default double bestValue(Visit visit, CandidateScorer policy) {
    double[] scores = policy.scores(visit.before());
    double[] examination = examination();
    boolean[] taken = new boolean[scores.length];
    double value = 0;
    for (int slot = 0; slot < Math.min(examination.length, scores.length); slot++) {
      int best = -1;
      for (int c = 0; c < scores.length; c++) {
        if (!taken[c] && (best < 0 || scores[c] > scores[best])) {
          best = c;
        }
      }
      taken[best] = true;
      value += examination[slot] * visit.worth()[best];
    }
    return value / examined();
  }

  /** What was shown is worth, an examined item. */
  default double shownValue(Visit visit, Decision shown) {
    double value = 0;
    for (int slot = 0; slot < shown.slate().length; slot++) {
      value += examination()[slot] * visit.worth()[shown.slate()[slot]];
    }
    return value / examined();
  }
}
