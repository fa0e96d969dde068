package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CounterRandomTest {

  /** Checkpoints and reports depend on these numbers, which another program computed. */
  @Test
  void theNumbersAreThoseOfEarlierVersions() {
    CounterRandom random = new CounterRandom(0, 0, 0);
    assertThat(random.nextLong()).isEqualTo(0xA706DD2F4D197E6FL);
    assertThat(new CounterRandom(42, "negatives", 7).nextLong()).isEqualTo(0xECE5B7A89C55C285L);
  }

  /** The state after (0, 0, 0) is mix(GOLDEN); Java's own SplitMix64 goes on from there. */
  @Test
  void theSequenceIsSplitMix64() {
    // SplittableRandom(seed).nextLong() is mix64(seed + golden gamma): the same finalizer.
    // mix(0) = 0, so the start of (0, 0, 0) is mix(0 ^ golden).
    long golden = new SplittableRandom(0).nextLong();
    SplittableRandom java = new SplittableRandom(golden);
    CounterRandom random = new CounterRandom(0, 0, 0);
    for (int i = 0; i < 20; i++) {
      assertThat(random.nextLong()).isEqualTo(java.nextLong());
    }
  }

  @Test
  void eachOfTheThreeNumbersMatters() {
    Set<Long> first = new HashSet<>();
    for (long seed = 0; seed < 20; seed++) {
      for (long stream = 0; stream < 20; stream++) {
        for (long step = 0; step < 20; step++) {
          first.add(new CounterRandom(seed, stream, step).nextLong());
        }
      }
    }
    assertThat(first).hasSize(8000);
    assertThat(new CounterRandom(1, "a", 1).nextLong())
        .isNotEqualTo(new CounterRandom(1, "b", 1).nextLong());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 10, 64})
  void integersAreUniform(int bound) {
    int[] counts = new int[bound];
    CounterRandom random = new CounterRandom(9, "uniform", bound);
    int draws = 2000 * bound;
    for (int i = 0; i < draws; i++) {
      counts[random.nextInt(bound)]++;
    }
    double chi = 0;
    for (int count : counts) {
      chi += Math.pow(count - 2000, 2) / 2000;
    }
    // Five standard deviations above the mean of chi-squared with bound - 1 degrees.
    assertThat(chi).isLessThanOrEqualTo(bound - 1 + 5 * Math.sqrt(2.0 * bound));
  }

  /** With 32 bits and a bound of 3 * 2^29 a biased method would give a third too much to some. */
  @Test
  void largeBoundsAreUniformToo() {
    CounterRandom random = new CounterRandom(9, "large", 0);
    int bound = 3 << 29;
    int[] thirds = new int[3];
    for (int i = 0; i < 30_000; i++) {
      int value = random.nextInt(bound);
      assertThat(value).isBetween(0, bound - 1);
      thirds[value % 3]++;
    }
    for (int third : thirds) {
      assertThat(third).isBetween(9_600, 10_400);
    }
  }

  /** Numbers of successive steps, as the initial rows of a table use them, are independent too. */
  @Test
  void firstDrawsOfSuccessiveStepsAreUniformAndUncorrelated() {
    int n = 20_000;
    double sum = 0;
    double squares = 0;
    double products = 0;
    double before = 0;
    for (int step = 0; step < n; step++) {
      double x = new CounterRandom(3, "steps", step).nextFloat() - 0.5;
      assertThat(x).isBetween(-0.5, Math.nextDown(0.5));
      sum += x;
      squares += x * x;
      products += x * before;
      before = x;
    }
    assertThat(sum / n).isCloseTo(0, within(0.01));
    assertThat(squares / n).isCloseTo(1 / 12.0, within(0.003));
    assertThat(products / n).isCloseTo(0, within(0.003));
  }

  @Test
  void gaussiansHaveMeanZeroAndVarianceOne() {
    CounterRandom random = new CounterRandom(3, "gauss", 0);
    int n = 40_000;
    double sum = 0;
    double squares = 0;
    double fourth = 0;
    for (int i = 0; i < n; i++) {
      double x = random.nextGaussian();
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
    }
    assertThat(sum / n).isCloseTo(0, within(0.025));
    assertThat(squares / n).isCloseTo(1, within(0.035));
    assertThat(fourth / n).isCloseTo(3, within(0.25));
  }

  @Test
  void aShuffleIsAPermutationAndEveryOneIsAsLikely() {
    int[] counts = new int[6];
    for (int step = 0; step < 6000; step++) {
      int[] values = {0, 1, 2};
      new CounterRandom(5, "shuffle", step).shuffle(values);
      assertThat(values).containsExactlyInAnyOrder(0, 1, 2);
      counts[values[0] * 2 + (values[1] > values[2] ? 1 : 0)]++;
    }
    assertThat(IntStream.of(counts).boxed()).allSatisfy(c -> assertThat(c).isBetween(850, 1150));
  }

  @Test
  void aBoundMustBePositive() {
    assertThatThrownBy(() -> new CounterRandom(0, 0, 0).nextInt(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0");
  }
}
