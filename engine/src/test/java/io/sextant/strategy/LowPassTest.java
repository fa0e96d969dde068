package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LowPassTest {

  private static final int USERS = 60;
  private static final int ITEMS = 25;

  private static double[] sums(double[][] matrix) {
    return Arrays.stream(matrix).mapToDouble(row -> Arrays.stream(row).sum()).toArray();
  }

  /** N'N of the normalised matrix, dense. */
  private static double[][] normalised(double[][] x) {
    double[] users = sums(x);
    double[] items = sums(DenseOracle.transpose(x));
    double[][] n = new double[x.length][x[0].length];
    for (int u = 0; u < x.length; u++) {
      for (int i = 0; i < x[0].length; i++) {
        n[u][i] = x[u][i] == 0 ? 0 : 1 / Math.sqrt(users[u] * items[i]);
      }
    }
    return DenseOracle.product(DenseOracle.transpose(n), n);
  }

  private static float[] inverseRoots(double[] degrees) {
    float[] roots = new float[degrees.length];
    for (int i = 0; i < roots.length; i++) {
      roots[i] = degrees[i] == 0 ? 0 : (float) (1 / Math.sqrt(degrees[i]));
    }
    return roots;
  }

  private static RandomizedSvd svd(Interactions train, int k, long seed) {
    double[][] x = DenseOracle.matrix(train);
    return RandomizedSvd.of(
        BinaryMatrix.of(train),
        inverseRoots(sums(x)),
        inverseRoots(sums(DenseOracle.transpose(x))),
        k,
        8,
        8,
        seed);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void singularValuesAndVectorsAreThoseOfTheDenseMatrix(long seed) {
    Interactions train = DenseOracle.random(seed, USERS, ITEMS);
    double[][] square = normalised(DenseOracle.matrix(train));
    SymmetricEigen exact = SymmetricEigen.of(square);
    RandomizedSvd svd = svd(train, 6, seed);
    assertThat(svd.values()).hasSize(6);
    for (int k = 0; k < 6; k++) {
      assertThat(svd.values()[k])
          .as("seed %d, value %d", seed, k)
          .isCloseTo(Math.sqrt(exact.values()[k]), within(1e-3));
    }
    // The vectors are orthonormal, and the matrix maps each to its multiple.
    for (int k = 0; k < 6; k++) {
      for (int i = 0; i < ITEMS; i++) {
        double image = 0;
        for (int j = 0; j < ITEMS; j++) {
          image += square[i][j] * svd.vectors().row(j)[k];
        }
        assertThat(image)
            .as("seed %d, vector %d", seed, k)
            .isCloseTo(exact.values()[k] * svd.vectors().row(i)[k], within(0.02));
      }
      for (int l = 0; l <= k; l++) {
        double overlap = 0;
        for (int i = 0; i < ITEMS; i++) {
          overlap += svd.vectors().row(i)[k] * svd.vectors().row(i)[l];
        }
        assertThat(overlap).isCloseTo(k == l ? 1 : 0, within(1e-5));
      }
    }
  }

  @Test
  void noMoreDirectionsThanTheMatrixHas() {
    // Four blocks in which every user has every item: rank 4.
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", 20), StrategyContract.ids("i", 12));
    for (int user = 0; user < 20; user++) {
      for (int item = user % 4; item < 12; item += 4) {
        StrategyContract.add(rows, user, item, 0);
      }
    }
    RandomizedSvd svd = svd(rows.build(), 9, 1);
    assertThat(svd.values()).containsExactly(new double[] {1, 1, 1, 1}, within(1e-5));
    assertThat(svd.vectors().width()).isEqualTo(4);
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    Interactions train = DenseOracle.random(1, 600, 300);
    RandomizedSvd one = DenseOracle.onThreads(1, () -> svd(train, 5, 1));
    RandomizedSvd four = DenseOracle.onThreads(4, () -> svd(train, 5, 1));
    assertThat(four.values()).isEqualTo(one.values());
    for (int item = 0; item < 300; item++) {
      assertThat(four.vectors().row(item)).isEqualTo(one.vectors().row(item));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void scoresAreTheFormulas(long seed) {
    Interactions train = DenseOracle.random(seed, USERS, ITEMS);
    double[][] x = DenseOracle.matrix(train);
    double[] degrees = sums(DenseOracle.transpose(x));
    double[][] linear = normalised(x);
    SymmetricEigen eigen = SymmetricEigen.of(linear);
    int k = 5;
    double decay = 0.8;
    LowPass lowPass =
        LowPass.builder()
            .factors(k)
            .iterations(20)
            .filterWeight(0.4)
            .neighbours(ITEMS)
            .history(HistoryWeights.EQUAL.withDecay(decay))
            .seed(seed)
            .build();
    int[] history = {3, 11, 0, 7};
    try (FittedStrategy fitted = lowPass.fit(FitContext.of(Device.cpu(), Dataset.of(train)))) {
      for (int item = 0; item < ITEMS; item++) {
        int target = item;
        if (Arrays.stream(history).anyMatch(h -> h == target)) {
          continue;
        }
        double expected = 0;
        for (int at = 0; at < history.length; at++) {
          double filter = 0;
          for (int d = 0; d < k; d++) {
            filter += eigen.vectors()[d][history[at]] * eigen.vectors()[d][item];
          }
          double ratio = degrees[item] / Math.max(1, degrees[history[at]]);
          expected +=
              Math.pow(decay, history.length - 1 - at)
                  * (linear[history[at]][item] + 0.4 * filter * Math.sqrt(ratio));
        }
        float score =
            Ranker.scores(fitted, List.of(UserState.unseen(history)), new int[] {item})[0];
        assertThat((double) score)
            .as("seed %d, item %d", seed, item)
            .isCloseTo(expected, within(5e-3));
      }
    }
  }

  @Test
  void hostAndDeviceMakeTheSameQueries() {
    Interactions train = DenseOracle.random(4, USERS, ITEMS);
    List<UserState> users =
        List.of(
            UserState.unseen(),
            UserState.unseen(4),
            new UserState(2, new int[] {7, 1, 7, 3}),
            UserState.unseen(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    LowPass lowPass =
        LowPass.builder().factors(6).history(HistoryWeights.EQUAL.withDecay(0.5)).build();
    try (FittedLowPass fitted =
        (FittedLowPass) lowPass.fit(FitContext.of(Device.cpu(), Dataset.of(train)))) {
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              AlsTest.assertClose(
                  fitted.queriesOnDevice(scope, users),
                  HostArrays.toFloats(fitted.queries(scope, users)),
                  1e-5f);
            }
          });
    }
  }

  @Test
  void optionsOutOfRangeAreRefusedWithTheValue() {
    assertThatThrownBy(() -> LowPass.builder().factors(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("factors must be > 0 but was 0");
    assertThatThrownBy(() -> LowPass.builder().filterWeight(0).build())
        .hasMessageContaining("filterWeight");
    assertThatThrownBy(() -> LowPass.builder().neighbours(-1).build())
        .hasMessageContaining("neighbours");
    assertThatThrownBy(() -> LowPass.builder().iterations(-1).build())
        .hasMessageContaining("iterations");
    assertThatThrownBy(() -> LowPass.builder().oversampling(-1).build())
        .hasMessageContaining("oversampling");
  }
}
