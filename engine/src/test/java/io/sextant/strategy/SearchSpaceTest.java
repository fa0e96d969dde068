package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SearchSpaceTest {

  private static final SearchSpace SPACE =
      SearchSpace.builder()
          .reals("share", 0, 1)
          .logReals("rate", 1e-4, 1)
          .integers("steps", 2, 5)
          .logIntegers("width", 10, 1000)
          .choice("batch", 64, 128)
          .build();

  private static double[] drawn(String name) {
    return IntStream.range(0, 2000)
        .mapToDouble(i -> SPACE.draw(3, "test", i).getOrDefault(name, Double.NaN).doubleValue())
        .toArray();
  }

  @Test
  void drawsAreInTheirRangesAndFollowTheirScale() {
    assertThat(Arrays.stream(drawn("share"))).allMatch(v -> v >= 0 && v <= 1);
    assertThat(Arrays.stream(drawn("share")).average().orElse(0)).isCloseTo(0.5, within(0.03));
    assertThat(Arrays.stream(drawn("rate"))).allMatch(v -> v >= 1e-4 && v <= 1);
    // Half of the draws on a scale of factors are below the geometric mean.
    assertThat(Arrays.stream(drawn("rate")).filter(v -> v < 1e-2).count()).isBetween(900L, 1100L);
    assertThat(Arrays.stream(drawn("steps")).distinct().sorted()).containsExactly(2., 3., 4., 5.);
    assertThat(Arrays.stream(drawn("width")).filter(v -> v < 100).count()).isBetween(900L, 1100L);
    assertThat(Arrays.stream(drawn("batch")).distinct().sorted()).containsExactly(64., 128.);
  }

  @Test
  void drawsArePureFunctionsOfSeedStreamAndNumber() {
    Map<String, Number> first = SPACE.draw(3, "a", 0);
    assertThat(SPACE.draw(3, "a", 0)).isEqualTo(first);
    for (Map<String, Number> other :
        List.of(SPACE.draw(4, "a", 0), SPACE.draw(3, "b", 0), SPACE.draw(3, "a", 1))) {
      assertThat(other).isNotEqualTo(first);
    }
  }

  @Test
  void refusesRangesThatAreNone() {
    SearchSpace.Builder builder = SearchSpace.builder();
    assertThatThrownBy(() -> builder.reals("x", 1, 1)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> builder.logReals("x", 0, 1)).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> builder.choice("x")).isInstanceOf(InvalidInputException.class);
    builder.integers("x", 1, 2);
    assertThatThrownBy(() -> builder.integers("x", 1, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two ranges");
  }
}
