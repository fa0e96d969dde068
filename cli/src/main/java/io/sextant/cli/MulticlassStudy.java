package io.sextant.cli;

import io.sextant.eval.Interval;
import io.sextant.feedback.ActionProbabilities;
import io.sextant.feedback.Estimate;
import io.sextant.feedback.Estimator;
import io.sextant.feedback.EvaluationOptions;
import io.sextant.feedback.LoggedRounds;
import io.sextant.feedback.OffPolicyEvaluator;
import io.sextant.feedback.OffPolicyReport;
import io.sextant.feedback.Slope;
import io.sextant.tensor.CounterRandom;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Bias, error and coverage of the estimators on a labelled set (after Dudik et al., ICML 2011).
 * Three tenths of the examples teach the target's classifier, one tenth the logger's; the others
 * are the population. Both policies follow their classifier except for a share of epsilon, in which
 * they draw any class: the target with .2, the logger with .9 (near uniform), .5 and .1 (good).
 * Each log draws its contexts from the population with replacement, so that the target's mean over
 * the population is the exact value.
 */
final class MulticlassStudy {

  /** How much the logger explores, by its quality. */
  static final Map<String, Double> EXPLORATION = exploration();

  private static final double TARGET_EPSILON = 0.2;

  /** Weights up to this leave intervals fit to be used. */
  private static final double LIGHT = 25;

  private static final List<String> PLAIN =
      List.of("dm", "ips", "snips", "dr", "sndr", "snips@10", "dr@10");
  private static final List<String> TUNED =
      List.of("ips", "dr", "switch-dr", "dros", "sub-gaussian");

  private final MulticlassSet set;
  private final int rounds;
  private final long seed;
  private final int[] population;
  private final int[] targetClass;
  private final int[] loggerClass;
  private final double truth;
  private final OffPolicyEvaluator evaluator;
  private final List<String> names;

  MulticlassStudy(MulticlassSet set, int rounds, long seed) {
    this.set = set;
    this.rounds = rounds;
    this.seed = seed;
    int[] order = set.shuffled(seed);
    int n = order.length;
    targetClass = set.classify(Arrays.copyOfRange(order, 0, n * 3 / 10));
    loggerClass = set.classify(Arrays.copyOfRange(order, n * 3 / 10, n * 4 / 10));
    population = Arrays.copyOfRange(order, n * 4 / 10, n);
    double sum = 0;
    for (int row : population) {
      sum += probability(targetClass[row], set.classes()[row], TARGET_EPSILON);
    }
    truth = sum / population.length;
    Set<String> all = new LinkedHashSet<>(PLAIN);
    TUNED.forEach(family -> all.add(family + "@slope"));
    TUNED.forEach(family -> Slope.candidates(family).forEach(e -> all.add(e.name())));
    names = List.copyOf(all);
    evaluator = new OffPolicyEvaluator(EvaluationOptions.defaults().withEstimators(names));
  }

  private static Map<String, Double> exploration() {
    Map<String, Double> map = new LinkedHashMap<>();
    map.put("nearUniform", 0.9);
    map.put("middling", 0.5);
    map.put("good", 0.1);
    return map;
  }

  private double probability(int followed, int action, double epsilon) {
    return (followed == action ? 1 - epsilon : 0) + epsilon / set.numClasses();
  }

  /**
   * What all logs of one logger came to.
   *
   * @param warnedLogs of how many logs the diagnostics warn
   * @param lightLogs in how many no weight above 25 was possible
   * @param heavyLogsWarned of how many of the others the diagnostics warn
   */
  record Cell(
      double truth,
      double loggingEpsilon,
      double meanMaxWeight,
      double meanEss,
      int warnedLogs,
      int lightLogs,
      int heavyLogs,
      int heavyLogsWarned,
      Map<String, Summary> estimators,
      Map<String, Tuned> slope) {}

  /**
   * How one estimator did.
   *
   * @param coverage the share of logs whose interval holds the truth
   * @param lightCoverage the same among light logs; NaN if there are none
   * @param trustedLogs how many estimates nothing speaks against
   * @param trustedCoverage the coverage among those; NaN if there are none
   */
  record Summary(
      double bias,
      double rmse,
      double coverage,
      double lightCoverage,
      int trustedLogs,
      double trustedCoverage) {}

  /**
   * A chosen parameter against the best fixed one.
   *
   * @param best the estimator that has the least error in hindsight
   * @param ratio the chosen parameter's RMSE over the best one's
   */
  record Tuned(String best, double ratio) {}

