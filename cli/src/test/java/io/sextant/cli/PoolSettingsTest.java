package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.strategy.Als;
import io.sextant.strategy.Ease;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserNeighbours;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolSettingsTest {

  @Test
  void aPoolHasAllStrategiesOfItsRecipe() {
    for (PoolSettings settings :
        List.of(
            PoolSettings.ordered(), PoolSettings.unordered(false), PoolSettings.unordered(true))) {
      List<Strategy> pool = settings.strategies(List.of(), 4);
      assertThat(pool).containsExactlyInAnyOrderElementsOf(settings.recipe().strategies(4));
      assertThat(pool).extracting(Strategy::name).containsExactlyElementsOf(settings.order());
    }
  }

  @Test
  void denseDataHaveSettingsOfTheirOwn() {
    assertThat(PoolSettings.unordered(true).strategies(List.of(), 4))
        .contains(
            ItemNeighbours.rp3beta().toBuilder().sourceExponent(0.6).targetExponent(0.8).build(),
            UserNeighbours.nearest().toBuilder().neighbours(200).build(),
            Als.builder().unobservedWeight(0.1).l2(0.01).epochs(12).seed(4).build(),
            Ease.builder().l2(1000).build(),
            LowPass.builder().factors(64).filterWeight(0.4).seed(4).build());
  }

  @Test
  void someStrategiesComeInTheOrderInWhichTheyWereAskedFor() {
    PoolSettings settings = PoolSettings.ordered();
    assertThat(settings.strategies(List.of("late-popularity", "popularity"), 1))
        .containsExactly(Popularity.late(), Popularity.allTime());
    assertThatThrownBy(() -> settings.strategies(List.of("low-pass"), 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'low-pass'")
        .hasMessageContaining("popularity, late-popularity, cosine");
  }
}
