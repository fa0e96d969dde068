package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import io.sextant.SextantException;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {

  private static final TwoTowerOptions SHAPE =
      TwoTowerOptions.builder().dimension(4).biases(true).build();
  private static final SamplingOptions SAMPLING =
      SamplingOptions.builder().objective(Objective.BCE).negatives(2).build();

  @ParameterizedTest
  @EnumSource(Objective.class)
  void theSameSeedGivesTheSameBitsAndAnotherDoesNot(Objective objective) {
    SamplingOptions sampling =
        SamplingOptions.builder().objective(objective).negatives(3).inBatch(true).build();
    Map<String, float[]> first = train(sampling, options(3).build(), List.of());
    assertEqualBits(train(sampling, options(3).build(), List.of()), first);
    assertThat(train(sampling, options(3).seed(2).build(), List.of()).get("user.id"))
        .isNotEqualTo(first.get("user.id"));
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void trainingLowersTheLoss(Objective objective) {
    SamplingOptions sampling =
        SamplingOptions.builder().objective(objective).negatives(3).excludeSeen(false).build();
    TrainingResult result =
        Fixture.with(
            SHAPE,
            sampling,
            1,
            f -> f.train(options(30).build(), List.of(), TrainingListener.NONE, null, null));
    List<Double> losses = result.meanLosses();
    assertThat(losses).hasSize(30);
    assertThat(losses.get(29)).isLessThan(losses.get(0) * 0.95);
  }

  @ParameterizedTest
  @EnumSource(RowOptimizer.Kind.class)
  void aRateOfZeroLeavesItsTablesUntouched(RowOptimizer.Kind kind) {
    Map<String, float[]> before = Fixture.with(SHAPE, SAMPLING, 1, Fixture::values);
    TrainingOptions.Builder options = options(2).rowOptimizer(kind).l2(0.1f);
    Map<String, float[]> noUsers = train(SAMPLING, options.userLearningRate(0).build(), List.of());
    assertThat(noUsers.get("user.id")).isEqualTo(before.get("user.id"));
    assertThat(noUsers.get("user.bias")).isEqualTo(before.get("user.bias"));
    assertThat(noUsers.get("item.id")).isNotEqualTo(before.get("item.id"));
    assertThat(noUsers.get("item.bias")).isNotEqualTo(before.get("item.bias"));
    Map<String, float[]> noItems =
        train(SAMPLING, options.userLearningRate(0.1f).itemLearningRate(0).build(), List.of());
    assertThat(noItems.get("user.id")).isNotEqualTo(before.get("user.id"));
    assertThat(noItems.get("item.id")).isEqualTo(before.get("item.id"));
  }

  @Test
  void weightsOfOneChangeNoBitAndOthersDo() {
    // A hook without weights, because a step without hooks may be computed in another way.
    List<StepHook> watching = List.of(new StepHook() {});
    Map<String, float[]> plain = train(SAMPLING, options(3).build(), watching);
    assertEqualBits(train(SAMPLING, options(3).build(), List.of(constant(1))), plain);
    assertThat(train(SAMPLING, options(3).build(), List.of(constant(0.25f))).get("item.id"))
        .isNotEqualTo(plain.get("item.id"));
  }

  @Test
  void weightsOfSeveralHooksAreMultiplied() {
    Map<String, float[]> half = train(SAMPLING, options(3).build(), List.of(constant(0.5f)));
    List<StepHook> hooks = List.of(constant(4), constant(0.125f));
    assertEqualBits(train(SAMPLING, options(3).build(), hooks), half);
  }

  @Test
  void weightsOfZeroLearnNothing() {
    Map<String, float[]> before = Fixture.with(SHAPE, SAMPLING, 1, Fixture::values);
    assertEqualBits(train(SAMPLING, options(2).build(), List.of(constant(0))), before);
  }

  @Test
  void aHookSeesTheLossOfTheStep() {
    List<Float> seen = new ArrayList<>();
    List<Float> told = new ArrayList<>();
    StepHook hook =
        new StepHook() {
          @Override
          public NDArray exampleWeights(TrainingStep<?> step) {
            seen.add(step.loss(step.values()).mean().getFloat());
            return ones(step, 1);
          }

          @Override
          public void afterStep(TrainingStep<?> step, float loss) {
            told.add(loss);
          }
        };
    train(SAMPLING, options(2).build(), List.of(hook));
    assertThat(seen).hasSize(8).isEqualTo(told);
  }

  @Test
  void stepsWithoutAFiniteLossAreSkipped() {
    // The only good step comes after 19 bad ones, and 19 follow: never 20 in a row.
    StepHook hook = nanAt(step -> step != 19 && step < 39);
    Map<String, float[]> before = Fixture.with(SHAPE, SAMPLING, 1, Fixture::values);
    Fixture.with(
        SHAPE,
        SAMPLING,
        1,
        f -> {
          TrainingResult result =
              f.train(options(10).build(), List.of(hook), TrainingListener.NONE, null, null);
          assertThat(result.steps()).isEqualTo(40);
          assertThat(result.skippedSteps()).isEqualTo(38);
          f.values()
              .forEach((name, value) -> assertThat(value).as(name).isNotEqualTo(before.get(name)));
          for (float[] value : f.values().values()) {
            for (float x : value) {
              assertThat(x).isFinite();
            }
          }
          return true;
        });
  }

  @Test
  void twentyStepsInARowWithoutAFiniteLossEndTheTraining() {
    Map<String, float[]> before = Fixture.with(SHAPE, SAMPLING, 1, Fixture::values);
    List<Long> steps = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(TrainingProgress progress) {
            steps.add(progress.step());
          }
        };
    long scopes = Scope.liveScopes();
    Fixture.with(
        SHAPE,
        SAMPLING,
        1,
        f -> {
          assertThatThrownBy(
                  () ->
                      f.train(options(10).build(), List.of(nanAt(s -> true)), listener, null, null))
              .isInstanceOf(SextantException.class)
              .hasMessageContaining("diverged")
              .hasMessageContaining("20 steps")
              .hasMessageContaining("learning rates");
          assertEqualBits(f.values(), before);
          return true;
        });
    assertThat(steps).hasSize(19);
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void earlyStoppingRestoresTheBestEpoch(boolean higherIsBetter) {
    double[] scores = {1, 3, 2, 3, 9, 9};
    List<Map<String, float[]>> atEpoch = new ArrayList<>();
    Fixture.with(
        SHAPE,
        SAMPLING,
        1,
        f -> {
          Validation validation =
              f.validation(
                  model -> {
                    atEpoch.add(model.values());
                    double score = scores[atEpoch.size() - 1];
                    return higherIsBetter ? score : -score;
                  },
                  higherIsBetter);
          TrainingResult result =
              f.train(
                  options(6).patience(2).build(),
                  List.of(),
                  TrainingListener.NONE,
                  null,
                  validation);
          assertThat(result.epochs()).isEqualTo(4);
          assertThat(result.steps()).isEqualTo(16);
          assertThat(result.bestEpoch()).isEqualTo(1);
          assertEqualBits(f.values(), atEpoch.get(1));
          assertThat(f.value("item.id")).isNotEqualTo(atEpoch.get(3).get("item.id"));
          return true;
        });
  }

  @Test
  void withoutPatienceAllEpochsRunAndTheBestIsRestored() {
    List<Map<String, float[]>> atEpoch = new ArrayList<>();
    Fixture.with(
        SHAPE,
        SAMPLING,
        1,
        f -> {
          Validation validation =
              f.validation(
                  model -> {
                    atEpoch.add(model.values());
                    return -(double) atEpoch.size();
                  },
                  true);
          TrainingResult result =
              f.train(
                  options(5).patience(0).build(),
                  List.of(),
                  TrainingListener.NONE,
                  null,
                  validation);
          assertThat(result.epochs()).isEqualTo(5);
          assertThat(result.bestEpoch()).isZero();
          assertEqualBits(f.values(), atEpoch.get(0));
          return true;
        });
  }

  private static TrainingOptions.Builder options(int epochs) {
    return TrainingOptions.builder().epochs(epochs).batchSize(15);
  }

  private static Map<String, float[]> train(
      SamplingOptions sampling, TrainingOptions options, List<StepHook> hooks) {
    return Fixture.with(
        SHAPE,
        sampling,
        1,
        f -> {
          f.train(options, hooks, TrainingListener.NONE, null, null);
          return f.values();
        });
  }

  private static StepHook constant(float weight) {
    return new StepHook() {
      @Override
      public NDArray exampleWeights(TrainingStep<?> step) {
        return ones(step, weight);
      }
    };
  }

  private static StepHook nanAt(LongPredicate bad) {
    return new StepHook() {
      @Override
      public NDArray exampleWeights(TrainingStep<?> step) {
        return ones(step, bad.test(step.number()) ? Float.NaN : 1);
      }
    };
  }

  private static NDArray ones(TrainingStep<?> step, float weight) {
    float[] weights = new float[step.batch().size()];
    Arrays.fill(weights, weight);
    return HostArrays.floats(step.scope().manager(), weights, weights.length);
  }

  private static void assertEqualBits(Map<String, float[]> actual, Map<String, float[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, value) -> assertThat(actual.get(name)).as(name).isEqualTo(value));
  }
}
