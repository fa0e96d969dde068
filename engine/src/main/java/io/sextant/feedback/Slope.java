package io.sextant.feedback;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses an estimator's parameter by SLOPE++ (Tucker and Lee, arXiv 2110.07726; after Su, Srinath
 * and Krishnamurthy, ICML 2020), from the log alone. The candidates are sorted by the half-width c
 * of their 95 % Student-t intervals, widest (least biased) first; candidate i is accepted while
 *
 * <pre>
 * |value_j - value_i| &lt;= c_i + (sqrt 6 - 1) c_j   for every j before it
 * </pre>
 *
 * and the last one accepted is chosen: the narrowest that no wider one contradicts.
 *
 * <p>Time O(candidates * n). Thread safety: stateless.
 */
public final class Slope {

  private static final double WIDENING = Math.sqrt(6) - 1;
  private static final double TAIL = 0.025;

  private static final double[] CLIPS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
  private static final double[] SHRINKS = {.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6};
  private static final double[] MIXES = {0, .001, .003, .01, .03, .1, .3, 1};

  private Slope() {}

  private record Candidate(Estimator estimator, double value, double halfWidth) {}

  /**
   * The estimators of a family (the name before the @) among which its parameter is chosen.
   *
   * @throws InvalidInputException if the family has no parameter
   */
  public static List<Estimator> candidates(String family) {
    double[] parameters =
        switch (family) {
          case "dros" -> SHRINKS;
          case "sub-gaussian" -> MIXES;
          default -> CLIPS;
        };
    List<Estimator> candidates = new ArrayList<>();
    for (double parameter : parameters) {
      candidates.add(Estimator.withParameter(family, parameter));
    }
    if (List.of("ips", "snips", "dr", "sndr").contains(family)) {
      candidates.add(Estimator.named(family));
    }
    return candidates;
  }

  /**
   * The one to use.
   *
   * @throws InvalidInputException if there are no candidates
   */
  public static Estimator choose(List<Estimator> candidates, OffPolicyRounds rounds) {
    if (candidates.isEmpty()) {
      throw new InvalidInputException("there are no estimators to choose from");
    }
    List<Candidate> sorted = new ArrayList<>();
    for (Estimator estimator : candidates) {
      double[] values = estimator.roundValues(rounds);
      sorted.add(
          new Candidate(
              estimator, MeanBounds.mean(values), MeanBounds.studentHalfWidth(values, TAIL)));
    }
    sorted.sort(Comparator.comparingDouble(Candidate::halfWidth).reversed());
    int chosen = 0;
    while (chosen + 1 < sorted.size() && fits(sorted, chosen + 1)) {
      chosen++;
    }
    return sorted.get(chosen).estimator();
  }

  private static boolean fits(List<Candidate> sorted, int next) {
    Candidate candidate = sorted.get(next);
    for (Candidate wider : sorted.subList(0, next)) {
      if (Math.abs(wider.value() - candidate.value())
          > candidate.halfWidth() + WIDENING * wider.halfWidth()) {
        return false;
      }
    }
    return true;
  }
}
