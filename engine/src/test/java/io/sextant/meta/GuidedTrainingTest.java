package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.Scope;
import io.sextant.train.NoisyGroups;
import io.sextant.train.NoisyWalks;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.SequenceSampling;
import io.sextant.train.TrainingOptions;
import io.sextant.train.WeightReport;
import io.sextant.train.WeightingOptions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GuidedTrainingTest {

  private static final RankingMetric METRIC = RankingMetric.ndcg(10);
  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  @ParameterizedTest
  @EnumSource(GuidedTraining.Mode.class)
  void weightsThatPayAreKeptAndImproveTheTest(GuidedTraining.Mode mode) {
    NoisyGroups data = new NoisyGroups(1, true);
    try (GuidedTraining.Result result = fit(mode, data)) {
      assertThat(result.report().outcome()).isEqualTo(WeightReport.Outcome.LEARNED);
      assertThat(result.fits().differences()).containsOnlyKeys(METRIC.toString());
      assertThat(result.fits().pays()).isTrue();
      assertThat(result.fits().kept())
          .isSameAs(result.fits().guided())
          .isNotSameAs(result.fits().plain());
      assertThat(ndcg(result.fits().guided(), data))
          .isGreaterThan(ndcg(result.fits().plain(), data));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void weightsThatDoNotPayAreNotKept(long seed) {
    NoisyGroups data = new NoisyGroups(seed, false);
    try (GuidedTraining.Result result = fit(GuidedTraining.Mode.FREEZE_AND_RETRAIN, data)) {
      assertThat(result.fits().pays()).as("seed %d", seed).isFalse();
      assertThat(result.fits().kept()).isSameAs(result.fits().plain());
    }
  }

  @Test
  void neighboursTakeTheFrozenWeights() {
    NoisyGroups data = new NoisyGroups(2, true);
    GuidedTraining training = training(GuidedTraining.Mode.FREEZE_AND_RETRAIN);
    try (GuidedTraining.Result result =
        training.fit(
            ItemNeighbours.cosine(), context(data), data.features, data.metaSet, data.guardSet)) {
      assertThat(ndcg(result.fits().guided(), data))
          .isGreaterThan(ndcg(result.fits().plain(), data));
    }
  }

  @Test
  void weightsAreLearnedOnceForAnyStrategy() {
    NoisyGroups data = new NoisyGroups(3, true);
    GuidedTraining training = training(GuidedTraining.Mode.FREEZE_AND_RETRAIN);
    GuidedTraining.Learned learned =
        training.learn(context(data), data.features, data.metaSet, data.guardSet);
    assertThat(learned.isLearned()).isTrue();
    try (GuidedTraining.Result factors = retrain(training, strategy(), data, learned);
        GuidedTraining.Result neighbours =
            retrain(training, ItemNeighbours.cosine(), data, learned);
        GuidedTraining.Result together =
            training.fit(strategy(), context(data), data.features, data.metaSet, data.guardSet)) {
      assertThat(factors.weights()).isEqualTo(together.weights());
      assertThat(factors.fits().differences()).isEqualTo(together.fits().differences());
      assertThat(ndcg(factors.fits().guided(), data))
          .isEqualTo(ndcg(together.fits().guided(), data));
      assertThat(ndcg(neighbours.fits().guided(), data))
          .isGreaterThan(ndcg(neighbours.fits().plain(), data));
    }
  }

  /** What is held back of the events is weighed by what was learned of the others. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void rowsThatAreNotLearnedFromAreWeighedAllTheSame(long seed) {
    NoisyGroups data = new NoisyGroups(seed, true);
    float[] mask = new float[data.train.size()];
    for (int row = 0; row < mask.length; row++) {
      mask[row] = row % 3 == 0 ? 0 : 1;
    }
    GuidedTraining.Learned learned =
        training(GuidedTraining.Mode.FREEZE_AND_RETRAIN)
            .learn(
                context(data).withInteractions(data.train.reweighted(mask)),
                data.features,
                data.metaSet,
                data.guardSet);
    double[] sums = new double[2];
    int[] counts = new int[2];
    for (int row = 0; row < mask.length; row += 3) {
      sums[data.corrupt[row] ? 1 : 0] += learned.weights()[row];
      counts[data.corrupt[row] ? 1 : 0]++;
    }
    assertThat(sums[0] / counts[0]).as("seed %d", seed).isGreaterThan(1.5 * sums[1] / counts[1]);
  }

  private static GuidedTraining.Result retrain(
      GuidedTraining training,
      Strategy strategy,
      NoisyGroups data,
      GuidedTraining.Learned learned) {
    return training.retrain(
        strategy, context(data), null, learned, data.train.concat(data.metaSet), data.guardSet);
  }

  /** Half of the targets are such as nobody means: what is learned from them is ranked first. */
  @ParameterizedTest
  @EnumSource(GuidedTraining.Mode.class)
  void sequencesRankBetterByWeightedTargets(GuidedTraining.Mode mode) {
    double[] gains = new double[2];
    for (int s = 0; s < gains.length; s++) {
      NoisyWalks data = new NoisyWalks(s + 1, true);
      try (GuidedTraining.Result result = fit(mode, data)) {
        assertThat(WeightReport.separation(data.train, result.weights(), data.corrupt).weightAuc())
            .as("seed %d", s + 1)
            .isGreaterThan(0.8);
        assertThat(result.fits().pays()).as("seed %d", s + 1).isTrue();
        gains[s] = ndcg(result.fits().kept(), data) - ndcg(result.fits().plain(), data);
      }
    }
    assertThat(Arrays.stream(gains).average().orElseThrow())
        .as("gains %s", Arrays.toString(gains))
        .isGreaterThan(0.05);
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource(GuidedTraining.Mode.class)
  void sequencesRankNoWorseWhereNothingTellsTargetsApart(GuidedTraining.Mode mode) {
    double[] gains = new double[3];
    for (int s = 0; s < gains.length; s++) {
      NoisyWalks data = new NoisyWalks(s + 1, false);
      try (GuidedTraining.Result result = fit(mode, data)) {
        gains[s] = ndcg(result.fits().kept(), data) - ndcg(result.fits().plain(), data);
      }
    }
    assertThat(Arrays.stream(gains).average().orElseThrow())
        .as("gains %s", Arrays.toString(gains))
        .isGreaterThan(-0.02);
  }

  private static GuidedTraining.Result fit(GuidedTraining.Mode mode, NoisyWalks data) {
    WeightingOptions options =
        WeightingOptions.builder().every(1).learningRate(0.03f).warmUpEpochs(3).build();
    return new GuidedTraining(mode, sequences(12), options, METRIC)
        .fit(
            sequences(15),
            FitContext.of(Device.cpu(), Dataset.of(data.train)),
            data.features,
            data.metaSet,
            data.guardSet);
  }

  private static SequenceStrategy sequences(int epochs) {
    return SequenceStrategy.of(
        SequenceOptions.builder().dimension(16).historyLength(8).hidden(16).dropout(0.1f).build(),
        SequenceSampling.builder().negatives(40).inBatch(0).build(),
        SequenceStrategy.trainingDefaults()
            .epochs(epochs)
            .batchSize(32)
            .learningRate(0.01f)
            .itemLearningRate(0.01f)
            .patience(0)
            .build());
  }

  private static double ndcg(FittedStrategy strategy, NoisyWalks data) {
    try (Ranker ranker = new Ranker()) {
      return ranker.evaluate(strategy, data.train, data.test, List.of(METRIC)).mean(METRIC);
    }
  }

  @Test
  void whatIsNotTrainedByGradientsCannotLearnJointly() {
    NoisyGroups data = new NoisyGroups(2, true);
    assertThatThrownBy(
            () ->
                training(GuidedTraining.Mode.JOINT)
                    .fit(
                        ItemNeighbours.cosine(),
                        context(data),
                        data.features,
                        data.metaSet,
                        data.guardSet))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("freeze the weights and retrain");
  }

  @Test
  void theFitThatIsTakenOutlivesTheOther() {
    NoisyGroups data = new NoisyGroups(1, true);
    GuidedTraining.Result result = fit(GuidedTraining.Mode.FREEZE_AND_RETRAIN, data);
    try (FittedStrategy taken = result.fits().take()) {
      assertThat(taken).isSameAs(result.fits().kept());
      assertThat(ndcg(taken, data)).isPositive();
    }
  }

  private static GuidedTraining.Result fit(GuidedTraining.Mode mode, NoisyGroups data) {
    return training(mode)
        .fit(strategy(), context(data), data.features, data.metaSet, data.guardSet);
  }

  private static GuidedTraining training(GuidedTraining.Mode mode) {
    WeightingOptions options =
        WeightingOptions.builder().every(1).learningRate(0.03f).metaBatchSize(256).build();
    return new GuidedTraining(mode, strategy(), options, METRIC);
  }

  private static TwoTowerStrategy strategy() {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(8).build(),
        SamplingOptions.builder().objective(Objective.BPR).negatives(3).build(),
        TrainingOptions.builder().epochs(8).batchSize(256).patience(0).build());
  }

  private static FitContext context(NoisyGroups data) {
    return FitContext.of(Device.cpu(), Dataset.of(data.train));
  }

  private static double ndcg(FittedStrategy strategy, NoisyGroups data) {
    Interactions history = data.train;
    try (Ranker ranker = new Ranker()) {
      return ranker.evaluate(strategy, history, data.test, List.of(METRIC)).mean(METRIC);
    }
  }
}
