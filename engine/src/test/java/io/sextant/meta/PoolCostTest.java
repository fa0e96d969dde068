package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import io.sextant.strategy.UserState;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PoolCostTest {

  private static final int ITEMS = 30;

  /** The clock is what the strategies say: one ticks 3 microseconds a user, the other 50. */
  @Test
  void costsAreMillisecondsForAThousandUsers() {
    AtomicLong nanos = new AtomicLong();
    List<UserState> users =
        IntStream.range(0, 600).mapToObj(u -> new UserState(u, new int[] {u % ITEMS})).toList();
    try (StrategyPool pool =
        new StrategyPool(List.of(ticking("quick", nanos, 3_000), ticking("slow", nanos, 50_000)))) {
      // Whatever is measured takes a microsecond more: selection is not counted twice.
      PoolCost costs = PoolCost.measure(pool, users, () -> nanos.addAndGet(600_000));
      assertThat(costs.selection()).isCloseTo(1, within(1e-9));
      assertThat(costs.strategies().keySet()).containsExactly("quick", "slow");
      assertThat(costs.strategies().get("quick")).isCloseTo(3, within(1e-9));
      assertThat(costs.strategies().get("slow")).isCloseTo(50, within(1e-9));
      assertThat(costs.of(List.of("slow"))).isCloseTo(51, within(1e-9));
      assertThat(costs.of(pool.names())).isCloseTo(54, within(1e-9));
      assertThatThrownBy(() -> costs.of(List.of("other")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("'other' was not measured")
          .hasMessageContaining("[quick, slow]");
      assertThatThrownBy(() -> PoolCost.measure(pool, List.of()))
          .isInstanceOf(InvalidInputException.class);
    }
  }

  @Test
  void aRealClockGivesCostsOfRealStrategies() {
    try (RandomMeta fixture = new RandomMeta(1, Normalisation.Z, 1)) {
      PoolCost costs =
          PoolCost.measure(fixture.pool, List.of(UserState.unseen(1), UserState.unseen()));
      assertThat(costs.strategies().keySet()).containsExactlyElementsOf(fixture.pool.names());
      assertThat(costs.selection()).isPositive();
    }
  }

  @Test
  void impossibleCostsAreRefused() {
    assertThatThrownBy(() -> new PoolCost(Map.of("a", -1.0), 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'a'");
    assertThatThrownBy(() -> new PoolCost(Map.of("a", 1.0), Double.NaN))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("selection");
  }

  private static StrategyPool.Member ticking(String name, AtomicLong clock, long nanos) {
    Function<UserState, float[]> scores =
        user -> {
          clock.addAndGet(nanos);
          return new float[ITEMS];
        };
    return KnownScores.member(name, ITEMS, scores);
  }
}
