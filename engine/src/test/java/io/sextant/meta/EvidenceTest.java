package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EvidenceTest {

  /** Two users, room for four candidates, two strategies; the second user has three candidates. */
  private static Evidence evidence() {
    return new Evidence(
        4,
        2,
        new int[] {4, 3},
        new int[] {10, 11, 12, 13, 20, 21, 22, -1},
        new float[] {1, 0, 3, -0.0f, 3, 5, -2, 0, 7, 1, 7, 1, 8, 1, 0, 0},
        new float[] {1, 0, 4, 9},
        new float[] {2, 0, 0.5f, 3});
  }

  @Test
  void ranksAreByScoreAndTiesByPlace() {
    assertThat(evidence().ranks(0, 0)).containsExactly(2, 0, 1, 3);
    // 0.0 and -0.0 are equal.
    assertThat(evidence().ranks(0, 1)).containsExactly(1, 2, 0, 3);
    assertThat(evidence().ranks(1, 0)).containsExactly(1, 2, 0);
    assertThat(evidence().ranks(1, 1)).containsExactly(0, 1, 2);
  }

  @Test
  void infiniteScoresAreRanked() {
    float[] raw = {
      Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, -Float.MAX_VALUE, Float.MIN_VALUE
    };
    Evidence evidence =
        new Evidence(4, 1, new int[] {4}, new int[4], raw, new float[1], new float[1]);
    assertThat(evidence.ranks(0, 0)).containsExactly(3, 0, 2, 1);
  }

  @Test
  void standardisedScoresAreZeroWhereAllAreEqual() {
    assertThat(evidence().z(0, 1, 0)).isEqualTo(1);
    assertThat(evidence().z(0, 2, 1)).isZero();
    assertThat(evidence().z(1, 0, 0)).isEqualTo(6);
  }

  @Test
  void usersAndStrategiesCanBeChosen() {
    Evidence user = evidence().select(new int[] {1});
    assertThat(user.numUsers()).isEqualTo(1);
    assertThat(user.length(0)).isEqualTo(3);
    assertThat(user.item(0, 2)).isEqualTo(22);
    assertThat(user.raw(0, 2, 0)).isEqualTo(8);
    assertThat(user.z(0, 2, 0)).isEqualTo(8);

    Evidence strategy = evidence().only(new int[] {1});
    assertThat(strategy.numStrategies()).isEqualTo(1);
    assertThat(strategy.raw()).containsExactly(0, -0.0f, 5, 0, 1, 1, 1, 0);
    assertThat(strategy.means()).containsExactly(0, 9);
    assertThat(strategy.deviations()).containsExactly(0, 3);

    Evidence swapped = evidence().only(new int[] {1, 0});
    assertThat(swapped.raw(0, 2, 0)).isEqualTo(5);
    assertThat(swapped.raw(0, 2, 1)).isEqualTo(3);
  }
}
