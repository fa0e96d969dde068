package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.train.TrainingListener;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EaseTest {

  /** The closed form, in double precision. */
  private static double[][] exact(double[][] x, double l2) {
    double[][] gramian = DenseOracle.product(DenseOracle.transpose(x), x);
    for (int i = 0; i < gramian.length; i++) {
      gramian[i][i] += l2;
    }
    double[][] p = DenseOracle.inverse(gramian);
    double[][] weights = new double[p.length][p.length];
    for (int i = 0; i < p.length; i++) {
      for (int j = 0; j < p.length; j++) {
        weights[i][j] = i == j ? 0 : -p[i][j] / p[j][j];
      }
    }
    return weights;
  }

  private static double[][] dense(ItemWeights weights) {
    double[][] dense = new double[weights.numItems()][weights.numItems()];
    for (int i = 0; i < dense.length; i++) {
      for (int at = weights.starts()[i]; at < weights.starts()[i + 1]; at++) {
        dense[i][weights.items()[at]] = weights.weights()[at];
      }
    }
    return dense;
  }

  private static ItemWeights fit(Ease ease, Interactions train, TrainingListener listener) {
    try (FittedItemItem fitted =
        (FittedItemItem)
            ease.fit(FitContext.of(Device.cpu(), Dataset.of(train)).withListener(listener))) {
      return fitted.weights();
    }
  }

  private static void assertClose(double[][] actual, double[][] expected, String what) {
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected.length; j++) {
        assertThat(actual[i][j])
            .as("%s, weight from %d to %d", what, i, j)
            .isCloseTo(expected[i][j], within(1e-4));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void weightsAreTheClosedForm(long seed) {
    Interactions train = DenseOracle.random(seed, 80, 31);
    ItemWeights weights = fit(Ease.builder().l2(3).build(), train, TrainingListener.NONE);
    assertClose(dense(weights), exact(DenseOracle.matrix(train), 3), "seed " + seed);
  }

  @Test
  void severalBlocksAgreeWithTheClosedForm() {
    Interactions train = DenseOracle.random(4, 300, 210);
    ItemWeights weights = fit(Ease.builder().l2(20).build(), train, TrainingListener.NONE);
    assertClose(dense(weights), exact(DenseOracle.matrix(train), 20), "seed 4");
  }

  @Test
  void ofALargerCatalogueThePopularItemsAreModelledAndTheListenerIsTold() {
    Interactions train = DenseOracle.random(5, 90, 40);
    int[] counts = train.itemCounts();
    int[] head =
        IntStream.range(0, 40)
            .boxed()
            .sorted(Comparator.comparingInt(i -> -counts[i]))
            .limit(12)
            .mapToInt(Integer::intValue)
            .sorted()
            .toArray();
    double[][] x = new double[90][12];
    double[][] all = DenseOracle.matrix(train);
    for (int u = 0; u < 90; u++) {
      for (int i = 0; i < 12; i++) {
        x[u][i] = all[u][head[i]];
      }
    }
    double[][] ofHead = exact(x, 4);
    double[][] expected = new double[40][40];
    for (int i = 0; i < 12; i++) {
      for (int j = 0; j < 12; j++) {
        expected[head[i]][head[j]] = ofHead[i][j];
      }
    }
    List<String> notices = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onNotice(String notice) {
            notices.add(notice);
          }
        };
    ItemWeights weights = fit(Ease.builder().l2(4).maxItems(12).build(), train, listener);
    assertClose(dense(weights), expected, "head");
    assertThat(notices).hasSize(1);
    assertThat(notices.get(0)).contains("'ease' models the 12 most popular of 40 items");
  }

  @Test
  void theStrongestWeightsAreKept() {
    for (long seed = 1; seed <= 200; seed++) {
      Random random = new Random(seed);
      int n = 1 + random.nextInt(40);
      int keep = 1 + random.nextInt(n + 3);
      int[] targets = IntStream.range(0, n).toArray();
      float[] values = new float[n];
      for (int i = 0; i < n; i++) {
        // Few distinct magnitudes, so that there are ties and zeros.
        values[i] = random.nextInt(9) - 4;
      }
      StrongestWeights rows = new StrongestWeights(n, keep);
      rows.set(0, targets, values);
      ItemWeights kept = rows.build();
      int[] expected =
          IntStream.range(0, n)
              .filter(i -> values[i] != 0)
              .boxed()
              .sorted(Comparator.comparingDouble(i -> -Math.abs(values[i])))
              .limit(keep)
              .mapToInt(Integer::intValue)
              .sorted()
              .toArray();
      assertThat(kept.items()).as("seed %d", seed).isEqualTo(expected);
      for (int at = 0; at < expected.length; at++) {
        assertThat(kept.weights()[at]).isEqualTo(values[expected[at]]);
      }
    }
  }

  @Test
  void aSingularMatrixIsRefusedWithTheRemedy() {
    // Two items that always go together.
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", 5), StrategyContract.ids("i", 3));
    for (int user = 0; user < 5; user++) {
      StrategyContract.add(rows, user, 0, 0);
      StrategyContract.add(rows, user, 1, 0);
    }
    Ease ease = Ease.builder().l2(1e-12).build();
    assertThatThrownBy(() -> fit(ease, rows.build(), TrainingListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'ease'")
        .hasMessageContaining("raise l2");
  }

  @Test
  void tooLittleMemoryIsRefusedWithTheRemedy() {
    assertThatThrownBy(() -> MemoryGuard.requireNative("ease", 1L << 60, "lower maxItems"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("lower maxItems");
    MemoryGuard.requireNative("ease", 1 << 20, "lower maxItems");
    assertThatThrownBy(
            () ->
                MemoryGuard.run(
                    "ease",
                    "lower maxItems",
                    () -> {
                      throw new OutOfMemoryError("Java heap space");
                    }))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'ease'")
        .hasMessageContaining("lower maxItems");
  }

  @Test
  void optionsOutOfRangeAreRefusedWithTheValue() {
    assertThatThrownBy(() -> Ease.builder().l2(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("l2 must be > 0 but was 0.0");
    assertThatThrownBy(() -> Ease.builder().maxItems(30_000).build())
        .hasMessageContaining("maxItems");
    assertThatThrownBy(() -> Ease.builder().neighbours(0).build())
        .hasMessageContaining("neighbours");
  }
}
