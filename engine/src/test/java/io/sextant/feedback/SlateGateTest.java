package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SlateGateTest {

  private static final PromotionGate GATE =
      new PromotionGate(GateOptions.defaults().withFloors(100, 50, 0.01));

  private static SlateRounds rounds(double mean, double spread, long seed, int n, double weight) {
    CounterRandom random = new CounterRandom(seed, "gate-test", 0);
    double[] values = new double[n];
    Arrays.setAll(values, i -> mean + spread * random.nextGaussian());
    double[] weights = new double[2 * n];
    Arrays.setAll(weights, i -> i % 50 == 0 ? weight : 1);
    return new SlateRounds(2, weights, values, new boolean[n]);
  }

  private static SlateEvidence evidence(SlateRounds candidate, SlateRounds incumbent) {
    int[] parts = new int[candidate.size()];
    Arrays.setAll(parts, i -> i % 2);
    return new SlateEvidence(candidate, incumbent, parts, Set.of(1));
  }

  @Test
  void promotesWhatIsBetterAndHoldsItsLevel() {
    int wrong = 0;
    int right = 0;
    for (int seed = 0; seed < 1000; seed++) {
      SlateRounds incumbent = rounds(1, 0, seed, 400, 1);
      wrong +=
          GATE.decide("c", "i", 1, evidence(rounds(1, 1, seed, 400, 1), incumbent)).promoted()
              ? 1
              : 0;
      right +=
          GATE.decide("c", "i", 1, evidence(rounds(1.3, 1, seed, 400, 1), incumbent)).promoted()
              ? 1
              : 0;
    }
    // Level .025: 1000 looks at equals have 25, and above 45 in one of 10,000 runs. The better one
    // is ahead by 4.2 standard errors and fails to show it in one of 80 looks.
    assertThat(wrong).isBetween(8, 45);
    assertThat(right).isGreaterThan(950);
  }

  @Test
  void judgesUnseenDecisionsOnly() {
    SlateRounds incumbent = rounds(0, 0, 1, 400, 1);
    double[] values = new double[400];
    // Better only where it was learned.
    Arrays.setAll(values, i -> i % 2 == 1 ? 5 + i % 3 : (i % 4 == 0 ? -1 : 1));
    SlateRounds candidate = new SlateRounds(2, new double[800], values, new boolean[400]);
    Arrays.fill(candidate.weights(), 1);
    PromotionDecision decision = GATE.decide("c", "i", 1, evidence(candidate, incumbent));
    assertThat(decision.outcome()).isEqualTo(PromotionDecision.Outcome.NOT_BETTER);
    assertThat(decision.rounds()).isEqualTo(200);
    assertThat(decision.difference()).isZero();
  }

  @Test
  void saysWhichConditionFailed() {
    SlateRounds incumbent = rounds(0, 1, 2, 400, 1);
    assertThat(
            GATE.decide("c", "i", 1, evidence(rounds(9, 1, 3, 150, 1), rounds(0, 1, 2, 150, 1)))
                .reason())
        .isEqualTo("75 rounds were not used to learn the candidate, 100 are needed");
    PromotionDecision few =
        GATE.decide("c", "i", 1, evidence(rounds(9, 1, 3, 400, 500), incumbent));
    assertThat(few.outcome()).isEqualTo(PromotionDecision.Outcome.TOO_LITTLE_OVERLAP);
    SlateRounds candidate = rounds(9, 1, 3, 400, 1);
    Arrays.fill(candidate.unsupported(), 0, 6, true);
    PromotionDecision unsupported = GATE.decide("c", "i", 1, evidence(candidate, incumbent));
    assertThat(unsupported.outcome()).isEqualTo(PromotionDecision.Outcome.WITHOUT_SUPPORT);
    assertThat(unsupported.reason()).startsWith("in 1.50 % of the decisions");
    PromotionGate bernstein =
        new PromotionGate(
            GateOptions.defaults().withBernstein(new EvaluationOptions.Bounds(0, 1, 9)));
    assertThatThrownBy(() -> bernstein.decide("c", "i", 1, evidence(incumbent, incumbent)))
        .hasMessageContaining("use a gate with STUDENT_T");
  }

  @Test
  void skewedValuesAndFewOfThemAreNotTrusted() {
    assertThat(rounds(0, 1, 3, 400, 1).warnings()).isEmpty();
    double[] values = new double[400];
    values[7] = 5;
    values[90] = 5;
    double[] ones = new double[800];
    Arrays.fill(ones, 1);
    // Two in 400: skewness (1 - 2p) / sqrt(p (1 - p)) = 14.0.
    assertThat(new SlateRounds(2, ones, values, new boolean[400]).warnings())
        .containsExactly(
            "round values are so skewed (14.0) that a 95 % interval needs 4925 rounds, not 400");
    assertThat(rounds(0, 1, 3, 400, 80).warnings())
        .anyMatch(warning -> warning.contains("the largest weight is 80.0"));
  }
}
