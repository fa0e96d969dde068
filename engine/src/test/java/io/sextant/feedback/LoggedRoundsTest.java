package io.sextant.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoggedRoundsTest {

  @ParameterizedTest
  @CsvSource({
    "0,round 1: the propensity must be > 0", "-0.1,round 1: the propensity must be > 0",
    "1.0001,must be > 0 and <= 1 but was 1.0001", "NaN,round 1: the propensity is missing",
    "Infinity,must be > 0 and <= 1"
  })
  void refusesPropensitiesThatAreNone(double propensity, String complaint) {
    assertThatThrownBy(
            () ->
                LoggedRounds.of(
                    2, new int[] {0, 1}, new double[] {0, 1}, new double[] {0.5, propensity}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint);
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> LoggedRounds.of(2, new int[0], new double[0], new double[0]))
        .hasMessageContaining("no rounds");
    assertThatThrownBy(
            () -> LoggedRounds.of(2, new int[] {2}, new double[] {0}, new double[] {0.5}))
        .hasMessageContaining("the action must lie in 0..1 but was 2");
    assertThatThrownBy(
            () -> LoggedRounds.of(2, new int[] {1}, new double[] {Double.NaN}, new double[] {0.5}))
        .hasMessageContaining("the reward must be finite");
    assertThatThrownBy(
            () ->
                new LoggedRounds(
                    1, new int[1], new double[1], new double[] {1}, 2, new double[] {1, 1. / 0}))
        .hasMessageContaining("number 1 of the context");
    assertThatThrownBy(() -> new ActionProbabilities(2, new double[] {0.5, 0.4}))
        .hasMessageContaining("must add up to 1");
    assertThatThrownBy(() -> new ActionProbabilities(2, new double[] {1.5, -0.5}))
        .hasMessageContaining("must lie in 0..1");
  }

  @Test
  void refusesATargetWithoutSupport() {
    LoggedRounds log =
        LoggedRounds.of(3, new int[] {0, 1}, new double[] {0, 1}, new double[] {0.5, 0.5});
    ActionProbabilities elsewhere = new ActionProbabilities(3, new double[] {0, 0, 1, 0, 0, 1});
    assertThatThrownBy(() -> OffPolicyRounds.of(log, elsewhere, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("would draw none of the 2 logged actions");
  }

  @Test
  void countsRoundsWithoutSupport() {
    LoggedRounds log =
        LoggedRounds.of(
            3, new int[] {0, 1, 0}, new double[] {0, 1, 1}, new double[] {0.5, 0.5, 0.5});
    ActionProbabilities target =
        new ActionProbabilities(3, new double[] {.5, .5, 0, .4, .4, .2, 0, 1, 0});
    // Action 2 was never logged; only the second round would draw it.
    OffPolicyRounds seen = OffPolicyRounds.of(log, target, null);
    assertThat(seen.supportViolations()).isEqualTo(1);
    assertThat(seen.overlap().warnings()).anyMatch(w -> w.contains("in 1 of 3 rounds"));
    // Known in full, the logging policy could not have drawn action 1 in the third round either.
    ActionProbabilities logging =
        new ActionProbabilities(3, new double[] {.5, .5, 0, .5, .5, 0, .5, 0, .5});
    OffPolicyRounds known = OffPolicyRounds.ofKnownPolicy(log, logging, target, null);
    assertThat(known.supportViolations()).isEqualTo(2);
    assertThat(known.overlap().largestPossibleWeight()).isEqualTo(1);
    assertThat(seen.overlap().largestPossibleWeight()).isNaN();
    assertThatThrownBy(() -> OffPolicyRounds.ofKnownPolicy(log, target, target, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("draws action 1 with probability 0.4 but 0.5 was logged");
  }
}
