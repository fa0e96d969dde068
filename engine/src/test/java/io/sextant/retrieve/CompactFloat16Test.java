package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import org.junit.jupiter.api.Test;

class CompactFloat16Test extends CompactContract {

  @Override
  CompactOptions options() {
    return CompactOptions.of(CompactOptions.Precision.FLOAT16);
  }

  @Test
  void refusesWhatHalfPrecisionCannotHold() {
    for (float value : new float[] {1e6f, Float.NaN, Float.NEGATIVE_INFINITY}) {
      Data data = Data.random(3, 700, 3);
      data.items()[5 * D + 3] = value;
      assertThatThrownBy(() -> withIndex(data, 700, (index, items, scope) -> {}))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("items 0 to 699");
    }
  }

  /** Numbers below the least of half precision: nothing is stored of them. */
  @Test
  void tinyVectorsAreComputedAgain() {
    Data data = Data.random(4, 700, 3);
    for (int i = 0; i < data.items().length; i++) {
      data.items()[i] *= 1e-9f;
    }
    withIndex(
        data,
        700,
        (index, items, scope) -> {
          check(index, data, scope, 10);
          assertThat(((CompactIndex) index).recomputed()).isEqualTo(3);
        });
  }
}
