package io.sextant.cli;

import io.sextant.eval.Interval;
import io.sextant.feedback.CandidateScorer;
import io.sextant.feedback.Decision;
import io.sextant.feedback.ExposureEstimator;
import io.sextant.feedback.GateOptions;
import io.sextant.feedback.LoggedDecision;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.PromotionDecision;
import io.sextant.feedback.PromotionGate;
import io.sextant.feedback.SlateDraw;
import io.sextant.feedback.SlateEvidence;
import io.sextant.feedback.SlateRounds;
import io.sextant.feedback.StratifiedSampler;
import io.sextant.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The loop: in each round the policy in service decides with exploration, outcomes come in, a
 * candidate is learned from what three quarters of the users did, its value is estimated from what
 * the others did, and the gate decides whether it serves the next round.
 *
 * @param world where
 * @param exploration how slates are drawn
 * @param rounds how many
 * @param decisions of each round
 * @param gated whether the gate is asked; else every candidate is promoted
 * @param faultEvery in every so manieth round the learner is broken: a wrong sign makes its policy
 *     rank the worst first; 0 for never
 * @param seed of visits, draws and outcomes
 */
record FeedbackLoop(
    SimulatedWorld world,
    StratifiedSampler exploration,
    int rounds,
    int decisions,
    boolean gated,
    int faultEvery,
    long seed) {

  /** Every so manieth visitor is not learned from: the gate looks at what they did. */
  static final int GATE_EVERY = 4;

  private static final int LEARNED = 0;
  private static final int HELD_BACK = 1;

  /**
   * What a round came to. Values are of an examined item: a slate's by the number of slots that are
   * examined.
   *
   * @param policyVersion which policy served
   * @param reward the true mean value of what was shown
   * @param baseline of what popularity would have shown to the same users, without exploration
   * @param candidateVersion which policy was learned
   * @param faulty whether the learner was broken
   * @param opeEstimate the candidate's value, exploration included, as the log has it
   * @param lo of its 95 % interval
   * @param hi of its 95 % interval
   * @param truth its true value for the users whom the gate looks at, in this round
   * @param observable the part of it that the reward rule gets to see
   * @param estimated the same over the rounds that the log is from: what the estimate is of. Where
   *     items drift, that is not what the policy is worth now
   * @param trusted whether nothing speaks against the estimate's interval
   * @param promoted whether it serves the next round
   * @param reason why, or why not
   */
  record Round(
      int round,
      String policyVersion,
      double reward,
      double baseline,
      String candidateVersion,
      boolean faulty,
      double opeEstimate,
      double lo,
      double hi,
      double truth,
      double observable,
      double estimated,
      boolean trusted,
      boolean promoted,
      String reason) {}

  /**
   * What a run came to; values are of users whom the loop never saw, without exploration.
   *
   * @param finalReward of the policy that the last round left in service
   */
  record Run(
      long seed,
      List<Round> rounds,
      String finalVersion,
      double finalReward,
      double baselineReward,
      double oracleReward) {}

  private record Policy(String version, CandidateScorer scorer) {}

  private record Shown(LoggedDecision logged, int round, int part) {}

  Run run() {
    Policy incumbent = new Policy("popularity", world.popularity());
    PromotionGate gate = new PromotionGate(gateOptions());
    ExposureEstimator estimator = new ExposureEstimator(world.examination(), world.reward());
    List<Shown> log = new ArrayList<>();
    List<Round> results = new ArrayList<>();
    for (int round = 1; round <= rounds; round++) {
      double[] values = serve(incumbent, round, log);
      List<Shown> seen = seen(log, round);
      boolean faulty = faultEvery > 0 && round % faultEvery == 0;
      Policy candidate =
          new Policy("learned-" + round + (faulty ? "-faulty" : ""), learned(seen, faulty));
      List<LoggedDecision> all = seen.stream().map(Shown::logged).toList();
      CandidateScorer model = candidate.scorer();
      SlateRounds ofCandidate =
          byItem(estimator.explored(all, candidate.scorer(), exploration, model));
      SlateEvidence evidence =
          new SlateEvidence(
              ofCandidate,
              byItem(estimator.explored(all, incumbent.scorer(), exploration, model)),
              seen.stream().mapToInt(Shown::part).toArray(),
              Set.of(LEARNED));
      PromotionDecision decision =
          gate.decide(candidate.version(), incumbent.version(), 1, evidence);
      SlateRounds held = heldBack(seen, ofCandidate);
      Interval estimate = held.estimate();
      boolean promoted = !gated || decision.promoted();
      double truth = exploredValue(candidate.scorer(), round);
      results.add(
          new Round(
              round,
              incumbent.version(),
              values[0],
              values[1],
              candidate.version(),
              faulty,
              estimate.value(),
              estimate.lo(),
              estimate.hi(),
              truth,
              truth * world.observedShare(),
              loggedValue(seen, candidate.scorer()) * world.observedShare(),
              held.warnings().isEmpty(),
              promoted,
              gated ? decision.reason() : "no gate: " + decision.reason()));
      incumbent = promoted ? candidate : incumbent;
    }
    return new Run(
        seed,
        results,
        incumbent.version(),
        value(incumbent.scorer()),
        value(world.popularity()),
        oracle());
  }

  /** Student-t bounds; a hundred decisions that are worth fifty, all of them supported. */
  static GateOptions gateOptions() {
    return GateOptions.defaults().withFloors(100, 50, 0);
  }

  /** Serves a round, and says what was shown and what popularity would have shown is worth. */
  private double[] serve(Policy policy, int round, List<Shown> log) {
    double shownValue = 0;
    double baseline = 0;
    for (int i = 0; i < decisions; i++) {
      long number = (long) round * decisions + i;
      CounterRandom random = new CounterRandom(seed, "visits", number);
      int place = random.nextInt(world.visitors().size());
      SimulatedWorld.Visit visit = world.visit(world.visitors().get(place), round);
      Decision shown = decide(policy, visit, number, (long) round * SimulatedWorld.ROUND_MILLIS);
      shownValue += world.shownValue(visit, shown) / decisions;
      baseline += world.bestValue(visit, world.popularity()) / decisions;
      log.add(
          new Shown(
              new LoggedDecision(shown, world.outcomes(visit, shown, round, random)),
              round,
              place % GATE_EVERY == 0 ? HELD_BACK : LEARNED));
    }
    return new double[] {shownValue, baseline};
  }

  private Decision decide(Policy policy, SimulatedWorld.Visit visit, long number, long time) {
    return drawn(
        policy.version(), policy.scorer(), exploration, visit.before(), seed, number, time);
  }

  /** Draws a slate and completes the decision. */
  static Decision drawn(
      String version,
      CandidateScorer scorer,
      StratifiedSampler exploration,
      Decision before,
      long seed,
      long number,
      long time) {
    double[] scores = scorer.scores(before);
    SlateDraw draw = exploration.draw(scores, seed, number);
    double[] propensities = exploration.firstPropensities(scores);
    List<Decision.Candidate> candidates = new ArrayList<>(scores.length);
    for (int c = 0; c < scores.length; c++) {
      Decision.Candidate one = before.candidates().get(c);
      candidates.add(
          new Decision.Candidate(one.itemId(), one.scores(), Math.min(1, propensities[c])));
    }
    return new Decision(
        Long.toString(number),
        before.userId(),
        version,
        time,
        seed,
        before.inputs(),
        before.gates(),
        candidates,
        draw.items());
  }

  /** What can be known at the end of a round: mature decisions, outcomes that have come. */
  private List<Shown> seen(List<Shown> log, int round) {
    long now = (round + 1) * SimulatedWorld.ROUND_MILLIS;
    List<Shown> seen = new ArrayList<>();
    for (Shown shown : log) {
      Decision decision = shown.logged().decision();
      if (round - shown.round() < world.memory() && world.reward().isMature(decision, now)) {
        List<Outcome> come =
            shown.logged().outcomes().stream().filter(o -> o.timeMillis() < now).toList();
        seen.add(new Shown(new LoggedDecision(decision, come), shown.round(), shown.part()));
      }
    }
    return seen;
  }

  private CandidateScorer learned(List<Shown> seen, boolean faulty) {
    CandidateScorer learned =
        world.learn(seen.stream().filter(s -> s.part() == LEARNED).map(Shown::logged).toList());
    return faulty ? decision -> negated(learned.scores(decision)) : learned;
  }

  /** Turned round their mean. */
  private static double[] negated(double[] scores) {
    double mean = Arrays.stream(scores).average().orElse(0);
    return Arrays.stream(scores).map(score -> 2 * mean - score).toArray();
  }

  /** What was not learned from. */
  private SlateRounds heldBack(List<Shown> seen, SlateRounds rounds) {
    int[] held =
        IntStream.range(0, seen.size()).filter(i -> seen.get(i).part() == HELD_BACK).toArray();
    return rounds.select(held);
  }

  /** Values of an examined item in place of those of a slate. */
  private SlateRounds byItem(SlateRounds rounds) {
    double[] values = Arrays.stream(rounds.values()).map(v -> v / world.examined()).toArray();
    return new SlateRounds(rounds.slots(), rounds.weights(), values, rounds.unsupported());
  }

  /** The exact value over the rounds of what was not learned from, each by its decisions. */
  private double loggedValue(List<Shown> seen, CandidateScorer policy) {
    Map<Integer, Long> held =
        seen.stream()
            .filter(one -> one.part() == HELD_BACK)
            .collect(Collectors.groupingBy(Shown::round, TreeMap::new, Collectors.counting()));
    double sum = 0;
    long decisions = 0;
    for (Map.Entry<Integer, Long> round : held.entrySet()) {
      sum += exploredValue(policy, round.getKey()) * round.getValue();
      decisions += round.getValue();
    }
    return sum / decisions;
  }

  /** The exact value of a policy that explores, for the users whom the gate looks at. */
  private double exploredValue(CandidateScorer policy, int round) {
    double sum = 0;
    int users = 0;
    for (int place = 0; place < world.visitors().size(); place += GATE_EVERY) {
      sum += exploredValue(world, exploration, policy, world.visitors().get(place), round);
      users++;
    }
    return sum / users;
  }

  static double exploredValue(
      SimulatedWorld world,
      StratifiedSampler exploration,
      CandidateScorer policy,
      int user,
      int round) {
    SimulatedWorld.Visit visit = world.visit(user, round);
    double[] exposures = exploration.exposures(policy.scores(visit.before()), world.examination());
    double value = 0;
    for (int c = 0; c < exposures.length; c++) {
      value += exposures[c] * visit.worth()[c];
    }
    return value / world.examined();
  }

  private double value(CandidateScorer policy) {
    return world.strangers().stream()
        .mapToDouble(user -> world.bestValue(world.visit(user, rounds), policy))
        .average()
        .orElseThrow();
  }

  private double oracle() {
    return world.strangers().stream()
        .mapToDouble(user -> world.visit(user, rounds).best())
        .average()
        .orElseThrow();
  }
}
