package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The closed form beside the recorded step, which a hook that does nothing asks for. */
class FactorFormTest {

  private static final long SEED = 21;
  private static final int USERS = 300;
  private static final int ITEMS = 200;

  /** More than one thread takes at a time. */
  private static final int BATCH = 1000;

  private static final int ROWS = 3500;
  private static final TwoTowerOptions PLAIN = TwoTowerOptions.builder().dimension(6).build();
  private static final TwoTowerOptions FULL =
      TwoTowerOptions.builder().dimension(11).biases(true).temperature(0.5f).build();
  private static final SamplingOptions BPR =
      SamplingOptions.builder().objective(Objective.BPR).negatives(1).build();

  static Stream<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (Objective objective : List.of(Objective.BPR, Objective.BCE, Objective.SQUARED_ERROR)) {
      for (RowOptimizer.Kind kind : RowOptimizer.Kind.values()) {
        TrainingOptions.Builder training =
            TrainingOptions.builder().batchSize(BATCH).epochs(2).rowOptimizer(kind).patience(0);
        SamplingOptions.Builder sampling =
            SamplingOptions.builder().objective(objective).negatives(1);
        settings.add(Arguments.of(PLAIN, sampling.build(), training.build()));
        sampling.negatives(3).popularityPower(0.75f).recencyHalfLifeDays(0.01);
        training.l2(0.02f).userLearningRate(0.05f).itemLearningRate(0.2f).schedule(Schedule.COSINE);
        settings.add(Arguments.of(FULL, sampling.build(), training.build()));
        sampling.excludeSeen(false);
        training.clipNorm(1e-3);
        settings.add(Arguments.of(FULL, sampling.build(), training.build()));
      }
    }
    return settings.stream();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void everyStepIsThatOfTheRecording(
      TwoTowerOptions shape, SamplingOptions sampling, TrainingOptions training) {
    Run closed = train(shape, sampling, training, List.of());
    Run recorded = train(shape, sampling, training, List.of(new StepHook() {}));
    assertThat(closed.steps()).hasSize(8).hasSameSizeAs(recorded.steps());
    // Eight steps on: rounding to 2^-24 in each of some hundred sums and, where Adam divides
    // a gradient near zero by its own size, a good deal more of it.
    double tolerance = training.rowOptimizer() == RowOptimizer.Kind.ADAM ? 1e-3 : 1e-5;
    for (int step = 0; step < 8; step++) {
      Map<String, float[]> expected = recorded.steps().get(step);
      Map<String, float[]> actual = closed.steps().get(step);
      assertThat(actual.keySet()).isEqualTo(expected.keySet());
      String when = " after step " + step;
      expected.forEach(
          (name, value) ->
              assertClose(actual.getOrDefault(name, new float[0]), value, tolerance, name + when));
    }
    for (int epoch = 0; epoch < 2; epoch++) {
      double expected = recorded.result().meanLosses().get(epoch);
      assertThat(closed.result().meanLosses().get(epoch))
          .isCloseTo(expected, within(1e-5 * (1 + expected)));
    }
  }

  @Test
  void threadsThatRaceGiveTheSameBits() {
    TrainingOptions training =
        TrainingOptions.builder().batchSize(BATCH).epochs(2).l2(0.01f).clipNorm(0.1).build();
    SamplingOptions sampling =
        SamplingOptions.builder().objective(Objective.BCE).negatives(2).build();
    Run first = train(FULL, sampling, training, List.of());
    for (int repeat = 0; repeat < 5; repeat++) {
      Run again = train(FULL, sampling, training, List.of());
      assertThat(again.result().meanLosses()).isEqualTo(first.result().meanLosses());
      first
          .steps()
          .get(7)
          .forEach((name, v) -> assertThat(again.steps().get(7).get(name)).as(name).isEqualTo(v));
    }
  }