  Cell run(double epsilon, int seeds) {
    List<OffPolicyReport> reports =
        IntStream.range(0, seeds).parallel().mapToObj(i -> evaluate(epsilon, i)).toList();
    Map<String, Summary> estimators = new LinkedHashMap<>();
    for (int e = 0; e < names.size(); e++) {
      estimators.put(names.get(e), summary(reports, e));
    }
    List<OffPolicyReport> heavy = reports.stream().filter(r -> !isLight(r)).toList();
    return new Cell(
        truth,
        epsilon,
        reports.stream().mapToDouble(r -> r.overlap().maxWeight()).average().orElseThrow(),
        reports.stream()
            .mapToDouble(r -> r.overlap().effectiveSampleSize())
            .average()
            .orElseThrow(),
        (int) reports.stream().filter(r -> !r.overlap().trusted()).count(),
        reports.size() - heavy.size(),
        heavy.size(),
        (int) heavy.stream().filter(r -> !r.overlap().trusted()).count(),
        estimators,
        slope(estimators));
  }

  private static boolean isLight(OffPolicyReport report) {
    return report.overlap().largestPossibleWeight() <= LIGHT;
  }

  private OffPolicyReport evaluate(double epsilon, int log) {
    CounterRandom random = new CounterRandom(seed, "study-log-" + set.name() + epsilon, log);
    int k = set.numClasses();
    int[] rows = new int[rounds];
    int[] actions = new int[rounds];
    double[] rewards = new double[rounds];
    double[] propensities = new double[rounds];
    double[] logging = new double[rounds * k];
    double[] target = new double[rounds * k];
    for (int i = 0; i < rounds; i++) {
      rows[i] = population[random.nextInt(population.length)];
      boolean explores = random.nextDouble() < epsilon;
      int any = random.nextInt(k);
      actions[i] = explores ? any : loggerClass[rows[i]];
      rewards[i] = actions[i] == set.classes()[rows[i]] ? 1 : 0;
      for (int a = 0; a < k; a++) {
        logging[i * k + a] = probability(loggerClass[rows[i]], a, epsilon);
        target[i * k + a] = probability(targetClass[rows[i]], a, TARGET_EPSILON);
      }
      propensities[i] = logging[i * k + actions[i]];
    }
    return evaluator.evaluate(
        new LoggedRounds(k, actions, rewards, propensities, set.dimension(), set.features(rows)),
        new ActionProbabilities(k, logging),
        new ActionProbabilities(k, target));
  }

  private Summary summary(List<OffPolicyReport> reports, int estimator) {
    double error = 0;
    double squares = 0;
    int covered = 0;
    int light = 0;
    int lightCovered = 0;
    int trusted = 0;
    int trustedCovered = 0;
    for (OffPolicyReport report : reports) {
      Estimate estimate = report.estimates().get(estimator);
      Interval interval = estimate.interval();
      double off = interval.value() - truth;
      error += off / reports.size();
      squares += off * off / reports.size();
      int covers = interval.lo() <= truth && truth <= interval.hi() ? 1 : 0;
      covered += covers;
      if (isLight(report)) {
        light++;
        lightCovered += covers;
      }
      if (estimate.trusted()) {
        trusted++;
        trustedCovered += covers;
      }
    }
    return new Summary(
        error,
        Math.sqrt(squares),
        covered / (double) reports.size(),
        lightCovered / (double) light,
        trusted,
        trustedCovered / (double) trusted);
  }

  private static Map<String, Tuned> slope(Map<String, Summary> estimators) {
    Map<String, Tuned> slope = new LinkedHashMap<>();
    for (String family : TUNED) {
      String best =
          Slope.candidates(family).stream()
              .map(Estimator::name)
              .min(Comparator.comparingDouble(name -> rmse(estimators, name)))
              .orElseThrow();
      slope.put(
          family, new Tuned(best, rmse(estimators, family + "@slope") / rmse(estimators, best)));
    }
    return slope;
  }

  private static double rmse(Map<String, Summary> estimators, String name) {
    return Objects.requireNonNull(estimators.get(name), name).rmse();
  }

  /** The estimators without a grid, as a table. */
  static void print(PrintStream out, String title, Cell cell) {
    out.printf(
        Locale.ROOT,
        "%s: truth %.4f, largest weight %.1f, effective size %.0f, %d logs warned of, %d"
            + " light%n",
        title,
        cell.truth(),
        cell.meanMaxWeight(),
        cell.meanEss(),
        cell.warnedLogs(),
        cell.lightLogs());
    cell.estimators()
        .forEach(
            (name, summary) -> {
              if (PLAIN.contains(name) || name.endsWith("@slope")) {
                out.printf(
                    Locale.ROOT,
                    "  %-18s bias %8.5f  rmse %.5f  covers %.3f, light logs %.3f, %d trusted"
                        + " %.3f%n",
                    name,
                    summary.bias(),
                    summary.rmse(),
                    summary.coverage(),
                    summary.lightCoverage(),
                    summary.trustedLogs(),
                    summary.trustedCoverage());
              }
            });
    cell.slope()
        .forEach(
            (family, tuned) ->
                out.printf(
                    Locale.ROOT,
                    "  %s@slope has %.3f times the error of %s%n",
                    family,
                    tuned.ratio(),
                    tuned.best()));
  }
}
