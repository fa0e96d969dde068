package io.sextant.train;

import static io.sextant.train.Steered.assertEqualBits;
import static io.sextant.train.Steered.sequenceOptions;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import io.sextant.SextantException;
import io.sextant.data.Interactions;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.SequenceEncoder;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Policies that steer the training of sequence models, whose examples have many targets. */
class SequenceWeightingTest {

  private static final WeightingOptions LEARNING =
      WeightingOptions.builder().every(1).learningRate(0.03f).warmUpEpochs(3).build();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void aTellingFeatureSeparatesMeantTargetsFromAccidental(long seed) {
    NoisyWalks data = new NoisyWalks(seed, true);
    ExampleWeighting policy = weighting(data, LEARNING);
    Steered.by(policy).trainSequences(data.train, sequenceOptions(12, 0.01f));
    WeightReport report = policy.report();
    assertThat(report.outcome()).as("seed %d", seed).isEqualTo(WeightReport.Outcome.LEARNED);
    WeightReport.Separation found =
        WeightReport.separation(data.train, policy.weights(), data.corrupt);
    assertThat(found.weightAuc()).as("seed %d", seed).isGreaterThan(0.85);
    assertThat(found.popularityAuc()).isBetween(0.4, 0.6);
    assertThat(report.features().get(0).name()).isEqualTo("telling");
  }

  @Test
  void aPolicyThatIsOffChangesNoBit() {
    NoisyWalks data = new NoisyWalks(1, true);
    TrainingOptions options = sequenceOptions(2, 0.01f);
    ExampleWeighting off = weighting(data, WeightingOptions.builder().warmUpEpochs(2).build());
    Map<String, float[]> with = Steered.by(off).trainSequences(data.train, options);
    assertEqualBits(with, Steered.by().trainSequences(data.train, options));
    assertThat(off.report().outcome()).isEqualTo(WeightReport.Outcome.NOT_BEGUN);
    ExampleWeighting on = weighting(data, WeightingOptions.builder().warmUpEpochs(1).build());
    assertThat(Steered.by(on).trainSequences(data.train, options).get("item.id"))
        .isNotEqualTo(with.get("item.id"));
  }

  @Test
  void aResumedRunEndsWithTheSameBits(@TempDir Path folder) {
    NoisyWalks data = new NoisyWalks(2, true);
    TrainingOptions options = sequenceOptions(6, 0.01f);
    ExampleWeighting whole = weighting(data, LEARNING);
    Map<String, float[]> expected = Steered.by(whole).trainSequences(data.train, options);
    Path file = folder.resolve("checkpoint");
    Steered killed = Steered.by(weighting(data, LEARNING)).saved(file, false).killedAt(65);
    assertThatThrownBy(() -> killed.trainSequences(data.train, options))
        .isInstanceOf(SextantException.class)
        .hasMessageContaining("interrupted");
    ExampleWeighting resumed = weighting(data, LEARNING);
    assertEqualBits(
        Steered.by(resumed).saved(file, true).trainSequences(data.train, options), expected);
    assertThat(resumed.weights()).isEqualTo(whole.weights());
    assertThat(resumed.report()).isEqualTo(whole.report());
  }

  @Test
  void thePolicyMaySeeTheLossAlsoOfRowsThatAreNoTarget() {
    NoisyWalks data = new NoisyWalks(3, true);
    ExampleFeatures all =
        new ExampleFeatures(
            ExampleFeatures.Columns.NONE,
            ExampleFeatures.Columns.NONE,
            data.features.interactions(),
            true);
    ExampleWeighting policy = new ExampleWeighting(LEARNING, all, data.metaSet, null);
    Steered.by(policy).trainSequences(data.train, sequenceOptions(6, 0.01f));
    assertThat(policy.report().features())
        .extracting(WeightReport.Feature::name)
        .containsExactlyInAnyOrder("telling", "noise", "loss");
    for (float weight : policy.weights()) {
      assertThat(weight).isFinite();
    }
  }

  @Test
  void aWeightOfATargetActsAsTheWeightOfItsInteraction() {
    NoisyWalks data = new NoisyWalks(4, true);
    float[] factors = new float[data.train.size()];
    for (int row = 0; row < factors.length; row++) {
      factors[row] = row % 7 / 3f;
    }
    with(
        data.train,
        model -> {
          SequenceTask weighted = model.again(data.train.reweighted(factors));
          int[] examples = {3, 100, 17, 44};
          try (Scope step = model.scope.child()) {
            SequenceBatch batch = model.task.prepare(step, examples, 9);
            float[] ofRows = new float[model.task.rowWeights(batch).length];
            int[] rows = model.task.rowsOf(examples);
            for (int p = 0; p < rows.length; p++) {
              ofRows[p] = factors[rows[p]];
            }
            float[] expected = model.loss(weighted, weighted.prepare(step, examples, 9), step);
            assertThat(model.loss(model.task, model.task.weighed(step, batch, ofRows), step))
                .containsExactly(expected, within(1e-6f));
            assertThat(model.loss(model.task, batch, step)).isNotEqualTo(expected);
          }
        });
  }

