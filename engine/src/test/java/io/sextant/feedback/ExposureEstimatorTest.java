package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.EventType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The estimator against the exact mean over all slates that could have been logged. */
class ExposureEstimatorTest {

  private static final RewardRule RATING = RewardRule.valueOf(EventType.RATING, 1000);

  @Test
  void isUnbiasedWithAndWithoutModel() {
    for (long seed = 1; seed <= 8; seed++) {
      Random random = new Random(seed);
      double[] logging = normals(random, 7);
      double[] target = normals(random, 7);
      double[] worth = normals(random, 7);
      double[] model = normals(random, 7);
      double[] examination = {1, 0.6, 0.3};
      StratifiedSampler sampler = new StratifiedSampler(3, 7, 0.8, 0.2);
      ExposureEstimator estimator = new ExposureEstimator(examination, RATING);
      double best = 0;
      int[] order = Softmax.bestFirst(target);
      for (int l = 0; l < 3; l++) {
        best += examination[l] * worth[order[l]];
      }
      StratifiedSampler other = new StratifiedSampler(3, 5, 0.3, 0.1);
      double explored = 0;
      double[] exposures = other.exposures(target, examination);
      for (int a = 0; a < 7; a++) {
        explored += exposures[a] * worth[a];
      }
      for (double[] q : Arrays.asList(null, model, worth)) {
        CandidateScorer scorer = q == null ? null : decision -> q;
        assertThat(
                expected(
                    sampler,
                    logging,
                    worth,
                    examination,
                    log -> estimator.best(log, decision -> target, scorer)))
            .isCloseTo(best, within(1e-9));
        assertThat(
                expected(
                    sampler,
                    logging,
                    worth,
                    examination,
                    log -> estimator.explored(log, decision -> target, other, scorer)))
            .isCloseTo(explored, within(1e-9));
      }
    }
  }

  @Test
  void theLoggingPolicyHasWeightsOfOne() {
    double[] logging = {3, 1, 2, 0, 5, 4};
    StratifiedSampler sampler = new StratifiedSampler(2, 6, 2, 0.1);
    ExposureEstimator estimator = new ExposureEstimator(new double[] {1, 1}, RATING);
    LoggedDecision logged =
        logged(sampler, logging, sampler.draw(logging, 1, 1).items(), new double[6], null);
    SlateRounds rounds =
        estimator.explored(List.of(logged, logged), decision -> logging, sampler, null);
    for (double weight : rounds.weights()) {
      assertThat(weight).isCloseTo(1, within(1e-12));
    }
    assertThat(rounds.unsupportedShare()).isZero();
  }

  @Test
  void saysWhereTheLogCannotSpeak() {
    // The logging policy never shows what it ranks below its pool.
    double[] logging = {6, 5, 4, 3, 2, 1};
    StratifiedSampler sampler = new StratifiedSampler(2, 4, 2, 0.1);
    ExposureEstimator estimator = new ExposureEstimator(new double[] {1, 1}, RATING);
    LoggedDecision logged = logged(sampler, logging, new int[] {0, 1}, new double[6], null);
    double[] within = {1, 2, 4, 3, 0, 0};
    double[] beyond = {1, 2, 0, 0, 0, 9};
    assertThat(estimator.best(List.of(logged), d -> within, null).unsupportedShare()).isZero();
    assertThat(estimator.best(List.of(logged), d -> beyond, null).unsupportedShare()).isEqualTo(1);
  }

  @Test
  void refusesBadNumbers() {
    assertThatThrownBy(() -> new ExposureEstimator(new double[] {1, 0}, RATING))
        .hasMessageContaining("slot 1: the examination must be > 0");
    StratifiedSampler sampler = new StratifiedSampler(2, 4, 2, 0.1);
    double[] scores = {1, 2, 3, 4};
    LoggedDecision logged = logged(sampler, scores, new int[] {3, 2}, new double[4], null);
    ExposureEstimator narrow = new ExposureEstimator(new double[] {1}, RATING);
    assertThatThrownBy(() -> narrow.best(List.of(logged), d -> scores, null))
        .hasMessageContaining("filled 2 slots but the examination is of 1");
    ExposureEstimator right = new ExposureEstimator(new double[] {1, 1}, RATING);
    assertThatThrownBy(
            () -> right.best(List.of(logged), d -> new double[] {1, Double.NaN, 1, 1}, null))
        .hasMessageContaining("score 1 must be finite");
  }

  private interface Estimated {
    SlateRounds of(List<LoggedDecision> log);
  }

  /** The mean over all slates, each with its probability. */
  private static double expected(
      StratifiedSampler sampler,
      double[] logging,
      double[] worth,
      double[] examination,
      Estimated estimated) {
    double sum = 0;
    double total = 0;
    for (int[] slate : slates(logging.length, sampler.slots(), new ArrayList<>())) {
      double p = 1;
      for (double one : sampler.propensities(logging, slate)) {
        p *= one;
      }
      if (p > 0) {
        LoggedDecision logged = logged(sampler, logging, slate, worth, examination);
        sum += p * estimated.of(List.of(logged)).values()[0];
        total += p;
      }
    }
    assertThat(total).isCloseTo(1, within(1e-12));
    return sum;
  }

  private static List<int[]> slates(int candidates, int slots, List<Integer> above) {
    if (above.size() == slots) {
      return List.of(above.stream().mapToInt(i -> i).toArray());
    }
    List<int[]> all = new ArrayList<>();
    for (int i = 0; i < candidates; i++) {
      if (!above.contains(i)) {
        List<Integer> longer = new ArrayList<>(above);
        longer.add(i);
        all.addAll(slates(candidates, slots, longer));
      }
    }
    return all;
  }

  /** A decision in which each shown item pays its worth, as far as it is examined. */
  private static LoggedDecision logged(
      StratifiedSampler sampler,
      double[] logging,
      int[] slate,
      double[] worth,
      double @Nullable [] examination) {
    double[] shown = sampler.firstPropensities(logging);
    double[] drawn = sampler.propensities(logging, slate);
    for (int l = 0; l < slate.length; l++) {
      shown[slate[l]] = drawn[l];
    }
    List<Decision.Candidate> candidates = new ArrayList<>();
    for (int a = 0; a < shown.length; a++) {
      candidates.add(new Decision.Candidate("i" + a, new float[0], shown[a]));
    }
    Decision decision =
        new Decision("d", null, "v", 0, 1, new float[0], new float[0], candidates, slate);
    List<Outcome> outcomes = new ArrayList<>();
    for (int l = 0; l < slate.length; l++) {
      double paid = worth[slate[l]] * (examination == null ? 1 : examination[l]);
      outcomes.add(new Outcome("d", "i" + slate[l], EventType.RATING, paid, 5, ""));
    }
    return new LoggedDecision(decision, outcomes);
  }

  private static double[] normals(Random random, int n) {
    return random.doubles(n).map(x -> 4 * x - 1).toArray();
  }
}
