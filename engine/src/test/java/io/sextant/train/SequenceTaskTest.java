package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.Dropout;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PackedSequences;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SequenceTaskTest {

  private static final int ITEMS = 12;
  private static final int LENGTH = 4;

  @Test
  void everyInteractionButTheFirstIsATargetOnce() {
    Interactions data = interactions(1, 9);
    with(
        data,
        shape().build(),
        sampling().build(),
        f -> {
          List<String> actual = new ArrayList<>();
          for (int example = 0; example < f.task.numExamples(); example++) {
            try (Scope scope = f.scope.child()) {
              SequenceBatch batch = f.task.prepare(scope, new int[] {example}, 0);
              long[] inputs = batch.input().items().toLongArray();
              long[] targets = batch.targets().toLongArray();
              assertThat(inputs.length).isBetween(1, LENGTH);
              for (int i = 0; i < inputs.length; i++) {
                actual.add(item(batch, inputs[i]) + ">" + item(batch, targets[i]));
              }
            }
          }
          List<String> expected = new ArrayList<>();
          for (int user = 0; user < data.numUsers(); user++) {
            int[] history = data.historyOf(user);
            for (int i = 1; i < history.length; i++) {
              expected.add(history[i - 1] + ">" + history[i]);
            }
          }
          assertThat(actual).containsExactlyInAnyOrderElementsOf(expected);
          return true;
        });
  }

  @ParameterizedTest
  @CsvSource({"3, 0, 0, true", "0, 100, 0, true", "4, 5, 0.5, true", "4, 5, 1, false"})
  void theLossIsThatOfLoops(int negatives, int inBatch, float power, boolean logQ) {
    Interactions data = interactions(2, 7);
    SequenceSampling sampling =
        SequenceSampling.builder()
            .negatives(negatives)
            .inBatch(inBatch)
            .popularityPower(power)
            .logQ(logQ)
            .build();
    with(
        data,
        shape().dropout(0).build(),
        sampling,
        f -> {
          int[] examples = {2, 0, 3, 1};
          SequenceBatch batch = f.task.prepare(f.scope, examples, 5);
          float[] actual = HostArrays.toFloats(f.lossOf(batch));
          double[] expected = f.naiveLoss(batch, data, sampling, examples);
          for (int e = 0; e < examples.length; e++) {
            assertThat((double) actual[e])
                .as("seed 2, example %d", examples[e])
                .isCloseTo(expected[e], within(1e-4 * (1 + expected[e])));
          }
          return true;
        });
  }

  @Test
  void itemsOfTheUserAreNoNegatives() {
    Interactions data = interactions(3, 8);
    with(
        data,
        shape().build(),
        sampling().negatives(200).build(),
        f -> {
          SequenceBatch batch = f.task.prepare(f.scope, new int[] {0, 1, 2, 3, 4}, 0);
          float[] corrections = HostArrays.toFloats(batch.corrections());
          int[] users = f.users();
          for (int e = 0; e < 5; e++) {
            int user = users[e];
            for (int c = 0; c < batch.columns(); c++) {
              int item = item(batch, c);
              boolean own = Arrays.stream(data.seenOf(user)).anyMatch(i -> i == item);
              assertThat(corrections[e * batch.columns() + c] == Float.NEGATIVE_INFINITY)
                  .as("seed 3, user %d, item %d", user, item)
                  .isEqualTo(own);
            }
          }
          return true;
        });
  }

  @ParameterizedTest
  @CsvSource({"DOT, true", "COSINE, true", "DOT, false"})
  void gradientsAreThoseOfFiniteDifferences(
      TwoTowerOptions.Similarity similarity, boolean normFirst) {
    SequenceOptions options =
        shape()
            .blocks(2)
            .heads(2)
            .dropout(0.3f)
            .distances(true)
            .similarity(similarity)
            .temperature(0.3f)
            .normFirst(normFirst)
            .initStd(0.5f)
            .build();
    with(
        interactions(4, 7),
        options,
        sampling().build(),
        f -> {
          SequenceBatch batch = f.task.prepare(f.scope, new int[] {0, 1, 2, 3}, 2);
          Map<String, NDArray> leaves = f.doubleLeaves(batch);
          try (Grad grad = Grad.record()) {
            grad.backward(f.task.loss(f.values(leaves), batch).mean());
          }
          Random random = new Random(4);
          leaves.forEach(
              (name, leaf) -> {
                double[] gradient = leaf.getGradient().toDoubleArray();
                for (int probe = 0; probe < 6; probe++) {
                  int i = random.nextInt(gradient.length);
                  double difference = f.difference(leaves, name, i, batch);
                  assertThat(gradient[i])
                      .as("seed 4, %s[%d]", name, i)
                      .isCloseTo(difference, within(1e-7 + 1e-6 * Math.abs(difference)));
                }
              });
          return true;
        });
  }

  @Test
  void theLossIsAPureFunctionOfValuesAndBatchAndABatchOfSeedAndStep() {
    with(
        interactions(5, 7),
        shape().dropout(0.5f).build(),
        sampling().build(),
        f -> {
          int[] examples = {1, 2, 3};
          SequenceBatch batch = f.task.prepare(f.scope, examples, 7);
          float[] first = HostArrays.toFloats(f.lossOf(batch));
          float[] other = HostArrays.toFloats(f.lossOf(f.task.prepare(f.scope, examples, 8)));
          assertThat(HostArrays.toFloats(f.lossOf(batch))).isEqualTo(first);
          assertThat(HostArrays.toFloats(f.lossOf(f.task.prepare(f.scope, examples, 7))))
              .isEqualTo(first);
          assertThat(other).isNotEqualTo(first);
          return true;
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aCycleIsLearned(long seed) {
    // Each user walks through the items by steps of 5 from a random start: what comes next depends
    // on the latest item alone, and no item is popular.
    Random random = new Random(seed);
    Interactions.Builder rows = Interactions.builder(Fixture.ids("u", 80), Fixture.ids("i", 12));
    for (int user = 0; user < 80; user++) {
      int item = random.nextInt(12);
      for (int i = 0; i < 3 + user % 5; i++) {
        add(rows, user, item, 1, i);
        item = (item + 5) % 12;
      }
    }
    with(
        rows.build(),
        shape().dimension(16).dropout(0.1f).build(),
        sampling().negatives(6).build(),
        f -> {
          f.train(35, 20, 1e-2f, seed, TrainingListener.NONE);
          try (Scope scope = f.scope.child()) {
            NDManager manager = scope.manager();
            ParameterValues values = new ParameterValues(manager);
            int hits = 0;
            for (int start = 0; start < 12; start++) {
              int[] history = {start, (start + 5) % 12};
              NDArray queries =
                  f.encoder.encode(
                      values,
                      new PackedSequences(new int[][] {history}).input(manager),
                      Dropout.NONE);
              float[] scores =
                  HostArrays.toFloats(
                      queries.matMul(f.encoder.itemVectors(scope).transpose()).get("1"));
              // What the user has is no negative, so its score means nothing.
              scores[history[0]] = Float.NEGATIVE_INFINITY;
              scores[history[1]] = Float.NEGATIVE_INFINITY;
              int best = 0;
              for (int item = 1; item < 12; item++) {
                best = scores[item] > scores[best] ? item : best;
              }
              hits += best == (start + 10) % 12 ? 1 : 0;
            }
            assertThat(hits).as("seed %d", seed).isEqualTo(12);
          }
          return true;
        });
  }

  @Test
  void memoryStaysFlat() {
    with(
        interactions(6, 9),
        shape().dropout(0.2f).distances(true).build(),
        sampling().build(),
        f -> {
          List<Integer> arrays = new ArrayList<>();
          TrainingListener counting =
              new TrainingListener() {
                @Override
                public void onStep(TrainingProgress progress) {
                  arrays.add(f.scope.manager().getManagedArrays().size());
                }
              };
          f.train(150, 8, 1e-3f, 1, counting);
          assertThat(arrays).hasSize(300);
          // The pool of dropped activations grows with the largest batch so far.
          assertThat(arrays.subList(10, 300)).containsOnly(arrays.get(10));
          return true;
        });
  }

  @Test
  void aSeedGivesTheSameBitsAgain() {
    Function<Long, Map<String, float[]>> train =
        seed ->
            with(
                interactions(7, 8),
                shape().dropout(0.4f).build(),
                sampling().build(),
                f -> {
                  f.train(3, 8, 1e-2f, seed, TrainingListener.NONE);
                  return f.parameters();
                });
    Map<String, float[]> first = train.apply(1L);
    train.apply(1L).forEach((name, value) -> assertThat(value).isEqualTo(first.get(name)));
    assertThat(train.apply(2L).get("item.id")).isNotEqualTo(first.get("item.id"));
  }

  @Test
  void weightsOfInteractionsWeighTheirPositions() {
    Interactions.Builder plain = Interactions.builder(Fixture.ids("u", 1), Fixture.ids("i", 3));
    Interactions.Builder weighted = Interactions.builder(Fixture.ids("u", 1), Fixture.ids("i", 3));
    for (int i = 0; i < 2; i++) {
      add(plain, 0, i, 1, i);
      add(weighted, 0, i, 0.25f, i);
    }
    Function<Interactions, Float> loss =
        data ->
            with(
                data,
                shape().dropout(0).build(),
                sampling().build(),
                f -> f.lossOf(f.task.prepare(f.scope, new int[] {0}, 0)).getFloat(0));
    assertThat(loss.apply(weighted.build())).isEqualTo(0.25f * loss.apply(plain.build()));
  }

  @Test
  void samplingOutOfRangeIsRefused() {
    assertThatThrownBy(() -> sampling().negatives(0).inBatch(0).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nothing to compare");
    assertThatThrownBy(() -> sampling().negatives(-1).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> sampling().popularityPower(3).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("popularityPower");
  }

  private static SequenceOptions.Builder shape() {
    return SequenceOptions.builder()
        .dimension(8)
        .hidden(10)
        .historyLength(LENGTH)
        .initStd(0.3f)
        .similarity(TwoTowerOptions.Similarity.DOT);
  }

  private static SequenceSampling.Builder sampling() {
    return SequenceSampling.builder().negatives(5).inBatch(50);
  }

  /** Users of 0 to {@code longest} rows; small items are popular, and some come twice. */
  private static Interactions interactions(long seed, int longest) {
    Random random = new Random(seed);
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", longest + 1), Fixture.ids("i", ITEMS));
    for (int user = 0; user <= longest; user++) {
      for (int i = 0; i < user; i++) {
        add(rows, user, (int) (ITEMS * Math.pow(random.nextDouble(), 2)), 1, i);
      }
    }
    return rows.build();
  }

  private static void add(Interactions.Builder rows, int user, int item, float weight, int time) {
    rows.add(user, item, EventType.CLICK, Float.NaN, weight, time, InteractionFeatures.UNKNOWN);
  }

  private static int item(SequenceBatch batch, long local) {
    return (int) required(batch.rows(), "item.id").index().getLong(local);
  }

  private static <T> T required(Map<String, T> map, String name) {
    T value = map.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no " + name + " in " + map.keySet());
    }
    return value;
  }

  private static <T> T with(
      Interactions data,
      SequenceOptions shape,
      SequenceSampling sampling,
      Function<Model, T> work) {
    long scopes = Scope.liveScopes();
    T result =
        TensorThreads.call(
            () -> {
              try (Scope scope = Scope.open(Device.cpu())) {
                SequenceEncoder encoder = new SequenceEncoder(scope, data.numItems(), shape, 1);
                return work.apply(
                    new Model(
                        scope,
                        encoder,
                        data,
                        new SequenceTask(scope, encoder, data, sampling, 11)));
              }
            });
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
    return result;
  }

  private record Model(Scope scope, SequenceEncoder encoder, Interactions data, SequenceTask task) {

    /** The user of each example. */
    int[] users() {
      List<Integer> users = new ArrayList<>();
      for (int user = 0; user < data.numUsers(); user++) {
        int targets = Math.max(0, data.degree(user) - 1);
        for (int window = 0; window < (targets + LENGTH - 1) / LENGTH; window++) {
          users.add(user);
        }
      }
      return users.stream().mapToInt(u -> u).toArray();
    }

    NDArray lossOf(SequenceBatch batch) {
      return task.loss(values(leaves(batch, DataType.FLOAT32)), batch);
    }

    Map<String, NDArray> doubleLeaves(SequenceBatch batch) {
      Map<String, NDArray> leaves = leaves(batch, DataType.FLOAT64);
      leaves.values().forEach(leaf -> leaf.setRequiresGradient(true));
      return leaves;
    }

    private Map<String, NDArray> leaves(SequenceBatch batch, DataType type) {
      Map<String, NDArray> leaves = new LinkedHashMap<>();
      for (NamedParameter parameter : encoder.namedParameters()) {
        NDArray value = parameter.parameter().getArray();
        NDArray read =
            parameter.table()
                ? RowOptimizer.gather(value, required(batch.rows(), parameter.name()).index())
                : value;
        leaves.put(parameter.name(), read.toType(type, true));
      }
      return leaves;
    }

    ParameterValues values(Map<String, NDArray> leaves) {
      ParameterValues values = new ParameterValues(scope.manager());
      for (NamedParameter parameter : encoder.namedParameters()) {
        values.put(parameter.parameter(), required(leaves, parameter.name()));
      }
      return values;
    }

    double difference(Map<String, NDArray> leaves, String name, int i, SequenceBatch batch) {
      double step = 1e-5;
      double[] results = new double[2];
      for (int side = 0; side < 2; side++) {
        NDArray leaf = required(leaves, name);
        double[] moved = leaf.toDoubleArray();
        moved[i] += side == 0 ? step : -step;
        Map<String, NDArray> others = new LinkedHashMap<>(leaves);
        others.put(name, scope.manager().create(moved, leaf.getShape()));
        results[side] = task.loss(values(others), batch).mean().toDoubleArray()[0];
      }
      return (results[0] - results[1]) / (2 * step);
    }

    void train(int epochs, int batchSize, float rate, long seed, TrainingListener listener) {
      new Trainer(
              TrainingOptions.builder()
                  .epochs(epochs)
                  .batchSize(batchSize)
                  .learningRate(rate)
                  .itemLearningRate(rate)
                  .rowOptimizer(RowOptimizer.Kind.ADAM)
                  .seed(seed)
                  .build(),
              List.of(),
              listener,
              null)
          .train(scope, task, null);
    }

    Map<String, float[]> parameters() {
      Map<String, float[]> values = new LinkedHashMap<>();
      for (NamedParameter parameter : encoder.namedParameters()) {
        values.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
      }
      return values;
    }

    /** The loss from the encoder's queries by the definition, one token after the other. */
    double[] naiveLoss(
        SequenceBatch batch, Interactions train, SequenceSampling sampling, int[] examples) {
      ParameterValues values = new ParameterValues(scope.manager());
      double[] shares = targetShares(train);
      double positions = 0;
      for (int user = 0; user < train.numUsers(); user++) {
        positions += Math.max(0, train.degree(user) - 1);
      }
      int[] counts = train.itemCounts();
      double total = 0;
      for (int count : counts) {
        total += Math.pow(Math.max(1, count), sampling.popularityPower());
      }
      int fromBatch = 0;
      List<int[]> windows = new ArrayList<>();
      for (int example : examples) {
        int[] window = window(example);
        windows.add(window);
        fromBatch = Math.min(sampling.inBatch(), fromBatch + window.length - 1);
      }
      double[] losses = new double[examples.length];
      for (int e = 0; e < examples.length; e++) {
        int[] window = windows.get(e);
        int[] inputs = Arrays.copyOf(window, window.length - 1);
        float[] queries =
            HostArrays.toFloats(
                encoder.encode(
                    values,
                    new PackedSequences(new int[][] {inputs}).input(scope.manager()),
                    Dropout.NONE));
        int[] seen = train.seenOf(users()[examples[e]]);
        for (int t = 0; t < inputs.length; t++) {
          double positive = score(queries, t, window[t + 1]);
          double sum = Math.exp(positive);
          for (int c = 0; c < batch.columns(); c++) {
            int item = item(batch, c);
            if (Arrays.binarySearch(seen, item) >= 0) {
              continue;
            }
            double p = Math.pow(Math.max(1, counts[item]), sampling.popularityPower()) / total;
            double expected = sampling.negatives() * p + fromBatch * shares[item];
            double probability = sampling.logQ() ? 1 - Math.exp(-expected) : 1;
            sum += Math.exp(score(queries, t, item)) / probability;
          }
          losses[e] += (Math.log(sum) - positive) * users().length / positions;
        }
      }
      return losses;
    }

    private double[] targetShares(Interactions train) {
      double[] shares = new double[train.numItems()];
      double positions = 0;
      for (int user = 0; user < train.numUsers(); user++) {
        int[] history = train.historyOf(user);
        for (int i = 1; i < history.length; i++) {
          shares[history[i]]++;
          positions++;
        }
      }
      for (int i = 0; i < shares.length; i++) {
        shares[i] /= positions;
      }
      return shares;
    }

    /** The items of an example, its targets and the one before them. */
    private int[] window(int example) {
      int[] users = users();
      int user = users[example];
      int later = 0;
      for (int e = example - 1; e >= 0 && users[e] == user; e--) {
        later++;
      }
      int[] history = data.historyOf(user);
      int to = history.length - later * LENGTH;
      return Arrays.copyOfRange(history, Math.max(0, to - LENGTH - 1), to);
    }

    private double score(float[] queries, int token, int item) {
      float[] table = HostArrays.toFloats(encoder.itemVectors(scope));
      int d = encoder.options().dimension();
      double score = 0;
      for (int j = 0; j < d; j++) {
        score += queries[token * d + j] * table[item * d + j];
      }
      return score;
    }
  }
}
