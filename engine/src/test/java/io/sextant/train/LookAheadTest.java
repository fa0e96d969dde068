package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sextant.data.Interactions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.Grad;
import io.sextant.tensor.RowGradient;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Derivatives by example weights beside the second order, written down in double precision. */
class LookAheadTest {

  private static final TwoTowerOptions SHAPE =
      TwoTowerOptions.builder().dimension(5).biases(true).temperature(0.5f).initStd(0.3f).build();
  private static final int BATCH = 24;
  private static final int[] NONE = {};

  static List<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (Objective objective : List.of(Objective.BPR, Objective.BCE, Objective.SQUARED_ERROR)) {
      for (RowOptimizer.Kind kind : RowOptimizer.Kind.values()) {
        for (long seed = 1; seed <= 3; seed++) {
          settings.add(Arguments.of(objective, kind, seed));
        }
      }
    }
    return settings;
  }

  @ParameterizedTest
  @MethodSource("settings")
  void bothPathsAgreeWithTheSecondOrderAndWithDifferencesOfTheUnrolledStep(
      Objective objective, RowOptimizer.Kind kind, long seed) {
    SamplingOptions sampling = SamplingOptions.builder().objective(objective).negatives(2).build();
    Fixture.with(
        SHAPE,
        sampling,
        seed,
        fixture -> {
          World world = new World(fixture, sampling, kind, seed);
          double[] exact = world.exact();
          double[] differences = world.differences();
          double size = Arrays.stream(exact).map(Math::abs).max().orElseThrow();
          assertThat(size).isPositive();
          assertClose(differences, exact, 1e-6 * size, "differences");
          // float32: rounding of about 1e-5 of the largest, as measured.
          assertClose(world.slopes(world.factor()), exact, 1e-4 * size, "closed form");
          assertClose(world.slopes(world.recorded()), exact, 1e-3 * size, "recorded");
          return true;
        });
  }

  /** What a look-ahead leaves to the real step and to the guard saves time and changes nothing. */
  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"BPR", "BCE", "SQUARED_ERROR"})
  void theRealStepAndTheGuardShareWhatWasDrawnAndScored(Objective objective) {
    SamplingOptions sampling = SamplingOptions.builder().objective(objective).negatives(2).build();
    Fixture.with(
        SHAPE,
        sampling,
        4,
        fixture -> {
          World world = new World(fixture, sampling, RowOptimizer.Kind.ADAGRAD, 4);
          FactorForm form = World.required(world.task.closedForm());
          Map<String, float[]> alone = copied(form.compute(world.examples, world.weights, 9));
          float loss = form.compute(world.examples, world.weights, 9).loss();

          TwoTowerTask guard = world.task.over(world.judge.interactions(), 5);
          LookAhead both =
              new FactorLookAhead(
                  form,
                  World.required(world.judge.closedForm()),
                  World.required(guard.closedForm()),
                  world.parameters);
          both.slopes(world.examples, world.weights, world.judges, world.judges, 9, 1);
          float[] guarded = both.guardSlopes().perRow();
          ClosedForm.Result shared = form.compute(world.examples, world.weights, 9);
          assertThat(shared.loss()).isCloseTo(loss, within(1e-6f * Math.abs(loss)));
          Map<String, float[]> behind = copied(shared);
          alone.forEach(
              (name, gradient) ->
                  assertThat(behind.get(name)).as(name).containsExactly(gradient, within(1e-6f)));

          LookAhead byGuard =
              new FactorLookAhead(form, World.required(guard.closedForm()), null, world.parameters);
          assertThat(guarded)
              .isEqualTo(
                  byGuard.slopes(world.examples, world.weights, world.judges, NONE, 9, 1).perRow());

          // Nothing is left over for a step after the parameters have moved.
          form.compute(world.examples, world.weights, 9);
          world.parameters.update(
              form.compute(world.examples, world.weights, 9).gradients(), BATCH, 1);
          assertThat(form.compute(world.examples, world.weights, 9).loss()).isLessThan(loss);
          return true;
        });
  }

  private static Map<String, float[]> copied(ClosedForm.Result result) {
    Map<String, float[]> copies = new LinkedHashMap<>();
    result
        .gradients()
        .forEach(
            (name, rows) ->
                copies.put(name, Arrays.copyOf(rows.gradient(), rows.size() * rows.dimension())));
    return copies;
  }

  /** Models without a formula: central differences of the meta loss behind the whole step. */
  @ParameterizedTest
  @EnumSource(
      value = Objective.class,
      names = {"SAMPLED_SOFTMAX", "BPR"})
  void towersAgreeWithDifferencesOfTheUnrolledStep(Objective objective) {
    TwoTowerOptions towers =
        TwoTowerOptions.builder()
            .dimension(5)
            .hidden(List.of(6))
            .history(TwoTowerOptions.History.SHARED)
            .historyLength(4)
            .similarity(TwoTowerOptions.Similarity.COSINE)
            .temperature(0.5f)
            .build();
    SamplingOptions sampling =
        SamplingOptions.builder().objective(objective).negatives(4).excludeSeen(false).build();
    Fixture.with(
        towers,
        sampling,
        2,
        fixture -> {
          TwoTowerTask task = fixture.task();
          assertThat(task.closedForm()).isNull();
          TrainingOptions options = TrainingOptions.builder().learningRate(0.02f).build();
          ModelParameters parameters =
              new ModelParameters(fixture.scope(), task.parameters(), options);
          Random random = new Random(2);
          // Accumulators so large that one more gradient hardly changes the optimizers' diagonals,
          // which the derivatives hold fixed.
          for (int step = 0; step < 40; step++) {
            learn(fixture, parameters, random.ints(BATCH, 0, Fixture.ROWS).toArray(), step);
          }
          int[] examples = random.ints(BATCH, 0, Fixture.ROWS).toArray();
          int[] judges = random.ints(BATCH, 0, Fixture.ROWS).toArray();
          float[] weights = new float[BATCH];
          Arrays.fill(weights, 1);
          LookAhead lookAhead =
              new RecordedLookAhead<>(
                  fixture.scope(), task, task.over(task.interactions(), 3), null, parameters);
          int arrays = fixture.scope().manager().getManagedArrays().size();
          double[] exact = new double[BATCH];
          double[] differences = new double[BATCH];
          LookAhead.Slopes slopes = lookAhead.slopes(examples, weights, judges, NONE, 50, 1);
          for (int e = 0; e < BATCH; e++) {
            exact[e] = slopes.perRow()[e];
            float[] moved = weights.clone();
            moved[e] = 1.5f;
            double up = lookAhead.slopes(examples, moved, judges, NONE, 50, 1).metaLoss();
            moved[e] = 0.5f;
            differences[e] = up - lookAhead.slopes(examples, moved, judges, NONE, 50, 1).metaLoss();
          }
          double size = Arrays.stream(exact).map(Math::abs).max().orElseThrow();
          // What remains of the diagonals' change, of float32 and of the differences' own error.
          assertClose(differences, exact, 0.1 * size, objective.toString());
          assertThat(correlation(differences, exact)).isGreaterThan(0.995);
          assertThat(fixture.scope().manager().getManagedArrays()).hasSize(arrays);
          return true;
        });
  }

  private static void learn(
      Fixture fixture, ModelParameters parameters, int[] examples, long step) {
    TwoTowerTask task = fixture.task();
    try (Scope scope = fixture.scope().child()) {
      TwoTowerBatch batch = task.prepare(scope, examples, step);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      try (Grad grad = Grad.record()) {
        grad.backward(task.loss(leaves.values(), batch).mean());
      }
      parameters.update(scope, batch, leaves, 1);
    }
  }

  private static double correlation(double[] a, double[] b) {
    double meanA = Arrays.stream(a).average().orElseThrow();
    double meanB = Arrays.stream(b).average().orElseThrow();
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) * (a[i] - meanA);
      bb += (b[i] - meanB) * (b[i] - meanB);
    }
    return ab / Math.sqrt(aa * bb);
  }

  private static void assertClose(
      double[] actual, double[] expected, double tolerance, String what) {
    for (int e = 0; e < expected.length; e++) {
      assertThat(actual[e]).as("%s, example %d", what, e).isCloseTo(expected[e], within(tolerance));
    }
  }

  /** A model that has learned a little, a batch with weights, and rows that judge it. */
  private static final class World {
    private static final long STEP = 9;

    private final Scope session;
    private final TwoTowerTask task;
    private final TwoTowerTask judge;
    private final ModelParameters parameters;
    private final int[] examples = new int[BATCH];
    private final int[] judges = new int[BATCH];
    private final float[] weights = new float[BATCH];

    private final double[][][] values = new double[4][][];
    private final double[][][] sizes = new double[4][][];
    private final Objective objective;
    private final List<int[]> trainPairs;
    private final List<int[]> judgePairs;

    World(Fixture fixture, SamplingOptions sampling, RowOptimizer.Kind kind, long seed) {
      session = fixture.scope();
      task = fixture.task();
      Interactions rows = task.interactions();
      Random random = new Random(seed);
      float[] kept = new float[rows.size()];
      for (int row = 0; row < kept.length; row++) {
        kept[row] = 0.5f + random.nextFloat();
      }
      judge = task.over(rows.reweighted(kept), 77);
      TrainingOptions options =
          TrainingOptions.builder()
              .rowOptimizer(kind)
              .userLearningRate(0.07f)
              .itemLearningRate(0.2f)
              .build();
      parameters = new ModelParameters(session, task.parameters(), options);
      FactorForm form = required(task.closedForm());
      for (int step = 0; step < STEP; step++) {
        int[] batch = random.ints(BATCH, 0, rows.size()).toArray();
        parameters.update(form.compute(batch, null, step).gradients(), BATCH, 1);
      }
      for (int e = 0; e < BATCH; e++) {
        examples[e] = random.nextInt(rows.size());
        judges[e] = random.nextInt(rows.size());
        weights[e] = 0.1f + 1.8f * random.nextFloat();
      }
      objective = sampling.objective();
      String[] names = {"user.id", "item.id", "user.bias", "item.bias"};
      Map<String, float[]> now = fixture.values();
      trainPairs = pairs(form, examples);
      judgePairs = pairs(required(judge.closedForm()), judges);
      form.compute(examples, weights, STEP);
      form.draw(examples, STEP);
      form.score(examples);
      for (int pair = 0; pair < form.slopes().length && pair < pairCount(form); pair++) {
        form.slopes()[pair] *= weights[pair / form.pairsPerExample];
      }
      Map<String, RowGradient> gradients = form.gradients();
      for (int p = 0; p < 4; p++) {
        int width = p < 2 ? 5 : 1;
        float[] flat = required(now.get(names[p]));
        values[p] = new double[flat.length / width][width];
        sizes[p] = new double[flat.length / width][width];
        for (int i = 0; i < flat.length; i++) {
          values[p][i / width][i % width] = flat[i];
        }
        RowGradient gradient = required(gradients.get(names[p]));
        float[] local = new float[gradient.size() * width];
        parameters.stepSizesOnHost(names[p], gradient, 1, local);
        for (int i = 0; i < local.length; i++) {
          sizes[p][gradient.rows()[i / width]][i % width] = local[i];
        }
      }
    }

    private static int pairCount(FactorForm form) {
      return BATCH * form.pairsPerExample;
    }

    private static <T> T required(@Nullable T value) {
      return Objects.requireNonNull(value);
    }

    LookAhead factor() {
      return new FactorLookAhead(
          required(task.closedForm()), required(judge.closedForm()), null, parameters);
    }

    LookAhead recorded() {
      return new RecordedLookAhead<>(session, task, judge, null, parameters);
    }

    double[] slopes(LookAhead lookAhead) {
      LookAhead.Slopes slopes = lookAhead.slopes(examples, weights, judges, NONE, STEP, 1);
      double[] result = new double[BATCH];
      Arrays.setAll(result, e -> slopes.perRow()[e]);
      assertThat(slopes.metaLoss()).isCloseTo(metaLoss(doubles(weights)), within(1e-5));
      return result;
    }

    /** For each example its pairs (user, item, ...), the positive one first. */
    private List<int[]> pairs(FactorForm form, int[] which) {
      form.draw(which, STEP);
      List<int[]> pairs = new ArrayList<>();
      for (int e = 0; e < which.length; e++) {
        int[] flat = new int[2 * form.pairsPerExample];
        for (int k = 0; k < form.pairsPerExample; k++) {
          int pair = e * form.pairsPerExample + k;
          flat[2 * k] = form.users.rows.row(form.users.ofPair[pair]);
          flat[2 * k + 1] = form.items.rows.row(form.items.ofPair[pair]);
        }
        pairs.add(flat);
      }
      return pairs;
    }

    /** The derivatives: -(1/n) &lt;grad l_i, alpha D grad L_meta(theta')&gt;. */
    double[] exact() {
      double[][][] ahead = ahead(doubles(weights));
      double[][][] v = zeros();
      for (int e = 0; e < BATCH; e++) {
        addGradient(judgePairs.get(e), judges[e], judgeWeight(e) / BATCH, ahead, v);
      }
      double[] exact = new double[BATCH];
      for (int e = 0; e < BATCH; e++) {
        double[][][] g = zeros();
        addGradient(trainPairs.get(e), examples[e], 1.0 / BATCH, values, g);
        for (int p = 0; p < 4; p++) {
          for (int row = 0; row < g[p].length; row++) {
            for (int d = 0; d < g[p][row].length; d++) {
              exact[e] -= g[p][row][d] * sizes[p][row][d] * v[p][row][d];
            }
          }
        }
      }
      return exact;
    }

    /** Central differences of the whole: step with these weights, then the meta loss. */
    double[] differences() {
      double h = 1e-4;
      double[] result = new double[BATCH];
      for (int e = 0; e < BATCH; e++) {
        double[] up = doubles(weights);
        double[] down = up.clone();
        up[e] += h;
        down[e] -= h;
        result[e] = (metaLoss(up) - metaLoss(down)) / (2 * h);
      }
      return result;
    }

    private double metaLoss(double[] w) {
      double[][][] ahead = ahead(w);
      double sum = 0;
      for (int e = 0; e < BATCH; e++) {
        sum += judgeWeight(e) * loss(judgePairs.get(e), judges[e], ahead);
      }
      return sum / BATCH;
    }

    private double judgeWeight(int e) {
      return judge.interactions().weightAt(judges[e]);
    }

    private double[][][] ahead(double[] w) {
      double[][][] g = zeros();
      for (int e = 0; e < BATCH; e++) {
        addGradient(trainPairs.get(e), examples[e], w[e] / BATCH, values, g);
      }
      for (int p = 0; p < 4; p++) {
        for (int row = 0; row < g[p].length; row++) {
          for (int d = 0; d < g[p][row].length; d++) {
            g[p][row][d] = values[p][row][d] - sizes[p][row][d] * g[p][row][d];
          }
        }
      }
      return g;
    }

    private double[][][] zeros() {
      double[][][] zeros = new double[4][][];
      for (int p = 0; p < 4; p++) {
        zeros[p] = new double[values[p].length][values[p][0].length];
      }
      return zeros;
    }

    private static double score(int user, int item, double[][][] at) {
      double product = 0;
      for (int d = 0; d < 5; d++) {
        product += at[0][user][d] * at[1][item][d];
      }
      return product / 0.5 + at[2][user][0] + at[3][item][0];
    }

    private double loss(int[] pairs, int row, double[][][] at) {
      int n = pairs.length / 2 - 1;
      double positive = score(pairs[0], pairs[1], at);
      if (objective == Objective.SQUARED_ERROR) {
        return 0.5 * Math.pow(positive - task.interactions().valueAt(row) + 0.25, 2);
      }
      double sum = objective == Objective.BCE ? Math.log1p(Math.exp(-positive)) : 0;
      for (int k = 1; k <= n; k++) {
        double negative = score(pairs[2 * k], pairs[2 * k + 1], at);
        sum += Math.log1p(Math.exp(negative - (objective == Objective.BPR ? positive : 0)));
      }
      return sum / (objective == Objective.BCE ? n + 1 : n);
    }

    private void addGradient(
        int[] pairs, int row, double factor, double[][][] at, double[][][] into) {
      int n = pairs.length / 2 - 1;
      double positive = score(pairs[0], pairs[1], at);
      if (objective == Objective.SQUARED_ERROR) {
        double error = positive - task.interactions().valueAt(row) + 0.25;
        addSlope(pairs[0], pairs[1], factor * error, at, into);
        return;
      }
      double share = factor / (objective == Objective.BCE ? n + 1 : n);
      double ofPositive = objective == Objective.BCE ? -share / (1 + Math.exp(positive)) : 0;
      for (int k = 1; k <= n; k++) {
        double margin =
            score(pairs[2 * k], pairs[2 * k + 1], at) - (objective == Objective.BPR ? positive : 0);
        double slope = share / (1 + Math.exp(-margin));
        addSlope(pairs[2 * k], pairs[2 * k + 1], slope, at, into);
        ofPositive -= objective == Objective.BPR ? slope : 0;
      }
      addSlope(pairs[0], pairs[1], ofPositive, at, into);
    }

    private static void addSlope(
        int user, int item, double slope, double[][][] at, double[][][] into) {
      for (int d = 0; d < 5; d++) {
        into[0][user][d] += slope * at[1][item][d] / 0.5;
        into[1][item][d] += slope * at[0][user][d] / 0.5;
      }
      into[2][user][0] += slope;
      into[3][item][0] += slope;
    }

    private static double[] doubles(float[] values) {
      double[] result = new double[values.length];
      Arrays.setAll(result, i -> values[i]);
      return result;
    }
  }
}
