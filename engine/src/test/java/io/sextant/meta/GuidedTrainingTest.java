package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.Scope;
import io.sextant.train.NoisyGroups;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import io.sextant.train.WeightReport;
import io.sextant.train.WeightingOptions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
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
      assertThat(result.differences()).containsOnlyKeys(METRIC.toString());
      assertThat(result.pays()).isTrue();
      assertThat(result.kept()).isSameAs(result.weighted()).isNotSameAs(result.plain());
      assertThat(ndcg(result.weighted(), data)).isGreaterThan(ndcg(result.plain(), data));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void weightsThatDoNotPayAreNotKept(long seed) {
    NoisyGroups data = new NoisyGroups(seed, false);
    try (GuidedTraining.Result result = fit(GuidedTraining.Mode.FREEZE_AND_RETRAIN, data)) {
      assertThat(result.pays()).as("seed %d", seed).isFalse();
      assertThat(result.kept()).isSameAs(result.plain());
    }
  }

  @Test
  void neighboursTakeTheFrozenWeights() {
    NoisyGroups data = new NoisyGroups(2, true);
    GuidedTraining training = training(GuidedTraining.Mode.FREEZE_AND_RETRAIN);
    try (GuidedTraining.Result result =
        training.fit(
            ItemNeighbours.cosine(), context(data), data.features, data.metaSet, data.guardSet)) {
      assertThat(ndcg(result.weighted(), data)).isGreaterThan(ndcg(result.plain(), data));
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
      assertThat(factors.differences()).isEqualTo(together.differences());
      assertThat(ndcg(factors.weighted(), data)).isEqualTo(ndcg(together.weighted(), data));
      assertThat(ndcg(neighbours.weighted(), data)).isGreaterThan(ndcg(neighbours.plain(), data));
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

  @Test
  void onlyTwoTowersLearnJointly() {
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
    try (FittedStrategy taken = result.take()) {
      assertThat(taken).isSameAs(result.kept());
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
