package io.sextant.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowCacheTest {

  private static final int ROWS = 40;
  private static final int WIDTH = 5;

  /** Beside a table that is whole: the same bits after every step, wherever rows are. */
  @ParameterizedTest
  @CsvSource({"ADAGRAD, 8", "ADAGRAD, 13", "ADAM, 8", "ADAM, 39", "ADAM, 40"})
  void rowsMoveAsThoseOfAWholeTable(RowOptimizer.Kind kind, int numSlots) {
    TensorThreads.run(
        () -> {
          for (long seed = 1; seed <= 3; seed++) {
            try (Scope scope = Scope.open(Device.cpu())) {
              compare(scope, kind, numSlots, new Random(seed));
            }
          }
        });
  }

  private static void compare(Scope scope, RowOptimizer.Kind kind, int numSlots, Random random) {
    float[] start = gaussians(random, ROWS * WIDTH);
    NDArray whole = HostArrays.floats(scope.manager(), start, ROWS, WIDTH);
    NDArray table = HostArrays.floats(scope.manager(), start, ROWS, WIDTH);
    RowOptimizer optimizer = RowOptimizer.create(kind, scope, ROWS, WIDTH);
    RowCache cache = new RowCache(scope, scope.hostChild(), table, kind, numSlots);
    assertThat(cache.bytes()).isEqualTo(numSlots * kind.rowBytes(WIDTH));
    for (int n = 0; n < 60; n++) {
      try (Scope step = scope.child()) {
        int size = 1 + random.nextInt(8);
        // Squared, so that some rows come often.
        int[] rows =
            random.doubles().mapToInt(u -> (int) (ROWS * u * u)).distinct().limit(size).toArray();
        int[] counts = random.ints(size, 1, 5).toArray();
        RowSet set = new RowSet(step.manager(), rows, counts);
        NDArray gradient =
            HostArrays.floats(step.manager(), gaussians(random, size * WIDTH), size, WIDTH);
        RowSet places = cache.place(step.manager(), set);
        assertThat(places.size()).isEqualTo(size);
        for (int k = 0; k < size; k++) {
          assertThat(places.count(k)).isEqualTo(counts[k]);
        }
        assertThat(HostArrays.toFloats(RowOptimizer.gather(cache.slots(), places.index())))
            .isEqualTo(HostArrays.toFloats(RowOptimizer.gather(whole, set.index())));
        optimizer.step(whole, set, gradient, 0.1f);
        cache.optimizer().step(cache.slots(), cache.place(step.manager(), set), gradient, 0.1f);
        if (random.nextInt(10) == 0) {
          cache.writeBack();
          assertThat(HostArrays.toFloats(table)).isEqualTo(HostArrays.toFloats(whole));
        }
      }
    }
    cache.writeBack();
    assertThat(HostArrays.toFloats(table)).isEqualTo(HostArrays.toFloats(whole));
    optimizer
        .state()
        .forEach(
            (name, state) ->
                assertThat(HostArrays.toFloats(Objects.requireNonNull(cache.state().get(name))))
                    .as(name)
                    .isEqualTo(HostArrays.toFloats(state)));
    assertThat(cache.hits()).isBetween(1L, cache.reads() - 1);
  }

  @Test
  void rowsThatComeOftenStay() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray table = HostArrays.floats(scope.manager(), new float[ROWS], ROWS, 1);
            RowCache cache =
                new RowCache(scope, scope.hostChild(), table, RowOptimizer.Kind.ADAGRAD, 6);
            // Two rows in each batch, and two others that never come again.
            for (int n = 0; n < 18; n++) {
              int[] rows = {0, 1, 2 + 2 * n, 3 + 2 * n};
              cache.place(scope.manager(), new RowSet(scope.manager(), rows, new int[4]));
            }
            assertThat(cache.reads()).isEqualTo(72);
            assertThat(cache.hits()).isEqualTo(34);
          }
        });
  }

  @Test
  void otherValuesAreReadAfterTheyWereForgotten() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray table = HostArrays.floats(scope.manager(), new float[ROWS], ROWS, 1);
            RowCache cache =
                new RowCache(scope, scope.hostChild(), table, RowOptimizer.Kind.ADAM, 6);
            RowSet rows = new RowSet(scope.manager(), new int[] {7, 3}, new int[] {1, 1});
            cache.place(scope.manager(), rows);
            HostArrays.view(table).put(3, 5);
            cache.forget();
            RowSet places = cache.place(scope.manager(), rows);
            assertThat(HostArrays.toFloats(RowOptimizer.gather(cache.slots(), places.index())))
                .containsExactly(0, 5);
            assertThat(HostArrays.toFloats(table)[3]).isEqualTo(5);
          }
        });
  }

  @Test
  void moreRowsThanSlotsAreRefused() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray table = HostArrays.floats(scope.manager(), new float[ROWS], ROWS, 1);
            RowCache cache =
                new RowCache(scope, scope.hostChild(), table, RowOptimizer.Kind.ADAM, 2);
            RowSet rows = new RowSet(scope.manager(), new int[] {1, 2, 3}, new int[3]);
            assertThatThrownBy(() -> cache.place(scope.manager(), rows))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("3 rows are needed at once but there is room for 2");
          }
        });
  }

  @Test
  void bytesOfARowAreThoseOfItsArrays() {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            for (RowOptimizer.Kind kind : RowOptimizer.Kind.values()) {
              Map<String, NDArray> state = RowOptimizer.create(kind, scope, 1, WIDTH).state();
              long numbers = WIDTH + state.values().stream().mapToLong(NDArray::size).sum();
              assertThat(kind.rowBytes(WIDTH)).isEqualTo(4 * numbers);
            }
          }
        });
  }

  private static float[] gaussians(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
