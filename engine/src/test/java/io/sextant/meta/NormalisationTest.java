package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Values computed by hand; the padding is 0 whatever is in its place. */
class NormalisationTest {

  private static final float TOLERANCE = 1e-6f;

  /** One strategy, mean 10, deviation 2; four candidates and room for six. */
  private static Evidence evidence() {
    return new Evidence(
        6,
        1,
        new int[] {4},
        new int[] {1, 2, 3, 4, -1, -1},
        new float[] {12, 6, 138, 28, 999, -999},
        new float[] {10},
        new float[] {2});
  }

  @Test
  void z() {
    // z = 1, -2, 64, 9; a tenth of it, cut at -3 and 60.
    assertValues(Normalisation.Z, 0.1f, -0.2f, 6, 0.9f);
    Evidence low =
        new Evidence(
            1, 1, new int[] {1}, new int[] {0}, new float[] {-9}, new float[1], new float[] {2});
    assertThat(Normalisation.Z.apply(low)).containsExactly(-0.3f);
  }

  @Test
  void squareRoot() {
    assertValues(Normalisation.SQRT_Z, 1, 0, 8, 3);
  }

  @Test
  void minMax() {
    assertValues(Normalisation.MIN_MAX, 6 / 132f, 0, 1, 22 / 132f);
  }

  @Test
  void reciprocalRank() {
    // Ranks 2, 3, 0, 1.
    assertValues(Normalisation.RECIPROCAL_RANK, 10 / 12f, 10 / 13f, 1, 10 / 11f);
  }

  @Test
  void logRank() {
    assertValues(
        Normalisation.LOG_RANK,
        -2 / 4f,
        (float) (-Math.log(5) / Math.log(2) / 4),
        -1 / 4f,
        (float) (-Math.log(3) / Math.log(2) / 4));
  }

  @Test
  void equalScoresGiveFiniteValues() {
    float[] raw = new float[6];
    Arrays.fill(raw, 3);
    Evidence equal =
        new Evidence(6, 1, new int[] {4}, new int[6], raw, new float[] {3}, new float[] {0});
    assertThat(Normalisation.Z.apply(equal)).containsOnly(0);
    assertThat(Normalisation.SQRT_Z.apply(equal)).containsOnly(0);
    assertThat(Normalisation.MIN_MAX.apply(equal)).containsOnly(0);
    for (Normalisation normalisation : Normalisation.values()) {
      for (float value : normalisation.apply(equal)) {
        assertThat(value).as("%s", normalisation).isFinite();
      }
    }
  }

  /** Each strategy and user is normalised apart from the others, in its own column. */
  @Test
  void strategiesAndUsersDoNotMix() {
    Evidence two =
        new Evidence(
            2,
            2,
            new int[] {2, 1},
            new int[] {0, 1, 0, -1},
            new float[] {1, 20, 3, 10, 5, 50, 0, 0},
            new float[4],
            new float[] {1, 10, 1, 10});
    assertThat(Normalisation.MIN_MAX.apply(two)).containsExactly(0, 1, 1, 0, 0, 0, 0, 0);
    assertThat(Normalisation.SQRT_Z.apply(two))
        .containsExactly(
            new float[] {
              1,
              (float) Math.sqrt(2),
              (float) Math.sqrt(3),
              1,
              (float) Math.sqrt(5),
              (float) Math.sqrt(5),
              0,
              0
            },
            within(TOLERANCE));
  }

  private static void assertValues(Normalisation normalisation, float... expected) {
    assertThat(normalisation.apply(evidence()))
        .containsExactly(Arrays.copyOf(expected, 6), within(TOLERANCE));
  }
}
