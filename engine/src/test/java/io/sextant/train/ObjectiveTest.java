package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The loss of every example against loops over Java arrays. */
class ObjectiveTest {

  private static final int D = 4;
  private static final float OFFSET = 0.25f;
  private static final float TEMPERATURE = 0.5f;
  private static final int[] EXAMPLES = {3, 17, 4, 59, 0, 31, 32, 33};

  static Stream<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (Objective objective : Objective.values()) {
      for (TwoTowerOptions.History history : TwoTowerOptions.History.values()) {
        SamplingOptions.Builder sampling =
            SamplingOptions.builder().objective(objective).negatives(3);
        settings.add(Arguments.of(sampling.build(), history));
        settings.add(
            Arguments.of(
                sampling
                    .inBatch(true)
                    .popularityPower(0.75f)
                    .excludeSeen(false)
                    .history(SamplingOptions.HistoryView.OTHERS)
                    .build(),
                history));
        settings.add(Arguments.of(sampling.logQ(false).excludeSeen(true).build(), history));
      }
    }
    return settings.stream();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void theLossIsWhatLoopsCompute(SamplingOptions sampling, TwoTowerOptions.History history) {
    TwoTowerOptions shape =
        TwoTowerOptions.builder()
            .dimension(D)
            .biases(true)
            .temperature(TEMPERATURE)
            .history(history)
            .historyLength(3)
            .historyDecay(0.5f)
            .historyPower(0.5f)
            .build();
    Interactions data = Fixture.interactions(3);
    Fixture.with(
        shape,
        sampling,
        1,
        fixture -> {
          randomise(fixture);
          try (Scope step = fixture.scope().child()) {
            TwoTowerBatch batch = fixture.task().prepare(step, EXAMPLES, 6);
            ModelParameters parameters =
                new ModelParameters(
                    step, fixture.task().parameters(), TrainingOptions.builder().build());
            NDArray loss = fixture.task().loss(parameters.leaves(step, batch).values(), batch);
            assertThat(loss.getShape().getShape()).containsExactly(EXAMPLES.length);
            float[] actual = HostArrays.toFloats(loss);
            Oracle oracle = new Oracle(fixture, data, sampling, history, batch);
            for (int e = 0; e < EXAMPLES.length; e++) {
              double expected = oracle.loss(e);
              assertThat((double) actual[e])
                  .as("example %d of %s, history %s", e, sampling, history)
                  .isCloseTo(expected, within(1e-5 * (1 + Math.abs(expected))));
            }
          }
          return true;
        });
  }

  /** Values of the order of 1, biases included, so that no part of a score can be left out. */
  private static void randomise(Fixture fixture) {
    Random random = new Random(8);
    fixture
        .task()
        .parameters()
        .forEach(
            p -> {
              NDArray array = p.parameter().getArray();
              var memory = HostArrays.view(array);
              for (int i = 0; i < memory.capacity(); i++) {
                memory.put(i, (float) random.nextGaussian());
              }
            });
  }

  private static final class Oracle {
    private final Fixture fixture;
    private final Interactions data;
    private final SamplingOptions sampling;
    private final TwoTowerOptions.History history;
    private final TwoTowerBatch batch;
    private final int[] users;

    Oracle(
        Fixture fixture,
        Interactions data,
        SamplingOptions sampling,
        TwoTowerOptions.History history,
        TwoTowerBatch batch) {
      this.fixture = fixture;
      this.data = data;
      this.sampling = sampling;
      this.history = history;
      this.batch = batch;
      users = data.userOfRow();
    }

    double loss(int e) {
      int row = EXAMPLES[e];
      double positive = score(row, data.itemAt(row));
      return switch (sampling.objective()) {
        case SQUARED_ERROR -> 0.5 * Math.pow(data.valueAt(row) - OFFSET - positive, 2);
        case BPR -> {
          double sum = 0;
          for (int item : negatives(e)) {
            sum += softPlus(score(row, item) - positive);
          }
          yield sum / sampling.negatives();
        }
        case BCE -> {
          double sum = softPlus(-positive);
          for (int item : negatives(e)) {
            sum += softPlus(score(row, item));
          }
          yield sum / (1 + sampling.negatives());
        }
        case SAMPLED_SOFTMAX, FULL_SOFTMAX -> softmax(row, positive);
      };
    }

