package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.Parity;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Training that stays on the device, on the CPU as a device like others. */
class ResidentFormTest {

  private static final int BATCH = 1000;
  private static final int ROWS = 3500;
  private static final int STEPS = 4;
  private static final long TASK_SEED = 5;
  private static final TwoTowerOptions PLAIN = TwoTowerOptions.builder().dimension(6).build();
  private static final SamplingOptions BPR =
      SamplingOptions.builder().objective(Objective.BPR).negatives(1).build();
  private static final SamplingOptions SHARED =
      SamplingOptions.builder().negatives(64).popularityPower(0.5f).inBatch(true).build();

  static Stream<Arguments> sharedNegatives() {
    List<Arguments> settings = new ArrayList<>();
    TwoTowerOptions biased =
        TwoTowerOptions.builder().dimension(11).biases(true).temperature(0.5f).build();
    for (RowOptimizer.Kind kind : RowOptimizer.Kind.values()) {
      TrainingOptions.Builder training =
          TrainingOptions.builder().batchSize(BATCH).epochs(2).rowOptimizer(kind).patience(0);
      SamplingOptions.Builder sampling =
          SamplingOptions.builder().objective(Objective.SAMPLED_SOFTMAX).negatives(64);
      settings.add(Arguments.of(PLAIN, sampling.build(), training.build()));
      sampling.inBatch(true).popularityPower(0.75f).recencyHalfLifeDays(0.01);
      training.l2(0.02f).userLearningRate(0.05f).itemLearningRate(0.2f).schedule(Schedule.COSINE);
      settings.add(Arguments.of(biased, sampling.build(), training.build()));
      sampling.excludeSeen(false);
      training.clipNorm(1e-3);
      settings.add(Arguments.of(biased, sampling.build(), training.build()));
      sampling.inBatch(false).logQ(false);
      settings.add(Arguments.of(biased, sampling.build(), training.build()));
      sampling.objective(Objective.FULL_SOFTMAX);
      settings.add(Arguments.of(PLAIN, sampling.build(), training.build()));
      sampling.excludeSeen(true).inBatch(true);
      settings.add(Arguments.of(biased, sampling.build(), training.build()));
    }
    return settings.stream();
  }

