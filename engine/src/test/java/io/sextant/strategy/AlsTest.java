package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.TrainingListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AlsTest {

  private static final int USERS = 37;
  private static final int ITEMS = 29;

  /** So many steps solve a system of D = 5 up to rounding. */
  private static final int CONVERGED = 20;

  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  private static Als.Builder options(long seed) {
    return Als.builder().factors(5).unobservedWeight(0.05).l2(0.02).l2Power(0.7).seed(seed);
  }

  /** Both halves solved exactly, in double precision. */
  private static final class Naive {
    final Als als;
    final double[][] data;
    double[][] users;
    double[][] items;

    Naive(Als als, double[][] data, BinaryMatrix pairs) {
      this.als = als;
      this.data = data;
      users = new double[data.length][als.factors()];
      items = new double[data[0].length][als.factors()];
      TallMatrix start = als.initialItems(pairs.toLinks().transposed());
      for (int i = 0; i < items.length; i++) {
        for (int d = 0; d < als.factors(); d++) {
          items[i][d] = start.row(i)[d];
        }
      }
    }

    void epoch() {
      users = solve(data, items);
      items = solve(DenseOracle.transpose(data), users);
    }

    private double penalty(double[] row) {
      double degree = 0;
      for (double entry : row) {
        degree += entry;
      }
      return als.l2() * Math.pow(degree + als.unobservedWeight() * row.length, als.l2Power());
    }

    double[][] solve(double[][] rows, double[][] known) {
      double[][] wanted = new double[rows.length][];
      for (int r = 0; r < rows.length; r++) {
        double[][] equations = new double[als.factors()][als.factors()];
        double[][] right = new double[1][als.factors()];
        for (int s = 0; s < known.length; s++) {
          for (int d = 0; d < als.factors(); d++) {
            right[0][d] += rows[r][s] * known[s][d];
            for (int e = 0; e < als.factors(); e++) {
              equations[d][e] += (rows[r][s] + als.unobservedWeight()) * known[s][d] * known[s][e];
            }
          }
        }
        for (int d = 0; d < als.factors(); d++) {
          equations[d][d] += penalty(rows[r]);
        }
        wanted[r] = DenseOracle.product(right, DenseOracle.inverse(equations))[0];
      }
      return wanted;
    }

    double objective() {
      double sum = 0;
      for (int u = 0; u < users.length; u++) {
        for (int i = 0; i < items.length; i++) {
          double score = 0;
          for (int d = 0; d < als.factors(); d++) {
            score += users[u][d] * items[i][d];
          }
          sum += data[u][i] * (1 - score) * (1 - score);
          sum += als.unobservedWeight() * score * score;
        }
      }
      double[][] transposed = DenseOracle.transpose(data);
      for (int d = 0; d < als.factors(); d++) {
        for (int u = 0; u < users.length; u++) {
          sum += penalty(data[u]) * users[u][d] * users[u][d];
        }
        for (int i = 0; i < items.length; i++) {
          sum += penalty(transposed[i]) * items[i][d] * items[i][d];
        }
      }
      return sum;
    }

    float[] itemVectors() {
      float[] flat = new float[items.length * als.factors()];
      for (int i = 0; i < flat.length; i++) {
        flat[i] = (float) items[i / als.factors()][i % als.factors()];
      }
      return flat;
    }
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,false", "3,true", "4,true"})
  void bothImplementationsAgreeWithExactSolutions(long seed, boolean weighted) {
    Interactions train = DenseOracle.random(seed, USERS, ITEMS);
    double[][] data = DenseOracle.matrix(train);
    BinaryMatrix distinct = BinaryMatrix.of(train);
    Links pairs = distinct.toLinks();
    if (weighted) {
      train = train.reweighted(someFactors(seed, train.size()));
      pairs = Links.of(train, Integer.MAX_VALUE);
      data = heaviest(train);
    }
    check(options(seed).cgSteps(CONVERGED).build(), seed, pairs, data, distinct);
  }

  private static float[] someFactors(long seed, int size) {
    Random random = new Random(seed);
    float[] factors = new float[size];
    for (int row = 0; row < size; row++) {
      factors[row] = 0.25f + 2 * random.nextFloat();
    }
    return factors;
  }

  /** The greatest weight of each pair's rows. */
  private static double[][] heaviest(Interactions train) {
    double[][] data = new double[train.numUsers()][train.numItems()];
    for (int row = 0; row < train.size(); row++) {
      int user = train.userAt(row);
      data[user][train.itemAt(row)] = Math.max(data[user][train.itemAt(row)], train.weightAt(row));
    }
    return data;
  }

  private static void check(
      Als als, long seed, Links pairs, double[][] data, BinaryMatrix distinct) {
    Naive naive = new Naive(als, data, distinct);
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            List<AlsSolver> solvers =
                List.of(
                    new AlsOnHost(als, pairs),
                    new AlsOnDevice(scope, als, pairs, 1 << 20),
                    // So few entries that there are several batches, and rows in several pieces.
                    new AlsOnDevice(scope, als, pairs, 9));
            for (int epoch = 0; epoch < 4; epoch++) {
              naive.epoch();
              for (AlsSolver solver : solvers) {
                solver.epoch();
                assertThat(solver.objective())
                    .as("seed %d, epoch %d, %s", seed, epoch, solver.getClass())
                    .isCloseTo(naive.objective(), within(1e-4 * naive.objective()));
                assertClose(solver.itemVectors(scope), naive.itemVectors(), 1e-3f);
              }
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void hostAndDeviceAgreeBeforeTheyConverge(long seed) {
    BinaryMatrix pairs = BinaryMatrix.of(DenseOracle.random(seed, USERS, ITEMS));
    Als als = options(seed).factors(11).cgSteps(2).build();
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            AlsSolver host = new AlsOnHost(als, pairs.toLinks());
            AlsSolver device = new AlsOnDevice(scope, als, pairs.toLinks(), 40);
            for (int epoch = 0; epoch < 3; epoch++) {
              host.epoch();
              device.epoch();
            }
            assertThat(device.objective()).isCloseTo(host.objective(), within(1e-3));
            assertClose(
                device.itemVectors(scope), HostArrays.toFloats(host.itemVectors(scope)), 1e-3f);
          }
        });
  }

  @Test
  void theObjectiveFallsWithEachEpoch() {
    for (long seed = 1; seed <= 5; seed++) {
      List<Double> losses = new ArrayList<>();
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void onEpoch(
                int epoch, double meanLoss, Map<String, Double> validation, boolean best) {
              losses.add(meanLoss);
              assertThat(best).as("epoch %d", epoch).isTrue();
            }
          };
      Interactions train = DenseOracle.random(seed, USERS, ITEMS);
      options(seed)
          .cgSteps(2)
          .epochs(6)
          .build()
          .fit(FitContext.of(Device.cpu(), Dataset.of(train)).withListener(listener))
          .close();
      assertThat(losses).hasSize(6);
      for (int epoch = 1; epoch < losses.size(); epoch++) {
        assertThat(losses.get(epoch))
            .as("seed %d, epoch %d", seed, epoch)
            .isLessThan(losses.get(epoch - 1));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aQueryIsTheExactSolutionForTheHistory(long seed) {
    Interactions train = DenseOracle.random(seed, USERS, ITEMS);
    Als als = options(seed).epochs(3).build();
    List<UserState> users =
        List.of(
            UserState.unseen(4),
            UserState.unseen(),
            new UserState(2, new int[] {7, 1, 7, 3}),
            UserState.unseen(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    try (FittedAls fitted = (FittedAls) als.fit(FitContext.of(Device.cpu(), Dataset.of(train)))) {
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              Naive naive = new Naive(als, new double[users.size()][ITEMS], BinaryMatrix.of(train));
              float[] vectors = HostArrays.toFloats(fitted.itemVectors());
              for (int i = 0; i < vectors.length; i++) {
                naive.items[i / 5][i % 5] = vectors[i];
              }
              for (int u = 0; u < users.size(); u++) {
                for (int item : users.get(u).history()) {
                  naive.data[u][item] = 1;
                }
              }
              double[][] exact = naive.solve(naive.data, naive.items);
              float[] expected = new float[users.size() * 5];
              for (int i = 0; i < expected.length; i++) {
                expected[i] = (float) exact[i / 5][i % 5];
              }
              assertClose(fitted.queries(scope, users), expected, 1e-4f);
              assertClose(fitted.queriesOnDevice(scope, users), expected, 1e-4f);
            }
          });
    }
  }

  @Test
  void weightsCountOnlyWhereTheyAreAskedFor() {
    Interactions train = DenseOracle.random(6, USERS, ITEMS);
    Interactions heavy = train.reweighted(someFactors(6, train.size()));
    float[] plain = itemVectors(options(6).build(), train);
    assertThat(itemVectors(options(6).weighted(true).build(), train)).isEqualTo(plain);
    assertThat(itemVectors(options(6).build(), heavy)).isEqualTo(plain);
    assertThat(itemVectors(options(6).weighted(true).build(), heavy)).isNotEqualTo(plain);
  }

  private static float[] itemVectors(Als als, Interactions train) {
    try (FittedStrategy fitted = als.fit(FitContext.of(Device.cpu(), Dataset.of(train)))) {
      return HostArrays.toFloats(fitted.dense().orElseThrow().itemVectors());
    }
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    BinaryMatrix pairs = BinaryMatrix.of(DenseOracle.random(3, 700, 90));
    Als als = options(3).build();
    double[] objectives = new double[2];
    for (int i = 0; i < 2; i++) {
      objectives[i] =
          DenseOracle.onThreads(
              1 + 3 * i,
              () -> {
                AlsSolver solver = new AlsOnHost(als, pairs.toLinks());
                solver.epoch();
                solver.epoch();
                return solver.objective();
              });
    }
    assertThat(objectives[1]).isEqualTo(objectives[0]);
  }

  @Test
  void pairsCountOnceAndRowsOfNoWeightNever() {
    Interactions.Builder rows =
        Interactions.builder(StrategyContract.ids("u", 2), StrategyContract.ids("i", 4));
    for (int item : new int[] {3, 1, 3, 0}) {
      rows.add(
          1, item, EventType.CLICK, Float.NaN, item == 0 ? 0 : 5, 0, InteractionFeatures.UNKNOWN);
    }
    BinaryMatrix pairs = BinaryMatrix.of(rows.build());
    assertThat(pairs.starts()).containsExactly(0, 0, 2);
    assertThat(pairs.columns()).containsExactly(1, 3);
    assertThat(pairs.transpose().starts()).containsExactly(0, 0, 1, 1, 2);
    assertThat(pairs.transpose().columns()).containsExactly(1, 1);
  }

  @Test
  void nothingToLearnFromIsRefused() {
    Interactions nothing =
        Interactions.empty(StrategyContract.ids("u", 2), StrategyContract.ids("i", 4));
    FitContext context = FitContext.of(Device.cpu(), Dataset.of(nothing));
    for (Strategy strategy :
        List.of(
            Als.builder().name("a").build(),
            Ease.builder().name("a").build(),
            LowPass.builder().name("a").build())) {
      assertThatThrownBy(() -> strategy.fit(context))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("strategy 'a' has no interaction to learn from");
    }
  }

  @Test
  void optionsOutOfRangeAreRefusedWithTheValue() {
    assertThatThrownBy(() -> Als.builder().factors(-3).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("factors must be > 0 but was -3");
    assertThatThrownBy(() -> Als.builder().unobservedWeight(0).build())
        .hasMessageContaining("unobservedWeight");
    assertThatThrownBy(() -> Als.builder().l2(Double.NaN).build()).hasMessageContaining("l2");
    assertThatThrownBy(() -> Als.builder().l2Power(-1).build()).hasMessageContaining("l2Power");
    assertThatThrownBy(() -> Als.builder().cgSteps(0).build()).hasMessageContaining("cgSteps");
    assertThatThrownBy(() -> Als.builder().epochs(0).build()).hasMessageContaining("epochs");
    assertThatThrownBy(() -> Als.builder().initStd(0).build()).hasMessageContaining("initStd");
    assertThatThrownBy(() -> Als.builder().name(" ").build()).hasMessageContaining("name");
  }

  /** Close relative to the largest value: float rounding, amplified by the systems' condition. */
  static void assertClose(NDArray actual, float[] expected, float tolerance) {
    float[] values = HostArrays.toFloats(actual);
    float scale = 1e-6f;
    for (float value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    assertThat(values).hasSameSizeAs(expected);
    for (int i = 0; i < values.length; i++) {
      assertThat(values[i]).as("value %d", i).isCloseTo(expected[i], within(tolerance * scale));
    }
  }
}