  @Test
  void aLossThatIsNotFiniteMovesNothing() {
    TrainingOptions training = TrainingOptions.builder().batchSize(BATCH).epochs(1).build();
    with(
        PLAIN,
        BPR,
        fixture -> {
          FloatBuffer users =
              HostArrays.view(fixture.task().parameters().get(0).parameter().getArray());
          for (int i = 0; i < users.capacity(); i++) {
            users.put(i, Float.NaN);
          }
          float[] before = fixture.value("item.id");
          TrainingResult result =
              fixture.train(training, List.of(), TrainingListener.NONE, null, null);
          assertThat(result.steps()).isEqualTo(4);
          assertThat(result.skippedSteps()).isEqualTo(4);
          assertThat(fixture.value("item.id")).isEqualTo(before);
          return true;
        });
  }

  @Test
  void whatIsMoreThanIdsIsRecorded() {
    assertThat(hasClosedForm(PLAIN, BPR)).isTrue();
    assertThat(hasClosedForm(FULL, BPR)).isTrue();
    for (Objective objective : List.of(Objective.SAMPLED_SOFTMAX, Objective.FULL_SOFTMAX)) {
      SamplingOptions shared = SamplingOptions.builder().objective(objective).build();
      assertThat(hasClosedForm(PLAIN, shared)).as("%s", objective).isFalse();
    }
    SamplingOptions.Builder bpr = SamplingOptions.builder().objective(Objective.BPR).negatives(1);
    assertThat(hasClosedForm(PLAIN, bpr.idDropout(0.1f).build())).isFalse();
    assertThat(hasClosedForm(PLAIN, bpr.idDropout(0).itemIdDropout(0.1f).build())).isFalse();
    TwoTowerOptions.Builder shape = TwoTowerOptions.builder().dimension(4);
    assertThat(hasClosedForm(shape.hidden(List.of(3)).build(), BPR)).isFalse();
    shape.hidden(List.of());
    assertThat(hasClosedForm(shape.similarity(TwoTowerOptions.Similarity.COSINE).build(), BPR))
        .isFalse();
    shape.similarity(TwoTowerOptions.Similarity.DOT);
    assertThat(hasClosedForm(shape.history(TwoTowerOptions.History.SHARED).build(), BPR)).isFalse();
    assertThat(hasClosedForm(shape.userIds(false).build(), BPR)).isFalse();
  }

  private static boolean hasClosedForm(TwoTowerOptions shape, SamplingOptions sampling) {
    return with(shape, sampling, fixture -> fixture.task().closedForm() != null);
  }

  private static Run train(
      TwoTowerOptions shape,
      SamplingOptions sampling,
      TrainingOptions training,
      List<StepHook> hooks) {
    return with(
        shape,
        sampling,
        fixture -> {
          List<Map<String, float[]>> steps = new ArrayList<>();
          TrainingListener listener =
              new TrainingListener() {
                @Override
                public void onStep(TrainingProgress progress) {
                  steps.add(fixture.values());
                }
              };
          return new Run(steps, fixture.train(training, hooks, listener, null, null));
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
    return interactions(USERS, ITEMS);
  }

  /** Random events, of which some items have most. */
  static Interactions interactions(int users, int items) {
    Random random = new Random(SEED);
    Interactions.Builder rows =
        Interactions.builder(Fixture.ids("u", users), Fixture.ids("i", items));
    for (int row = 0; row < ROWS; row++) {
      rows.add(
          random.nextInt(users),
          (int) (items * Math.pow(random.nextDouble(), 2)),
          EventType.RATING,
          1 + random.nextInt(5),
          1,
          row * 1000L,
          InteractionFeatures.UNKNOWN);
    }
    return rows.build();
  }

  private static void assertClose(float[] actual, float[] expected, double tolerance, String what) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("seed %d, %s, number %d", SEED, what, i)
          .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
    }
  }

  private record Run(List<Map<String, float[]>> steps, TrainingResult result) {}
}
