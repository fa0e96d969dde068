package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StandardizationTest {

  @Test
  void columnsGetMeanZeroAndDeviationOne() {
    Random random = new Random(4);
    float[] rows = new float[300];
    for (int i = 0; i < rows.length; i += 3) {
      rows[i] = 5 + 2 * (float) random.nextGaussian();
      rows[i + 1] = (float) random.nextGaussian();
      rows[i + 2] = random.nextFloat() * 1000;
    }
    float[] scaled = Standardization.of(rows, 3).apply(rows);
    for (int c = 0; c < 3; c++) {
      double sum = 0;
      double squares = 0;
      for (int i = c; i < scaled.length; i += 3) {
        sum += scaled[i];
        squares += scaled[i] * scaled[i];
      }
      assertThat(sum / 100).as("seed 4, column %d", c).isCloseTo(0, within(1e-5));
      assertThat(squares / 100).as("seed 4, column %d", c).isCloseTo(1, within(1e-4));
    }
  }

  @Test
  void otherRowsAreMeasuredWithTheFirstOnesAndNothingIsOverwritten() {
    float[] rows = {1, 3};
    Standardization scale = Standardization.of(rows, 1);
    assertThat(scale.apply(new float[] {2, 4, 0})).containsExactly(0, 2, -2);
    assertThat(rows).containsExactly(1, 3);
  }

  @Test
  void missingNumbersDoNotCountAndBecomeTheMean() {
    Standardization scale = Standardization.of(new float[] {1, Float.NaN, 3}, 1);
    assertThat(scale.mean()).containsExactly(2);
    assertThat(scale.deviation()).containsExactly(1);
    assertThat(scale.apply(new float[] {Float.NaN, 3})).containsExactly(0, 1);
  }

  @Test
  void columnsThatSayNothingBecomeZero() {
    float third = 1 / 3f;
    float[] rows = {7, third, Float.NaN, 7, third, Float.NaN, 7, third, Float.NaN};
    Standardization scale = Standardization.of(rows, 3);
    assertThat(scale.apply(rows)).containsOnly(0);
    assertThat(scale.apply(new float[] {9, 1, 5})).containsOnly(0);
  }

  @Test
  void badInputIsRefused() {
    assertThatThrownBy(() -> Standardization.of(new float[] {1, 2, 3}, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("3 numbers")
        .hasMessageContaining("width 2");
    assertThatThrownBy(() -> Standardization.of(new float[] {1, 2, 3, Float.NEGATIVE_INFINITY}, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("row 1, column 1");
    assertThatThrownBy(() -> new Standardization(new float[] {0}, new float[] {-1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("column 0");
  }
}
