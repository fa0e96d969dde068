package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StandardiserTest {

  /** The second feature is the same for all: whether a user was there in training. */
  private static final float[] ROWS = {1, 1, 3, 1, 5, 1, 7, 1};

  @Test
  void columnsHaveMeanZeroAndDeviationOneAndAreCutOff() {
    Standardiser standardiser = Standardiser.of(ROWS, 2, 1.2f);
    float[] rows = standardiser.apply(ROWS.clone());
    // Mean 4, variance (9 + 1 + 1 + 9) / 4.
    float deviation = (float) Math.sqrt(5);
    assertThat(rows[0]).isEqualTo(-1.2f);
    assertThat(rows[2]).isCloseTo(-1 / deviation, within(1e-5f));
    assertThat(rows[4]).isCloseTo(1 / deviation, within(1e-5f));
    assertThat(rows[6]).isEqualTo(1.2f);
  }

  @Test
  void whatNeverVariedInTheFitTellsTheNetworkNothingLater() {
    Standardiser standardiser = Standardiser.of(ROWS, 2, 4);
    float[] unseen = standardiser.apply(new float[] {4, 0, 4, 1, 4, 17});
    assertThat(unseen).containsExactly(0, 0, 0, 0, 0, 0);
  }
}
