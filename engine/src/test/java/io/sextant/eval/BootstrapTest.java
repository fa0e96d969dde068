package io.sextant.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BootstrapTest {

  private static double[] normal(long seed, int n, double mean) {
    Random random = new Random(seed);
    return random.doubles(n).map(x -> mean + random.nextGaussian()).toArray();
  }

  @Test
  void isDeterministicInTheSeed() {
    double[] values = normal(1, 500, 0);
    Interval first = Bootstrap.mean(values, 300, 42);
    assertThat(Bootstrap.mean(values, 300, 42)).isEqualTo(first);
    assertThat(Bootstrap.mean(values, 300, 43)).isNotEqualTo(first);
    // Written down once: another machine, JDK or number of threads must give the same digits.
    Interval golden = Bootstrap.mean(new double[] {0, 1, 1, 0, 1, 0, 0, 0, 1, 0}, 1000, 7);
    assertThat(golden.value()).isEqualTo(0.4);
    assertThat(golden.lo()).isEqualTo(0.1);
    assertThat(golden.hi()).isEqualTo(0.7);
    double[] uneven = new double[37];
    Arrays.setAll(uneven, i -> Math.sqrt(i) * (i % 3 - 1.0));
    assertThat(Bootstrap.mean(uneven, 1000, 7).lo()).isCloseTo(-1.1398364835439632, within(1e-12));
  }

  @Test
  void widthIsThatOfTheNormalApproximation() {
    int n = 20_000;
    double[] values = normal(3, n, 5);
    Interval interval = Bootstrap.mean(values, 2000, 9);
    double mean = Arrays.stream(values).average().orElseThrow();
    double deviation = Math.sqrt(Arrays.stream(values).map(x -> (x - mean) * (x - mean)).sum() / n);
    double half = 1.96 * deviation / Math.sqrt(n);
    assertThat(interval.value()).isCloseTo(mean, within(1e-12));
    // The standard error of a 2.5 % quantile of 2,000 draws is 6 % of the deviation: 4 of them.
    double tolerance = 4 * 0.06 * half / 1.96;
    assertThat(interval.lo()).isCloseTo(mean - half, within(tolerance));
    assertThat(interval.hi()).isCloseTo(mean + half, within(tolerance));
  }

  @Test
  void coversTheTruthAsOftenAsItSays() {
    int covered = 0;
    int trials = 400;
    for (int seed = 0; seed < trials; seed++) {
      Interval interval = Bootstrap.mean(normal(1000 + seed, 200, 0.3), 400, seed);
      if (interval.lo() <= 0.3 && 0.3 <= interval.hi()) {
        covered++;
      }
    }
    // Binomial(400, .945), deviation 4.6: outside 4.5 deviations with probability 7e-6.
    assertThat(covered).isBetween(357, 399);
  }

  @Test
  void pairingRemovesWhatBothShare() {
    double[] shared = normal(5, 2000, 0);
    double[] better = Arrays.stream(shared).map(x -> x + 0.01).toArray();
    Interval difference = Bootstrap.pairedDifference(better, shared, 200, 1);
    assertThat(difference.value()).isCloseTo(0.01, within(1e-12));
    assertThat(difference.isAbove(0.0099)).isTrue();
    assertThat(difference.isBelow(0.0101)).isTrue();
    assertThat(Bootstrap.mean(better, 200, 1).isAbove(0.0099)).isFalse();
  }

  @Test
  void refusesWhatCannotBeResampled() {
    assertThatThrownBy(() -> Bootstrap.mean(new double[0], 1000, 1))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Bootstrap.mean(new double[] {1, Double.NaN}, 1000, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("user 1");
    assertThatThrownBy(() -> Bootstrap.mean(new double[1], 99, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("99");
    assertThatThrownBy(() -> Bootstrap.pairedDifference(new double[1], new double[2], 1000, 1))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void oneUserHasNoSpread() {
    assertThat(Bootstrap.mean(new double[] {0.5}, 100, 1)).isEqualTo(new Interval(0.5, 0.5, 0.5));
  }

  @Test
  void intervalsFollowIncreasingFunctions() {
    assertThat(new Interval(4, 1, 9).map(Math::sqrt)).isEqualTo(new Interval(2, 1, 3));
    assertThatThrownBy(() -> new Interval(0, 1, 0)).isInstanceOf(InvalidInputException.class);
  }
}