  @ParameterizedTest
  @MethodSource({"io.sextant.train.FactorFormTest#settings", "sharedNegatives"})
  void everyStepIsThatOfTheRecording(
      TwoTowerOptions shape, SamplingOptions sampling, TrainingOptions training) {
    List<Map<String, float[]>> expected = new ArrayList<>();
    List<Map<String, float[]>> actual = new ArrayList<>();
    TrainingResult recorded =
        with(
            shape,
            sampling,
            f -> f.train(training, List.of(new StepHook() {}), eachStep(f, expected), null, null));
    TrainingResult resident =
        with(
            shape,
            sampling,
            f -> {
              ForcedResident<TwoTowerBatch> task =
                  ForcedResident.of(
                      f.task(),
                      ForcedResident.hostDraws(interactions(), sampling, TASK_SEED, BATCH),
                      ForcedResident.hostSharedDraws(
                          interactions(),
                          sampling.popularityPower(),
                          sampling.negatives(),
                          TASK_SEED));
              TrainingResult result =
                  new Trainer(training, List.of(), eachStep(f, actual), null)
                      .train(f.scope(), task, null);
              assertThat(task.prepared).isZero();
              return result;
            });
    double tolerance = training.rowOptimizer().name().equals("ADAM") ? 1e-3 : 1e-5;
    assertThat(actual).hasSize(2 * STEPS).hasSameSizeAs(expected);
    for (int step = 0; step < actual.size(); step++) {
      for (Map.Entry<String, float[]> entry : expected.get(step).entrySet()) {
        float[] values = Objects.requireNonNull(actual.get(step).get(entry.getKey()));
        if (entry.getKey().equals("user.bias") && sampling.objective().sharedNegatives()) {
          // It cancels; a recording leaves rounding, which optimizers scale up.
          assertThat(values).containsOnly(0);
          continue;
        }
        for (int i = 0; i < values.length; i++) {
          assertThat((double) values[i])
              .as("%s, number %d, step %d", entry.getKey(), i, step)
              .isCloseTo(
                  entry.getValue()[i], within(tolerance * (1 + Math.abs(entry.getValue()[i]))));
        }
      }
    }
    for (int epoch = 0; epoch < 2; epoch++) {
      double loss = recorded.meanLosses().get(epoch);
      assertThat(resident.meanLosses().get(epoch)).isCloseTo(loss, within(1e-5 * (1 + loss)));
    }
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void anotherDeviceHasTheSameLosses(SamplingOptions sampling) {
    assertSameLosses(Parity.device(), sampling);
  }

  @ParameterizedTest
  @MethodSource("objectives")
  @Tag("gpu")
  void aGpuHasTheSameLosses(SamplingOptions sampling) {
    assertSameLosses(Devices.parse("cuda"), sampling);
  }

  static Stream<SamplingOptions> objectives() {
    return Stream.of(BPR, SHARED);
  }

  private static void assertSameLosses(Device other, SamplingOptions sampling) {
    TrainingOptions training =
        TrainingOptions.builder().batchSize(BATCH).epochs(4).patience(0).build();
    List<List<Double>> losses = new ArrayList<>();
    for (Device device : List.of(Device.cpu(), other)) {
      TensorThreads.run(
          () -> {
            try (Fixture fixture = new Fixture(device, interactions(), PLAIN, sampling, 1)) {
              losses.add(
                  new Trainer(training, List.of(), TrainingListener.NONE, null)
                      .train(fixture.scope(), ForcedResident.of(fixture.task(), null, null), null)
                      .meanLosses());
            }
          });
    }
    for (int epoch = 0; epoch < 4; epoch++) {
      double loss = losses.get(0).get(epoch);
      assertThat(losses.get(1).get(epoch)).isCloseTo(loss, within(1e-3 * loss));
    }
  }

  private static TrainingListener eachStep(Fixture fixture, List<Map<String, float[]>> steps) {
    return new TrainingListener() {
      @Override
      public void onStep(TrainingProgress progress) {
        steps.add(fixture.values());
      }
    };
  }

  @Test
  void withDrawsOfItsOwnItLearnsAsMuch() {
    TrainingOptions training =
        TrainingOptions.builder().batchSize(BATCH).epochs(12).patience(0).build();
    for (SamplingOptions sampling :
        List.of(
            BPR,
            SHARED,
            SamplingOptions.builder()
                .objective(Objective.BCE)
                .negatives(3)
                .popularityPower(0.5f)
                .build())) {
      List<Double> host =
          with(
                  PLAIN,
                  sampling,
                  f -> f.train(training, List.of(), TrainingListener.NONE, null, null))
              .meanLosses();
      List<Double> resident =
          with(
                  PLAIN,
                  sampling,
                  f ->
                      new Trainer(training, List.of(), TrainingListener.NONE, null)
                          .train(f.scope(), ForcedResident.of(f.task(), null, null), null))
              .meanLosses();
      assertThat(resident.get(11)).isLessThan(0.97 * resident.get(0));
      assertThat(resident.get(11)).isCloseTo(host.get(11), within(0.03 * host.get(11)));
    }
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void aStepIsAsManyOperationsWhateverTheSizes(SamplingOptions sampling) {
    List<Long> counts = new ArrayList<>();
    for (int[] sizes : new int[][] {{50, 300, 200}, {1000, 300, 200}, {1000, 5000, 9000}}) {
      Interactions data = FactorFormTest.interactions(sizes[1], sizes[2]);
      TensorThreads.run(
          () -> {
            try (Fixture fixture = new Fixture(data, PLAIN, sampling, 1)) {
              ForcedResident<TwoTowerBatch> task = ForcedResident.of(fixture.task(), null, null);
              TrainingOptions training =
                  TrainingOptions.builder().batchSize(sizes[0]).epochs(1).build();
              new Trainer(training, List.of(), TrainingListener.NONE, null)
                  .train(fixture.scope(), task, null);
              counts.add(Objects.requireNonNull(task.last).operations());
            }
          });
    }
    System.getLogger("resident")
        .log(
            System.Logger.Level.INFO,
            sampling.objective() + ": arrays made in a step: " + counts.get(0));
    assertThat(counts.get(0)).isBetween(20L, 200L);
    assertThat(counts).containsOnly(counts.get(0));
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void nothingIsLeftOfAStep(SamplingOptions sampling) {
    List<Integer> arrays = new ArrayList<>();
    with(
        PLAIN,
        sampling,
        f -> {
          ForcedResident<TwoTowerBatch> task = ForcedResident.of(f.task(), null, null);
          TrainingListener counting =
              new TrainingListener() {
                @Override
                public void onStep(TrainingProgress progress) {
                  arrays.add(
                      Objects.requireNonNull(task.session).manager().getManagedArrays().size());
                }
              };
          TrainingOptions training =
              TrainingOptions.builder().batchSize(BATCH).epochs(5).clipNorm(1).l2(0.1f).build();
          return new Trainer(training, List.of(), counting, null).train(f.scope(), task, null);
        });
    assertThat(arrays).hasSize(5 * STEPS).containsOnly(arrays.get(0));
  }

  @Test
  void nothingIsLeftOfAnEpoch() {
    List<Long> scopes = new ArrayList<>();
    TrainingListener counting =
        new TrainingListener() {
          @Override
          public void onEpoch(
              int epoch, double meanLoss, Map<String, Double> validation, boolean best) {
            scopes.add(Scope.liveScopes());
          }
        };
    TrainingOptions training =
        TrainingOptions.builder().batchSize(BATCH).epochs(5).patience(0).build();
    with(
        PLAIN,
        BPR,
        f ->
            new Trainer(training, List.of(), counting, null)
                .train(f.scope(), ForcedResident.of(f.task(), null, null), null));
    assertThat(scopes).hasSize(5).containsOnly(scopes.get(0));
  }

  @Test
  void aLossThatIsNotFiniteMovesNothingAndIsCounted() {
    with(
        PLAIN,
        BPR,
        f -> {
          FloatBuffer users = HostArrays.view(f.task().parameters().get(0).parameter().getArray());
          for (int i = 0; i < users.capacity(); i++) {
            users.put(i, Float.NaN);
          }
          float[] before = f.value("item.id");
          TrainingOptions training =
              TrainingOptions.builder().batchSize(BATCH).epochs(1).patience(0).build();
          TrainingResult result =
              new Trainer(training, List.of(), TrainingListener.NONE, null)
                  .train(f.scope(), ForcedResident.of(f.task(), null, null), null);
          assertThat(result.skippedSteps()).isEqualTo(STEPS);
          assertThat(f.value("item.id")).isEqualTo(before);
          return true;
        });
  }

  /** Widynski's generator with Java's own shifts. */
  private static double squares(long counter, long key) {
    long x = counter * key;
    long y = x;
    long z = y + key;
    x = Long.rotateLeft(x * x + y, 32);
    x = Long.rotateLeft(x * x + z, 32);
    x = Long.rotateLeft(x * x + y, 32);
    return ((x * x + z) >>> 32) * 0x1.0p-32;
  }

  @Test
  void numbersAreThoseOfTheGenerator() {
    Random random = new Random(8);
    long[] counters = random.longs(500).toArray();
    for (int i = 0; i < 100; i++) {
      counters[i] = i;
    }
    long key = random.nextLong() | 1;
    inScope(
        scope -> {
          double[] numbers =
              ResidentSampler.uniform(scope.manager().create(counters), key).toDoubleArray();
          for (int i = 0; i < numbers.length; i++) {
            assertThat(numbers[i])
                .as("counter %d", counters[i])
                .isEqualTo(squares(counters[i], key));
          }
          return true;
        });
  }

  @Test
  void negativesHaveTheSamplersDistributionAndAreUnseen() {
    Interactions data = interactions();
    SeenItems seen = new SeenItems(data);
    for (float power : new float[] {0, 0.75f}) {
      for (boolean excludeSeen : new boolean[] {false, true}) {
        SamplingOptions options =
            SamplingOptions.builder()
                .objective(Objective.BPR)
                .negatives(40)
                .popularityPower(power)
                .excludeSeen(excludeSeen)
                .build();
        ItemSampler sampler = new ItemSampler(data.itemCounts(), power);
        inScope(
            scope -> {
              ResidentDraws draws =
                  new ResidentDraws(
                      scope, sampler, seen, data.numUsers(), data.numItems(), options, 3);
              int[] users = new Random(4).ints(2000, 0, data.numUsers()).toArray();
              NDArray on = HostArrays.longs(scope.manager(), users, users.length);
              int[] drawn = ForcedResident.ints(draws.draw(scope, on, 0).flatten());
              // Whoever begins later, or with others, draws the same for an example.
              int[] later = ForcedResident.ints(draws.draw(scope, on.get("700:"), 700).flatten());
              assertThat(later).isEqualTo(Arrays.copyOfRange(drawn, 700 * 40, drawn.length));

              double[] expected = new double[data.numItems()];
              int[] found = new int[data.numItems()];
              int bad = 0;
              for (int e = 0; e < users.length; e++) {
                int start = seen.start(users[e]);
                int end = seen.end(users[e]);
                double left = 1;
                for (int i = start; excludeSeen && i < end; i++) {
                  left -= sampler.probability(seen.itemAt(i));
                }
                for (int item = 0; item < expected.length; item++) {
                  if (!excludeSeen || !seen.contains(start, end, item)) {
                    expected[item] += 40 * sampler.probability(item) / left;
                  }
                }
                for (int i = e * 40; i < (e + 1) * 40; i++) {
                  found[drawn[i]]++;
                  bad += excludeSeen && seen.contains(start, end, drawn[i]) ? 1 : 0;
                }
              }
              assertThat(draws.draws()).isEqualTo(excludeSeen ? draws.draws() : 1);
              assertThat(bad).as("seen negatives of 80000").isLessThanOrEqualTo(80);
              double chiSquare = 0;
              for (int item = 0; item < expected.length; item++) {
                double difference = found[item] - expected[item];
                chiSquare += difference * difference / expected[item];
              }
              // 199 degrees of freedom: mean 199, deviation 20.
              assertThat(chiSquare).isLessThan(300);
              return true;
            });
      }
    }
  }

  @Test
  void sharedNegativesHaveTheSamplersDistribution() {
    Interactions data = interactions();
    for (float power : new float[] {0, 0.75f}) {
      ItemSampler sampler = new ItemSampler(data.itemCounts(), power);
      inScope(
          scope -> {
            ResidentSharedDraws draws =
                new ResidentSharedDraws(scope, sampler, data.numItems(), 40, 3);
            NDArray all = draws.draw(scope, 0, 2000);
            int[] drawn = ForcedResident.ints(all.flatten());
            // Whoever begins later draws the same for a step.
            int[] later = ForcedResident.ints(draws.draw(scope, 700, 1300).flatten());
            assertThat(later).isEqualTo(Arrays.copyOfRange(drawn, 700 * 40, drawn.length));
            int[] found = new int[data.numItems()];
            Arrays.stream(drawn).forEach(item -> found[item]++);
            double chiSquare = 0;
            for (int item = 0; item < found.length; item++) {
              double expected = drawn.length * sampler.probability(item);
              chiSquare += (found[item] - expected) * (found[item] - expected) / expected;
            }
            // 199 degrees of freedom: mean 199, deviation 20.
            assertThat(chiSquare).isLessThan(300);
            return true;
          });
    }
  }

  @Test
  void sumsAreThoseOfEachRow() {
    Random random = new Random(9);
    int[] rows = random.ints(400, 0, 60).toArray();
    float[] values = new float[400 * 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    inScope(
        scope -> {
          SegmentSums sums = new SegmentSums(scope, 60);
          for (int turn = 0; turn < 2; turn++) {
            NDArray index = HostArrays.longs(scope.manager(), rows, rows.length);
            NDArray positions = scope.manager().arange(0, 400, 1, DataType.INT64);
            int[] slots = ForcedResident.ints(sums.slots(index, positions, scope));
            NDArray slot = HostArrays.longs(scope.manager(), slots, slots.length);
            float[] found =
                HostArrays.toFloats(
                    SegmentSums.sums(
                        slot, HostArrays.floats(scope.manager(), values, 400, 3), scope));
            for (int p = 0; p < 400; p++) {
              assertThat(rows[slots[p]]).isEqualTo(rows[p]);
              assertThat(slots[slots[p]]).isEqualTo(slots[p]);
              for (int d = 0; d < 3; d++) {
                double sum = 0;
                for (int other = 0; other < 400; other++) {
                  sum += rows[other] == rows[p] ? values[other * 3 + d] : 0;
                }
                assertThat((double) found[slots[p] * 3 + d]).isCloseTo(sum, within(1e-4));
              }
            }
            // The next batch reads other rows.
            Arrays.setAll(rows, i -> (rows[i] * 7 + 3) % 60);
          }
          return true;
        });
  }

  private static <T> T inScope(Function<Scope, T> work) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            return work.apply(scope);
          }
        });
  }

  private static <T> T with(
      TwoTowerOptions shape, SamplingOptions sampling, Function<Fixture, T> work) {
    return TensorThreads.call(
        () -> {
          try (Fixture fixture = new Fixture(interactions(), shape, sampling, 1)) {
            return work.apply(fixture);
          }
        });
  }

  private static Interactions interactions() {
    return FactorFormTest.interactions(300, 200);
  }
}
