package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Grad;
import io.sextant.tensor.RowGradient;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Derivatives by step sizes and by weights of types beside differences of whole steps. */
class RateWindowTest {

  private static final TwoTowerOptions IDS =
      TwoTowerOptions.builder().dimension(5).biases(true).initStd(0.3f).build();
  private static final TwoTowerOptions TOWERS =
      TwoTowerOptions.builder()
          .dimension(5)
          .hidden(List.of(6))
          .history(TwoTowerOptions.History.SHARED)
          .historyLength(4)
          .initStd(0.3f)
          .build();
  private static final int BATCH = 24;
  private static final int STEPS = 6;

  static List<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (RowOptimizer.Kind kind : RowOptimizer.Kind.values()) {
      for (long seed = 1; seed <= 3; seed++) {
        settings.add(Arguments.of(IDS, Objective.BPR, kind, seed));
        settings.add(Arguments.of(IDS, Objective.SQUARED_ERROR, kind, seed));
        settings.add(Arguments.of(TOWERS, Objective.SAMPLED_SOFTMAX, kind, seed));
      }
    }
    return settings;
  }

  /** With everything that belongs to a step: l2, decay, clipping, the optimizers' state. */
  @ParameterizedTest
  @MethodSource("settings")
  void slopesByRatesAreThoseOfTheWholeStep(
      TwoTowerOptions shape, Objective objective, RowOptimizer.Kind kind, long seed) {
    SamplingOptions sampling =
        SamplingOptions.builder().objective(objective).negatives(4).excludeSeen(false).build();
    TrainingOptions options =
        TrainingOptions.builder()
            .rowOptimizer(kind)
            .learningRate(0.02f)
            .userLearningRate(0.1f)
            .itemLearningRate(0.2f)
            .l2(0.05f)
            .weightDecay(0.1f)
            .clipNorm(0.8)
            .build();
    RateWindow.Slopes slopes = afterStep(shape, sampling, options, seed, null, 1);
    assertThat(slopes.byGroup()).hasSize(shape == TOWERS ? 3 : 2);
    double size =
        slopes.byGroup().values().stream()
            .mapToDouble(slope -> Math.abs(slope.product()))
            .max()
            .orElseThrow();
    assertThat(size).isGreaterThan(1e-4);
    float h = 0.04f;
    slopes
        .byGroup()
        .forEach(
            (group, slope) -> {
              double up = afterStep(shape, sampling, options, seed, group, 1 + h).metaLoss();
              double down = afterStep(shape, sampling, options, seed, group, 1 - h).metaLoss();
              double half = afterStep(shape, sampling, options, seed, group, 1 + h / 2).metaLoss();
              double less = afterStep(shape, sampling, options, seed, group, 1 - h / 2).metaLoss();
              // Richardson's step takes the third derivative out of the differences.
              double difference = (4 * (half - less) / h - (up - down) / (2 * h)) / 3;
              assertThat(slope.product())
                  .as("%s by log rate", group)
                  .isCloseTo(difference, within(1e-3 * size + 2e-5));
              assertThat(slope.cosine()).isBetween(-1.0, 1.0);
            });
  }

  /** A model that has learned for some steps, and then one more with the group's rate scaled. */
  private static RateWindow.Slopes afterStep(
      TwoTowerOptions shape,
      SamplingOptions sampling,
      TrainingOptions options,
      long seed,
      NamedParameter.@Nullable Group group,
      float scale) {
    return Fixture.with(
        shape,
        sampling,
        seed,
        fixture -> {
          TwoTowerTask task = fixture.task();
          Scope scope = fixture.scope();
          ModelParameters parameters = new ModelParameters(scope, task.parameters(), options);
          TwoTowerTask judge = task.over(task.interactions(), 77);
          FactorForm form = judge.closedForm();
          assertThat(form == null).isEqualTo(shape == TOWERS);
          MetaGradient gradient =
              form == null
                  ? new RecordedMetaGradient<>(scope, judge, parameters)
                  : new FactorMetaGradient(form);
          RateWindow window = new RateWindow(gradient, task.parameters());
          Random random = new Random(seed);
          int[] judges = random.ints(200, 0, Fixture.ROWS).toArray();
          for (int step = 0; step < STEPS; step++) {
            if (step == STEPS - 1) {
              window.begin(judges, step);
              if (group != null) {
                parameters.setRate(group, scale * parameters.rateOf(group));
              }
            }
            learn(scope, task, parameters, random.ints(BATCH, 0, Fixture.ROWS).toArray(), step);
          }
          assertThat(window.isOpen()).isTrue();
          RateWindow.Slopes slopes = window.end(STEPS - 1);
          assertThat(window.isOpen()).isFalse();
          assertThat(gradient.loss(judges, STEPS - 1)).isCloseTo(slopes.metaLoss(), within(1e-6));
          return slopes;
        });
  }

  private static void learn(
      Scope session, TwoTowerTask task, ModelParameters parameters, int[] examples, long step) {
    FactorForm form = task.closedForm();
    if (form != null) {
      parameters.update(form.compute(examples, null, step).gradients(), examples.length, 1);
      return;
    }
    try (Scope scope = session.child()) {
      TwoTowerBatch batch = task.prepare(scope, examples, step);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      try (Grad grad = Grad.record()) {
        grad.backward(task.loss(leaves.values(), batch).mean());
      }
      parameters.update(scope, batch, leaves, 1);
    }
  }

  /** Longer windows add up what their steps have moved. */
  @Test
  void aWindowOfManyStepsIsTheSlopeAlongWhatTheyHaveMoved() {
    TrainingOptions options = TrainingOptions.builder().build();
    SamplingOptions sampling = SamplingOptions.builder().objective(Objective.BPR).build();
    Fixture.with(
        IDS,
        sampling,
        1,
        fixture -> {
          TwoTowerTask task = fixture.task();
          ModelParameters parameters =
              new ModelParameters(fixture.scope(), task.parameters(), options);
          FactorForm judge = Objects.requireNonNull(task.over(task.interactions(), 7).closedForm());
          RateWindow window = new RateWindow(new FactorMetaGradient(judge), task.parameters());
          int[] judges = ExampleWeighting.range(0, Fixture.ROWS);
          Map<String, float[]> before = fixture.values();
          window.begin(judges, 0);
          for (int step = 0; step < 4; step++) {
            learn(fixture.scope(), task, parameters, judges, step);
          }
          Map<String, float[]> after = fixture.values();
          RateWindow.Slopes slopes = window.end(0);
          Map<String, RowGradient> gradients = judge.compute(judges, null, 0).gradients();
          double expected = 0;
          for (String name : List.of("user.id", "user.bias")) {
            RowGradient gradient = Objects.requireNonNull(gradients.get(name));
            float[] from = Objects.requireNonNull(before.get(name));
            float[] to = Objects.requireNonNull(after.get(name));
            int width = gradient.dimension();
            for (int d = 0; d < gradient.size() * width; d++) {
              int at = gradient.rows()[d / width] * width + d % width;
              expected += gradient.gradient()[d] * ((double) to[at] - from[at]);
            }
          }
          RateWindow.Slope slope =
              Objects.requireNonNull(slopes.byGroup().get(NamedParameter.Group.USER));
          assertThat(slope.product()).isCloseTo(expected, within(1e-9)).isNegative();
          return true;
        });
  }

  /** Accumulators so large that a step hardly changes the diagonal, which is held fixed. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void slopesByTypesAreThoseOfTheWholeStep(long seed) {
    double[] outputs = {0.3, 0.5, 0.6};
    World exact = new World(seed, outputs);
    double[] slopes = exact.slopes;
    double size = Arrays.stream(slopes).map(Math::abs).max().orElseThrow();
    assertThat(slopes).hasSize(3);
    assertThat(Arrays.stream(slopes).sum()).isCloseTo(0, within(1e-3 * size));
    double h = 0.1;
    for (int t = 0; t < outputs.length; t++) {
      double[] up = outputs.clone();
      double[] down = outputs.clone();
      up[t] *= Math.exp(h);
      down[t] *= Math.exp(-h);
      double wide = new World(seed, up).metaLoss - new World(seed, down).metaLoss;
      up[t] = outputs[t] * Math.exp(h / 2);
      down[t] = outputs[t] * Math.exp(-h / 2);
      double narrow = new World(seed, up).metaLoss - new World(seed, down).metaLoss;
      double difference = (4 * narrow / h - wide / (2 * h)) / 3;
      assertThat(slopes[t]).as("type %d", t).isCloseTo(difference, within(1e-3 * size));
    }
  }

  /** One weighted step from a model of its own, and the meta loss behind it. */
  private static final class World {
    private static final float STIFF = 1e4f;

    private final double[] slopes;
    private final double metaLoss;

    World(long seed, double[] outputs) {
      SamplingOptions sampling =
          SamplingOptions.builder().objective(Objective.BPR).negatives(3).build();
      Random random = new Random(seed);
      Interactions rows = types(random);
      try (Fixture fixture = TensorThreads.call(() -> new Fixture(rows, IDS, sampling, seed))) {
        TwoTowerTask task = fixture.task();
        FactorForm form = Objects.requireNonNull(task.closedForm());
        TrainingOptions options =
            TrainingOptions.builder().userLearningRate(0).itemLearningRate(0).build();
        ModelParameters parameters =
            new ModelParameters(fixture.scope(), task.parameters(), options);
        int[] all = ExampleWeighting.range(0, rows.size());
        float[] many = new float[all.length];
        Arrays.fill(many, STIFF);
        for (int step = 0; step < 3; step++) {
          parameters.update(form.compute(all, many, step).gradients(), all.length, 1);
        }
        parameters.setRate(NamedParameter.Group.USER, STIFF);
        parameters.setRate(NamedParameter.Group.ITEM, STIFF);
        EventTypeWeights objectives = new EventTypeWeights(rows);
        float[] weights = objectives.weights(outputs);
        TwoTowerTask judge = task.over(rows, 77);
        FactorForm judgeForm = Objects.requireNonNull(judge.closedForm());
        float[] each = objectives.ofRows(all, weights);
        LookAhead.Slopes ahead =
            LookAhead.of(fixture.scope(), task, judge, null, parameters)
                .slopes(all, each, all, new int[0], 9, 1);
        slopes = objectives.slopes(all, ahead.perRow(), weights);
        parameters.update(form.compute(all, each, 9).gradients(), all.length, 1);
        metaLoss = new FactorMetaGradient(judgeForm).loss(all, 9);
        assertThat(ahead.metaLoss()).isCloseTo(metaLoss, within(1e-6));
      }
    }

    private static Interactions types(Random random) {
      EventType[] types = {EventType.CLICK, EventType.CART, EventType.PURCHASE};
      Interactions.Builder rows =
          Interactions.builder(Fixture.ids("u", Fixture.USERS), Fixture.ids("i", Fixture.ITEMS));
      for (int row = 0; row < 90; row++) {
        rows.add(
            random.nextInt(Fixture.USERS),
            random.nextInt(Fixture.ITEMS),
            types[random.nextInt(6) / 2 * random.nextInt(2)],
            Float.NaN,
            1,
            Event.NO_TIME,
            InteractionFeatures.UNKNOWN);
      }
      return rows.build();
    }
  }
}
