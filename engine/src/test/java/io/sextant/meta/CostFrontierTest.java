package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CostFrontierTest {

  private static final CostFrontier FRONTIER =
      new CostFrontier(
          List.of(
              new CostFrontier.Point(List.of("a", "b", "c"), 30, 0.20),
              new CostFrontier.Point(List.of("a"), 5, 0.10),
              new CostFrontier.Point(List.of("a", "b"), 12, 0.21),
              new CostFrontier.Point(List.of("c"), 18, 0.15),
              new CostFrontier.Point(List.of("b"), 7, 0.10)));

  @Test
  void pointsAscendInCost() {
    assertThat(FRONTIER.points())
        .extracting(CostFrontier.Point::millis)
        .containsExactly(5.0, 7.0, 12.0, 18.0, 30.0);
  }

  @Test
  void theBestWithinTheBudgetIsNotTheCostliest() {
    assertThat(FRONTIER.within(100).strategies()).containsExactly("a", "b");
    assertThat(FRONTIER.within(12).strategies()).containsExactly("a", "b");
    assertThat(FRONTIER.within(11.9).strategies()).containsExactly("a");
    assertThat(FRONTIER.within(5).strategies()).containsExactly("a");
  }

  @Test
  void aBudgetThatNothingFitsIsRefused() {
    for (double budget : new double[] {4.9, 0, -1, Double.NaN}) {
      assertThatThrownBy(() -> FRONTIER.within(budget))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("the cheapest, [a], costs 5.000 ms");
    }
    assertThatThrownBy(() -> new CostFrontier(List.of())).isInstanceOf(InvalidInputException.class);
  }
}
