package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserState;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class StrategyPoolTest {

  private static final int ITEMS = 5;

  private static final FitContext CONTEXT =
      FitContext.of(
          Device.cpu(), Dataset.of(KnownScores.sequences(ITEMS, new int[][] {{0, 1}, {2}})));

  private final AtomicInteger closed = new AtomicInteger();

  /** A strategy that gives this or throws. */
  private record Fake(String name, Supplier<FittedStrategy> result) implements Strategy {
    @Override
    public FittedStrategy fit(FitContext context) {
      return result.get();
    }
  }

  private Fake good(String name) {
    return new Fake(
        name, () -> new KnownScores(ITEMS, user -> new float[] {0, 3, 1, 2, 4}, closed));
  }

  private static Fake bad(String name, RuntimeException failure) {
    return new Fake(
        name,
        () -> {
          throw failure;
        });
  }

  @Test
  void whatFailsToFitIsLeftOutWithAWarningAndTheRestWorks() {
    Fake exhausted =
        new Fake(
            "exhausted",
            () -> {
              throw new OutOfMemoryError();
            });
    try (StrategyPool pool =
            StrategyPool.fit(
                List.of(
                    bad("poor", new InvalidInputException("too few events")),
                    good("one"),
                    bad("singular", new ArithmeticException("the matrix is singular")),
                    bad("native", new EngineException("not enough memory")),
                    exhausted,
                    good("two")),
                strategy -> CONTEXT);
        TopK topK = new TopK()) {
      assertThat(pool.names()).containsExactly("one", "two");
      assertThat(pool.warnings())
          .containsExactly(
              "strategy 'poor' is left out: too few events",
              "strategy 'singular' is left out: the matrix is singular",
              "strategy 'native' is left out: not enough memory",
              "strategy 'exhausted' is left out: java.lang.OutOfMemoryError");
      StageOne equal =
          new StageOne(
              new float[] {1, 1}, null, new Standardiser(new float[0], new float[0], 1), false);
      MetaStrategy meta =
          new MetaStrategy(
              new FusedScorer(pool, topK),
              new PolicyParts(
                  MetaOptions.builder().build(),
                  pool.names(),
                  ItemFacts.of(CONTEXT.train().interactions()),
                  equal,
                  equal,
                  equal,
                  new StageTwo(
                      Normalisation.Z,
                      new float[] {1, 1},
                      List.of(),
                      equal.standardiser(),
                      equal.standardiser(),
                      new int[0],
                      new float[] {1})));
      try (meta) {
        assertThat(meta.rank(List.of(UserState.unseen(0)), 3, ExcludedItems.NONE).itemsOf(0))
            .containsExactly(4, 1, 3);
      }
    }
    assertThat(closed).hasValue(2);
  }

  @Test
  void ifNothingCanBeFittedTheReasonsAreGiven() {
    assertThatThrownBy(
            () ->
                StrategyPool.fit(
                    List.of(bad("poor", new InvalidInputException("too few events"))),
                    strategy -> CONTEXT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one strategy")
        .hasMessageContaining("too few events");
    assertThatThrownBy(() -> StrategyPool.fit(List.of(), strategy -> CONTEXT))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void anUnexpectedFailureClosesWhatWasFitted() {
    assertThatThrownBy(
            () ->
                StrategyPool.fit(
                    List.of(good("one"), bad("broken", new IllegalStateException("a bug"))),
                    strategy -> CONTEXT))
        .isInstanceOf(IllegalStateException.class);
    assertThat(closed).hasValue(1);
    assertThatThrownBy(
            () -> StrategyPool.fit(List.of(good("same"), good("same")), strategy -> CONTEXT))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'same'");
    assertThat(closed).hasValue(3);
  }

  @Test
  void aSmallerPoolBorrows() {
    try (StrategyPool pool =
        StrategyPool.fit(List.of(good("a"), good("b"), good("c")), strategy -> CONTEXT)) {
      try (StrategyPool smaller = pool.only(List.of("c", "a"))) {
        assertThat(smaller.names()).containsExactly("a", "c");
      }
      assertThat(closed).hasValue(0);
      assertThatThrownBy(() -> pool.only(List.of("a", "x")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("the pool has no strategy 'x' (it has [a, b, c])");
      assertThatThrownBy(() -> pool.only(List.of())).isInstanceOf(InvalidInputException.class);
    }
    assertThat(closed).hasValue(3);
  }
}
