package io.sextant.cli;

import io.sextant.eval.Bootstrap;
import io.sextant.eval.Interval;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What runs of the loop came to; intervals are 95 % bootstrap intervals over runs.
 *
 * @param gated with the gate, a run for each seed
 * @param ungated the same seeds without it
 * @param trial what the gate made of planted candidates; null if there were none
 */
record LoopReport(
    List<FeedbackLoop.Run> gated,
    List<FeedbackLoop.Run> ungated,
    GateTrial.@Nullable Result trial) {

  private static final int RESAMPLES = 10_000;

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("oracleReward", mean(gated, FeedbackLoop.Run::oracleReward));
    json.put("baselineReward", mean(gated, FeedbackLoop.Run::baselineReward));
    json.put("finalReward", mean(gated, FeedbackLoop.Run::finalReward));
    Map<String, Interval> intervals = new LinkedHashMap<>();
    intervals.put("final-popularity", over(gated, r -> r.finalReward() - r.baselineReward()));
    intervals.put("gapClosed", over(gated, LoopReport::gapClosed));
    intervals.put("lastShown-popularity", over(gated, LoopReport::lastShown));
    intervals.put("shown-popularity", over(gated, LoopReport::shown));
    json.put("differences", Intervals.json(intervals));
    json.put("estimatesCoverTruth", coverage(r -> true, FeedbackLoop.Round::estimated));
    json.put("estimatesCoverPresent", coverage(r -> true, FeedbackLoop.Round::observable));
    json.put("estimatesTrusted", trusted());
    if (trusted() > 0) {
      json.put(
          "trustedCoverTruth",
          coverage(FeedbackLoop.Round::trusted, FeedbackLoop.Round::estimated));
    }
    json.put("rounds", gated.get(0).rounds());
    json.put("runs", gated);
    Map<String, Object> off = new LinkedHashMap<>();
    off.put("finalReward", mean(ungated, FeedbackLoop.Run::finalReward));
    Map<String, Interval> lost = new LinkedHashMap<>();
    lost.put("shown", shownLost());
    lost.put("shownAfterFault", afterFault());
    off.put("lost", Intervals.json(lost));
    off.put("rounds", ungated.get(0).rounds());
    json.put("withoutGate", off);
    GateTrial.Result planted = trial;
    if (planted != null) {
      Map<String, Object> gate = new LinkedHashMap<>();
      gate.put("worse", planted.worse());
      gate.put("worsePromoted", planted.worsePromoted());
      gate.put("better", planted.better());
      gate.put("betterPromoted", planted.betterPromoted());
      gate.put("meanLossOfWorse", -planted.worseDifference() / planted.worse());
      gate.put("lostWithoutGate", -planted.worseDifference());
      gate.put("lostWithGate", -planted.worsePromotedDifference());
      gate.put("meanGainOfBetter", planted.betterDifference() / planted.better());
      json.put("planted", gate);
    }
    return json;
  }

  void print(PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%-6s %-14s %8s %8s  %s%n",
        "round",
        "served",
        "reward",
        "popular",
        "candidate");
    for (FeedbackLoop.Round round : gated.get(0).rounds()) {
      out.printf(
          Locale.ROOT,
          "%-6d %-14s %8.4f %8.4f  %s estimated %.4f [%.4f, %.4f], truly %.4f: %s; %s%n",
          round.round(),
          round.policyVersion(),
          round.reward(),
          round.baseline(),
          round.candidateVersion(),
          round.opeEstimate(),
          round.lo(),
          round.hi(),
          round.truth(),
          round.promoted() ? "promoted" : "refused",
          round.reason());
    }
    out.printf(
        Locale.ROOT,
        "%d runs, users never seen: popularity %.4f, the loop %.4f, oracle %.4f%n",
        gated.size(),
        mean(gated, FeedbackLoop.Run::baselineReward),
        mean(gated, FeedbackLoop.Run::finalReward),
        mean(gated, FeedbackLoop.Run::oracleReward));
    print(
        out, "  the loop less popularity", over(gated, r -> r.finalReward() - r.baselineReward()));
    print(out, "  share of the gap to the oracle", over(gated, LoopReport::gapClosed));
    print(out, "  last round as shown less popularity", over(gated, LoopReport::lastShown));
    print(out, "  all rounds as shown less popularity", over(gated, LoopReport::shown));
    print(out, "  lost without the gate, all rounds", shownLost());
    print(out, "  lost without the gate, after a fault", afterFault());
    out.printf(
        Locale.ROOT,
        "  %.3f of the intervals of estimates hold what can be observed of the true value over the"
            + " rounds of the log, %.3f that of the present round%n",
        coverage(r -> true, FeedbackLoop.Round::estimated),
        coverage(r -> true, FeedbackLoop.Round::observable));
    if (trusted() > 0) {
      out.printf(
          Locale.ROOT,
          "  %.3f of the estimates have no warning; of these %.3f hold it%n",
          trusted(),
          coverage(FeedbackLoop.Round::trusted, FeedbackLoop.Round::estimated));
    }
    GateTrial.Result planted = trial;
    if (planted != null) {
      out.printf(
          Locale.ROOT,
          "the gate promoted %d of %d worse candidates (%.4f worse on average; lost %.4f, without a"
              + " gate %.4f) and %d of %d better ones (%.4f better)%n",
          planted.worsePromoted(),
          planted.worse(),
          -planted.worseDifference() / planted.worse(),
          -planted.worsePromotedDifference(),
          -planted.worseDifference(),
          planted.betterPromoted(),
          planted.better(),
          planted.betterDifference() / planted.better());
    }
  }

  private static void print(PrintStream out, String name, Interval i) {
    out.printf(Locale.ROOT, "%-40s %.4f [%.4f, %.4f]%n", name, i.value(), i.lo(), i.hi());
  }

  private static double gapClosed(FeedbackLoop.Run run) {
    return (run.finalReward() - run.baselineReward()) / (run.oracleReward() - run.baselineReward());
  }

  private static double lastShown(FeedbackLoop.Run run) {
    FeedbackLoop.Round last = run.rounds().get(run.rounds().size() - 1);
    return last.reward() - last.baseline();
  }

  private static double shown(FeedbackLoop.Run run) {
    return run.rounds().stream().mapToDouble(r -> r.reward() - r.baseline()).average().orElse(0);
  }

  /** How much more the gated runs showed. */
  private Interval shownLost() {
    double[] lost = new double[gated.size()];
    for (int i = 0; i < lost.length; i++) {
      lost[i] = shown(gated.get(i)) - shown(ungated.get(i));
    }
    return interval(lost);
  }

  /** The same in rounds that a faulty policy served; 0 without any. */
  private Interval afterFault() {
    double[] lost = new double[gated.size()];
    for (int i = 0; i < lost.length; i++) {
      List<FeedbackLoop.Round> with = gated.get(i).rounds();
      List<FeedbackLoop.Round> without = ungated.get(i).rounds();
      int rounds = 0;
      for (int r = 1; r < with.size(); r++) {
        if (without.get(r - 1).faulty()) {
          lost[i] += with.get(r).reward() - without.get(r).reward();
          rounds++;
        }
      }
      lost[i] /= Math.max(1, rounds);
    }
    return interval(lost);
  }

  private double trusted() {
    return gated.stream()
        .flatMap(run -> run.rounds().stream())
        .mapToDouble(r -> r.trusted() ? 1 : 0)
        .average()
        .orElse(0);
  }

  private double coverage(
      Predicate<FeedbackLoop.Round> counted, ToDoubleFunction<FeedbackLoop.Round> truth) {
    return gated.stream()
        .flatMap(run -> run.rounds().stream())
        .filter(counted)
        .mapToDouble(
            r -> r.lo() <= truth.applyAsDouble(r) && truth.applyAsDouble(r) <= r.hi() ? 1 : 0)
        .average()
        .orElse(0);
  }

  private static double mean(
      List<FeedbackLoop.Run> runs, ToDoubleFunction<FeedbackLoop.Run> value) {
    return runs.stream().mapToDouble(value).average().orElseThrow();
  }

  private static Interval over(
      List<FeedbackLoop.Run> runs, ToDoubleFunction<FeedbackLoop.Run> value) {
    return interval(runs.stream().mapToDouble(value).toArray());
  }

  private static Interval interval(double[] values) {
    return Bootstrap.mean(values, RESAMPLES, 1);
  }
}
