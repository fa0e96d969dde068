package io.sextant.cli;

import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.ExposureEstimator;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.PromotionGate;
import io.sextant.feedback.SlateEvidence;
import io.sextant.feedback.SlateRounds;
import io.sextant.feedback.StratifiedSampler;
import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How often the gate is wrong: candidates whose true value is known are judged from logs of
 * popularity with exploration, a log of its own for each seed. Worse candidates are popularity with
 * noise, and truly below it by however little; better ones mix in a part of the true rewards until
 * they are {@value #CLEAR_FROM} to {@value #CLEAR_TO} of the way from popularity to the oracle.
 *
 * @param world where
 * @param exploration of incumbent and candidates
 * @param decisions of the log, all by users whom nothing was learned from
 * @param perKind how many worse and how many better candidates
 * @param seed of log and candidates
 */
record GateTrial(
    SimulatedWorld world, StratifiedSampler exploration, int decisions, int perKind, long seed) {

  static final double CLEAR_FROM = 0.05;
  static final double CLEAR_TO = 0.15;

  /**
   * What became of the candidates of one log. Differences are true ones, of an examined item.
   *
   * @param worse how many were worse
   * @param worsePromoted of these
   * @param better how many were better
   * @param betterPromoted of these
   * @param worseDifference the sum of the worse ones' differences: what is lost without a gate
   * @param worsePromotedDifference of those that were promoted: what is lost with it
   * @param betterDifference the mean gain of the better ones
   */
  record Result(
      int worse,
      int worsePromoted,
      int better,
      int betterPromoted,
      double worseDifference,
      double worsePromotedDifference,
      double betterDifference) {

    Result plus(Result other) {
      return new Result(
          worse + other.worse,
          worsePromoted + other.worsePromoted,
          better + other.better,
          betterPromoted + other.betterPromoted,
          worseDifference + other.worseDifference,
          worsePromotedDifference + other.worsePromotedDifference,
          betterDifference + other.betterDifference);
    }
  }

  Result run() {
    List<Integer> users = new ArrayList<>();
    for (int place = 0; place < world.visitors().size(); place += FeedbackLoop.GATE_EVERY) {
      users.add(world.visitors().get(place));
    }
    Map<String, Integer> byId = new HashMap<>();
    users.forEach(user -> byId.put(String.valueOf(world.visit(user, 0).before().userId()), user));
    CandidateScorer incumbent = world.popularity();
    List<LoggedDecision> log = log(users, incumbent);
    ExposureEstimator estimator = new ExposureEstimator(world.examination(), world.reward());
    SlateRounds old = estimator.explored(log, incumbent, exploration, incumbent);
    double oldValue = value(users, incumbent);
    double gap = oracle(users) - oldValue;
    PromotionGate gate = new PromotionGate(FeedbackLoop.gateOptions());
    Result sum = new Result(0, 0, 0, 0, 0, 0, 0);
    for (int attempt = 0; sum.worse < perKind || sum.better < perKind; attempt++) {
      boolean wantsBetter = sum.worse >= perKind || (attempt % 2 == 0 && sum.better < perKind);
      CandidateScorer candidate = planted(incumbent, byId, attempt, wantsBetter);
      double difference = value(users, candidate) - oldValue;
      boolean fits =
          wantsBetter
              ? difference >= CLEAR_FROM * gap && difference <= CLEAR_TO * gap
              : difference < 0;
      if (!fits) {
        continue;
      }
      SlateEvidence evidence =
          new SlateEvidence(
              estimator.explored(log, candidate, exploration, incumbent),
              old,
              new int[log.size()],
              Set.of());
      boolean promoted = gate.decide("planted", "popularity", 1, evidence).promoted();
      int one = promoted ? 1 : 0;
      sum =
          sum.plus(
              wantsBetter
                  ? new Result(0, 0, 1, one, 0, 0, difference)
                  : new Result(1, one, 0, 0, difference, one * difference, 0));
    }
    return sum;
  }

  private List<LoggedDecision> log(List<Integer> users, CandidateScorer incumbent) {
    List<LoggedDecision> log = new ArrayList<>();
    for (int i = 0; i < decisions; i++) {
      CounterRandom random = new CounterRandom(seed, "gate-trial-visits", i);
      SimulatedWorld.Visit visit = world.visit(users.get(random.nextInt(users.size())), 0);
      Decision shown =
          FeedbackLoop.drawn("popularity", incumbent, exploration, visit.before(), seed, i, 0);
      log.add(new LoggedDecision(shown, world.outcomes(visit, shown, 0, random)));
    }
    return log;
  }

  /** Popularity with noise of items and of users, and for better ones with some of the truth. */
  private CandidateScorer planted(
      CandidateScorer incumbent, Map<String, Integer> users, int attempt, boolean better) {
    CounterRandom random = new CounterRandom(seed, "gate-trial-candidates", attempt);
    double truth = better ? random.nextDouble() : 0;
    double ofItems = random.nextDouble() * (better ? 0.5 : 1);
    double ofUsers = random.nextDouble() * (better ? 0.5 : 1);
    return decision -> {
      int user = users.getOrDefault(String.valueOf(decision.userId()), 0);
      double[] worth = world.visit(user, 0).worth();
      double[] scores = incumbent.scores(decision);
      double spread = spread(scores);
      CounterRandom own = new CounterRandom(seed, "gate-trial-users-" + attempt, user);
      for (int c = 0; c < scores.length; c++) {
        String item = decision.candidates().get(c).itemId();
        CounterRandom shared =
            new CounterRandom(seed, "gate-trial-items-" + attempt, item.hashCode());
        scores[c] +=
            truth * (worth[c] - scores[c])
                + spread * (ofItems * shared.nextGaussian() + ofUsers * own.nextGaussian());
      }
      return scores;
    };
  }

  private static double spread(double[] values) {
    double sum = 0;
    double squares = 0;
    for (double value : values) {
      sum += value;
      squares += value * value;
    }
    double mean = sum / values.length;
    return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
  }

  private double value(List<Integer> users, CandidateScorer policy) {
    return users.stream()
        .mapToDouble(user -> FeedbackLoop.exploredValue(world, exploration, policy, user, 0))
        .average()
        .orElseThrow();
  }

  private double oracle(List<Integer> users) {
    return users.stream().mapToDouble(user -> world.visit(user, 0).best()).average().orElseThrow();
  }
}