  /** Every target is in one example, and the sum of rows' losses is the example's. */
  @Test
  void rowsAndExamplesFindEachOther() {
    NoisyWalks data = new NoisyWalks(5, true);
    with(
        data.train,
        model -> {
          int[] all = ExampleWeighting.range(0, model.task.numExamples());
          int[] rows = model.task.rowsOf(all);
          assertThat(rows).doesNotHaveDuplicates().hasSize(data.train.size() - NoisyWalks.USERS);
          for (int example : new int[] {0, 1, 50, all.length - 1}) {
            int[] own = model.task.rowsOf(new int[] {example});
            assertThat(model.task.examplesOf(own)).containsExactly(example);
            try (Scope step = model.scope.child()) {
              SequenceBatch batch = model.task.prepare(step, new int[] {example}, 3);
              float[] losses = model.task.rowLosses(model.values(step, batch), batch);
              float[] weights = model.task.rowWeights(batch);
              double sum = 0;
              for (int p = 0; p < own.length; p++) {
                sum += (double) losses[p] * weights[p];
              }
              assertThat((double) model.loss(model.task, batch, step)[0])
                  .isCloseTo(sum, within(1e-4 * sum));
            }
          }
          assertThat(model.task.examplesOf(new int[] {data.train.start(7)})).isEmpty();
        });
  }

  /** Central differences of the meta loss behind the whole step, as for towers. */
  @Test
  void slopesAgreeWithDifferencesOfTheUnrolledStep() {
    NoisyWalks data = new NoisyWalks(6, true);
    with(
        data.train,
        model -> {
          MetaRows metaRows = MetaRows.of("meta set", data.train, data.metaSet);
          SequenceTask meta = model.task.over(metaRows.interactions(), 8);
          ModelParameters parameters =
              new ModelParameters(
                  model.scope,
                  model.task.parameters(),
                  TrainingOptions.builder().learningRate(0.01f).build());
          // Accumulators so large that one more gradient hardly changes the optimizers' diagonals,
          // which the derivatives hold fixed.
          Random random = new Random(6);
          for (int step = 0; step < 40; step++) {
            model.learn(parameters, random.ints(16, 0, model.task.numExamples()).toArray(), step);
          }
          int[] examples = {5, 9, 60, 61, 250, 299};
          int[] judges = meta.examplesOf(ExampleWeighting.range(0, data.train.size()));
          float[] weights = new float[model.task.rowsOf(examples).length];
          Arrays.fill(weights, 1);
          LookAhead lookAhead = LookAhead.of(model.scope, model.task, meta, null, parameters);
          int[] none = {};
          float[] slopes = lookAhead.slopes(examples, weights, judges, none, 50, 1).perRow();
          double[] exact = new double[slopes.length];
          double[] differences = new double[slopes.length];
          for (int p = 0; p < slopes.length; p++) {
            exact[p] = slopes[p];
            float[] moved = weights.clone();
            moved[p] = 1.5f;
            double up = lookAhead.slopes(examples, moved, judges, none, 50, 1).metaLoss();
            moved[p] = 0.5f;
            differences[p] = up - lookAhead.slopes(examples, moved, judges, none, 50, 1).metaLoss();
          }
          double size = Arrays.stream(exact).map(Math::abs).max().orElseThrow();
          assertThat(size).isPositive();
          // What remains of the diagonals' change, of float32 and of the differences' own error.
          assertThat(differences).containsExactly(exact, within(0.1 * size));
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void ratesFarTooLowRise(long seed) {
    NoisyWalks data = new NoisyWalks(seed, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicy policy =
        new StepPolicy(
            StepPolicyOptions.builder().windows(2).metaBatchSize(1000).build(),
            data.metaSet,
            data.guardSet);
    Steered.by(policy).trainSequences(clean, sequenceOptions(6, 3e-4f));
    StepPolicyReport report = policy.report();
    assertThat(report.outcome()).isEqualTo(StepPolicyReport.Outcome.LEARNED);
    assertThat(report.rates().dense()).as("seed %d", seed).isGreaterThan(1.5 * 3e-4);
    assertThat(report.rates().item()).as("seed %d", seed).isGreaterThan(1.5 * 3e-4);
    // No table is of users.
    assertThat(report.rates().user()).isCloseTo(report.start().user(), within(1e-9));
  }

  private static ExampleWeighting weighting(NoisyWalks data, WeightingOptions options) {
    return new ExampleWeighting(options, data.features, data.metaSet, data.guardSet);
  }

  private static void with(Interactions rows, Consumer<Model> work) {
    TensorThreads.run(
        () -> {
          try (Model model = new Model(rows)) {
            work.accept(model);
          }
        });
  }

  /** An encoder with its task. */
  private static final class Model implements AutoCloseable {
    final Scope scope = Scope.open(Device.cpu());
    final SequenceEncoder encoder;
    final SequenceTask task;

    Model(Interactions rows) {
      encoder = new SequenceEncoder(scope, rows.numItems(), Steered.SEQUENCES, 1);
      task = again(rows);
    }

    /** The same model and draws over other rows. */
    SequenceTask again(Interactions rows) {
      SequenceSampling sampling = SequenceSampling.builder().negatives(20).inBatch(9).build();
      return new SequenceTask(scope, encoder, rows, sampling, 1);
    }

    ParameterValues values(Scope step, SequenceBatch batch) {
      return new ModelParameters(step, task.parameters(), sequenceOptions(1, 0.01f))
          .leaves(step, batch)
          .values();
    }

    float[] loss(SequenceTask which, SequenceBatch batch, Scope step) {
      return HostArrays.toFloats(which.loss(values(step, batch), batch));
    }

    void learn(ModelParameters parameters, int[] examples, long step) {
      try (Scope inner = scope.child()) {
        SequenceBatch batch = task.prepare(inner, examples, step);
        ModelParameters.Leaves leaves = parameters.leaves(inner, batch);
        try (Grad grad = Grad.record()) {
          grad.backward(task.loss(leaves.values(), batch).mean());
        }
        parameters.update(inner, batch, leaves, 1);
      }
    }

    @Override
    public void close() {
      scope.close();
    }
  }
}
