package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.List;

/**
 * A regression of what a slate pays from a slot downwards, Q_l, on what the strategies said of the
 * slot's item and, on average, of the items above it: one ridge regression a slot, learned from the
 * last slot up, each to
 *
 * <pre>
 * r_l + E_target[Q_{l+1}]
 * </pre>
 *
 * (Kiyohara et al., WSDM 2022, there with importance weights, which cost variance and which the
 * estimate does not need: it is unbiased whatever Q is, as long as no prediction was learned from
 * the slate that it is for).
 *
 * <p>Time O(n L (M + S^2) + L S^3) a fold, with M candidates and S strategies. Thread safety:
 * immutable.
 *
 * @param l2 the penalty, &gt; 0: worth so many slates of evidence for the mean
 */
public record SlateRewardModel(double l2) {

  public SlateRewardModel {
    if (!(l2 > 0 && Double.isFinite(l2))) {
      throw new InvalidInputException("l2 must be > 0 and finite but was " + l2);
    }
  }

  /**
   * Predictions for the slates that {@link ServedLog#slates} makes of the same log, reward, target
   * and exploration, each by a model that has not seen the slate.
   *
   * @param folds how many parts, 2..n
   * @param seed decides which slate belongs to which fold
   * @throws InvalidInputException if there are fewer slates than folds, or a candidate has another
   *     number of scores, or scores that are not finite
   */
  public SlateModel crossFit(
      List<LoggedDecision> log,
      RewardRule reward,
      CandidateScorer target,
      SlateExploration exploration,
      int folds,
      long seed) {
    Slates slates = new Slates(log, reward, target, exploration);
    Folds parts = new Folds(slates.size(), folds, seed);
    for (int fold = 0; fold < folds; fold++) {
      predict(slates, parts.others(fold), parts.of(fold));
    }
    return slates.predictions();
  }

  /** Predictions for the slates that the model was learned from: for tests of what that does. */
  SlateModel inSample(
      List<LoggedDecision> log,
      RewardRule reward,
      CandidateScorer target,
      SlateExploration exploration) {
    Slates slates = new Slates(log, reward, target, exploration);
    int[] all = new int[slates.size()];
    Arrays.setAll(all, i -> i);
    predict(slates, all, all);
    return slates.predictions();
  }

  private void predict(Slates slates, int[] learned, int[] held) {
    double[] below = new double[learned.length];
    double[] expected = new double[held.length];
    for (int slot = slates.slots - 1; slot >= 0; slot--) {
      int width = slates.width();
      double[] contexts = new double[learned.length * width];
      double[] targets = new double[learned.length];
      for (int i = 0; i < learned.length; i++) {
        slates.features(learned[i], slot, slates.shown(learned[i], slot), contexts, i * width);
        targets[i] = slates.reward(learned[i], slot) + below[i];
      }
      double[] certain = new double[learned.length];
      Arrays.fill(certain, 1);
      FittedRewardModel model =
          RewardModel.ridge(l2)
              .fit(new LoggedRounds(1, new int[learned.length], targets, certain, width, contexts));
      for (int i = 0; i < learned.length; i++) {
        below[i] = slates.underTarget(model, learned[i], slot);
      }
      for (int i = 0; i < held.length; i++) {
        expected[i] = slates.underTarget(model, held[i], slot);
        slates.set(held[i], slot, slates.atLogged(model, held[i], slot), expected[i]);
      }
    }
  }

  /** The log as the regressions read it. */
  private static final class Slates {
    private final List<LoggedDecision> log;
    private final RewardRule reward;
    private final int slots;
    private final double[][][] drawn;
    private final double[] atLogged;
    private final double[] underTarget;

    Slates(
        List<LoggedDecision> all,
        RewardRule reward,
        CandidateScorer target,
        SlateExploration exploration) {
      slots = exploration.slots();
      log = ServedLog.whole(all, slots);
      this.reward = reward;
      drawn = new double[log.size()][][];
      for (int i = 0; i < drawn.length; i++) {
        Decision decision = log.get(i).decision();
        drawn[i] = exploration.conditionals(target.scores(decision), decision.slate());
        for (Decision.Candidate candidate : decision.candidates()) {
          if (candidate.scores().length != width() / 2) {
            throw new InvalidInputException(
                "candidate '%s' of decision '%s' has %d scores, others have %d"
                    .formatted(
                        candidate.itemId(), decision.id(), candidate.scores().length, width() / 2));
          }
        }
      }
      atLogged = new double[log.size() * slots];
      underTarget = new double[atLogged.length];
    }

    int size() {
      return log.size();
    }

    /** Of the item and of those above it. */
    int width() {
      return 2 * log.get(0).decision().candidates().get(0).scores().length;
    }

    int shown(int slate, int slot) {
      return log.get(slate).decision().slate()[slot];
    }

    double reward(int slate, int slot) {
      Decision decision = log.get(slate).decision();
      return reward.of(log.get(slate), decision.candidates().get(shown(slate, slot)).itemId());
    }

    /** What is known of a candidate in a slot, written at the offset. */
    void features(int slate, int slot, int candidate, double[] into, int at) {
      Decision decision = log.get(slate).decision();
      float[] own = decision.candidates().get(candidate).scores();
      for (int m = 0; m < own.length; m++) {
        into[at + m] = own[m];
      }
      for (int above = 0; above < slot; above++) {
        float[] other = decision.candidates().get(decision.slate()[above]).scores();
        for (int m = 0; m < other.length; m++) {
          into[at + own.length + m] += other[m] / slot;
        }
      }
    }

    double atLogged(FittedRewardModel model, int slate, int slot) {
      return expected(model, slate, slot, shown(slate, slot));
    }

    double underTarget(FittedRewardModel model, int slate, int slot) {
      double sum = 0;
      double[] probabilities = drawn[slate][slot];
      for (int c = 0; c < probabilities.length; c++) {
        if (probabilities[c] > 0) {
          sum += probabilities[c] * expected(model, slate, slot, c);
        }
      }
      return sum;
    }

    private double expected(FittedRewardModel model, int slate, int slot, int candidate) {
      double[] features = new double[width()];
      features(slate, slot, candidate, features, 0);
      double[] value = new double[1];
      model.predict(features, 0, value, 0);
      return value[0];
    }

    void set(int slate, int slot, double logged, double target) {
      atLogged[slate * slots + slot] = logged;
      underTarget[slate * slots + slot] = target;
    }

    SlateModel predictions() {
      return new SlateModel(atLogged, underTarget);
    }
  }
}
