package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Decisions that were served, as the arrays that estimators, learner and gate read.
 *
 * <p>Thread safety: stateless.
 */
public final class ServedLog {

  private ServedLog() {}

  /**
   * The decisions of a log from which all that can count is known.
   *
   * @param fromMillis first time
   * @param nowMillis the time of the reading
   */
  public static List<LoggedDecision> mature(
      DecisionLog log, RewardRule reward, long fromMillis, long nowMillis) {
    List<LoggedDecision> mature = new ArrayList<>();
    log.read(
        fromMillis,
        nowMillis,
        logged -> {
          if (reward.isMature(logged.decision(), nowMillis)) {
            mature.add(logged);
          }
        });
    return mature;
  }

  /**
   * Rounds of a bandit: the first slot's item is the action, the decision's inputs are the context.
   * For decisions between arms (presets), whose candidates are the arms, and for the first place of
   * slates of a small catalogue.
   *
   * @param actions ids of the actions, by number
   * @throws InvalidInputException if a decision showed nothing or no action, or inputs differ in
   *     number
   */
  public static LoggedRounds rounds(
      List<LoggedDecision> log, List<String> actions, RewardRule reward) {
    Map<String, Integer> numbers = new HashMap<>();
    for (String action : actions) {
      numbers.put(action, numbers.size());
    }
    int d = log.isEmpty() ? 0 : log.get(0).decision().inputs().length;
    int[] drawn = new int[log.size()];
    double[] rewards = new double[log.size()];
    double[] propensities = new double[log.size()];
    double[] contexts = new double[log.size() * d];
    for (int i = 0; i < drawn.length; i++) {
      Decision decision = log.get(i).decision();
      if (decision.slate().length == 0 || decision.inputs().length != d) {
        throw new InvalidInputException(
            "decision '%s' showed %d items and had %d inputs, but at least one and %d are needed"
                .formatted(decision.id(), decision.slate().length, decision.inputs().length, d));
      }
      Decision.Candidate first = decision.candidates().get(decision.slate()[0]);
      Integer number = numbers.get(first.itemId());
      if (number == null) {
        throw new InvalidInputException(
            "decision '%s' showed '%s', which is none of the %d actions"
                .formatted(decision.id(), first.itemId(), actions.size()));
      }
      drawn[i] = number;
      rewards[i] = reward.of(log.get(i), first.itemId());
      propensities[i] = first.propensity();
      for (int j = 0; j < d; j++) {
        contexts[i * d + j] = decision.inputs()[j];
      }
    }
    return new LoggedRounds(actions.size(), drawn, rewards, propensities, d, contexts);
  }

  /**
   * Slates with what a target would do. Decisions that showed another number of items than the
   * exploration has slots are left out: conditional probabilities of shorter slates are not theirs.
   *
   * @param target its scores decide
   * @param exploration how it draws
   */
  public static LoggedSlates slates(
      List<LoggedDecision> log,
      RewardRule reward,
      CandidateScorer target,
      SlateExploration exploration) {
    int slots = exploration.slots();
    List<LoggedDecision> whole = whole(log, slots);
    double[] rewards = new double[whole.size() * slots];
    double[] propensities = new double[rewards.length];
    double[] targets = new double[rewards.length];
    for (int i = 0; i < whole.size(); i++) {
      Decision decision = whole.get(i).decision();
      double[] wanted = exploration.propensities(target.scores(decision), decision.slate());
      for (int l = 0; l < slots; l++) {
        Decision.Candidate shown = decision.candidates().get(decision.slate()[l]);
        rewards[i * slots + l] = reward.of(whole.get(i), shown.itemId());
        propensities[i * slots + l] = shown.propensity();
        targets[i * slots + l] = wanted[l];
      }
    }
    return new LoggedSlates(slots, rewards, propensities, targets);
  }

  /** The decisions whose slates fill all slots. */
  static List<LoggedDecision> whole(List<LoggedDecision> log, int slots) {
    return log.stream().filter(one -> one.decision().slate().length == slots).toList();
  }
}