    private double softmax(int row, double positive) {
      double sum = Math.exp(positive);
      for (int item : columns()) {
        if (item == data.itemAt(row) || (sampling.excludeSeen() && seen(users[row], item))) {
          continue;
        }
        double score = score(row, item);
        if (sampling.objective() == Objective.SAMPLED_SOFTMAX && sampling.logQ()) {
          score -= Math.log(Math.min(1, expected(item)));
        }
        sum += Math.exp(score);
      }
      return Math.log(sum) - positive;
    }

    /** The items that all examples are compared with, checked against the settings. */
    private int[] columns() {
      int[] columns = new int[batch.columns()];
      for (int c = 0; c < columns.length; c++) {
        columns[c] = item(c);
      }
      assertThat(columns).doesNotHaveDuplicates();
      if (sampling.objective() == Objective.FULL_SOFTMAX) {
        assertThat(columns).hasSize(Fixture.ITEMS);
      } else {
        int most = sampling.negatives();
        if (sampling.inBatch()) {
          int[] positives = Arrays.stream(EXAMPLES).map(data::itemAt).toArray();
          assertThat(columns).contains(positives);
          most += new TreeSet<>(Arrays.stream(positives).boxed().toList()).size();
        }
        assertThat(columns).hasSizeBetween(1, most);
      }
      return columns;
    }

    private double expected(int item) {
      double sum = 0;
      for (int other = 0; other < Fixture.ITEMS; other++) {
        sum += Math.pow(Math.max(1, count(other)), sampling.popularityPower());
      }
      double own = Math.pow(Math.max(1, count(item)), sampling.popularityPower());
      double expected = sampling.negatives() * own / sum;
      return sampling.inBatch()
          ? expected + (double) EXAMPLES.length * count(item) / data.size()
          : expected;
    }

    private int count(int item) {
      int count = 0;
      for (int row = 0; row < data.size(); row++) {
        count += data.itemAt(row) == item ? 1 : 0;
      }
      return count;
    }

    private int[] negatives(int e) {
      long[] locals = Objects.requireNonNull(batch.negatives()).toLongArray();
      int[] items = new int[sampling.negatives()];
      for (int n = 0; n < items.length; n++) {
        items[n] = item((int) locals[e * items.length + n]);
        if (sampling.excludeSeen()) {
          assertThat(seen(users[EXAMPLES[e]], items[n])).as("negative %d", items[n]).isFalse();
        }
      }
      return items;
    }

    private int item(int local) {
      return (int) batch.items().entity().getLong(local);
    }

    private boolean seen(int user, int item) {
      for (int row = 0; row < data.size(); row++) {
        if (users[row] == user && data.itemAt(row) == item) {
          return true;
        }
      }
      return false;
    }

    private double score(int row, int item) {
      double[] user = new double[D];
      for (int d = 0; d < D; d++) {
        user[d] = fixture.value("user.id")[users[row] * D + d];
      }
      if (history != TwoTowerOptions.History.NONE) {
        float[] table =
            fixture.value(history == TwoTowerOptions.History.OWN ? "user.history" : "item.id");
        List<Integer> items = new ArrayList<>();
        for (int other = 0; other < data.size(); other++) {
          boolean visible =
              sampling.history() == SamplingOptions.HistoryView.PAST ? other < row : other != row;
          if (users[other] == users[row] && visible) {
            items.add(data.itemAt(other));
          }
        }
        items = items.subList(Math.max(0, items.size() - 3), items.size());
        double norm = 0;
        for (int age = 0; age < items.size(); age++) {
          norm += Math.pow(0.5, age);
        }
        for (int j = 0; j < items.size(); j++) {
          double weight = Math.pow(0.5, items.size() - 1 - j) / Math.sqrt(norm);
          for (int d = 0; d < D; d++) {
            user[d] += weight * table[items.get(j) * D + d];
          }
        }
      }
      double score = 0;
      for (int d = 0; d < D; d++) {
        score += user[d] / TEMPERATURE * fixture.value("item.id")[item * D + d];
      }
      return score + fixture.value("user.bias")[users[row]] + fixture.value("item.bias")[item];
    }

    private static double softPlus(double x) {
      return Math.log1p(Math.exp(-Math.abs(x))) + Math.max(0, x);
    }
  }
}
