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
import io.sextant.strategy.Ranker;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.Scope;
import io.sextant.train.NoisyGroups;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.StepPolicyOptions;
import io.sextant.train.StepPolicyReport;
import io.sextant.train.TrainingOptions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuidedRatesTest {

  private static final RankingMetric METRIC = RankingMetric.ndcg(10);
  private static final StepPolicyReport.Rates USUAL = new StepPolicyReport.Rates(1e-3, 0.1, 0.1);
  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  /** With defaults so slow that whatever is learned is better. */
  @ParameterizedTest
  @CsvSource({"1,.003", "2,.003", "1,5", "2,5"})
  void farStartsEndNearGoodRatesAndAreKept(long seed, float start) {
    NoisyGroups data = new NoisyGroups(seed, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicyReport.Rates slow = new StepPolicyReport.Rates(1e-3, 1e-4, 1e-4);
    try (GuidedRates.Result result =
            guided(slow).fit(strategy(start), context(clean), data.metaSet, data.guardSet);
        FittedStrategy good = strategy(0.1f).fit(context(clean))) {
      assertThat(result.fits().pays()).isTrue();
      assertThat(result.outcome()).isEqualTo(GuidedRates.Outcome.KEPT);
      assertThat(result.rates()).isEqualTo(result.learned());
      assertThat(result.reports()).isNotEmpty();
      assertThat(result.fits().kept()).isSameAs(result.fits().guided());
      assertThat(result.rates())
          .isEqualTo(result.reports().get(result.reports().size() - 1).rates());
      assertThat(result.fits().differences()).containsOnlyKeys(METRIC.toString());
      assertThat(ndcg(result.fits().kept(), data)).isGreaterThan(0.9 * ndcg(good, data));
    }
  }

  @Test
  void whereTheDefaultIsBetterItIsKept() {
    NoisyGroups data = new NoisyGroups(1, true);
    Interactions clean = data.train.filter(row -> !data.corrupt[row]);
    StepPolicyOptions still = StepPolicyOptions.builder().policyRate(1e-9f).build();
    GuidedRates training = new GuidedRates(still, 1, USUAL, METRIC);
    GuidedRates.Result result =
        training.fit(strategy(1e-5f), context(clean), data.metaSet, data.guardSet);
    assertThat(result.outcome()).isEqualTo(GuidedRates.Outcome.WORSE);
    assertThat(result.learned()).isNotEqualTo(USUAL);
    assertThat(result.rates()).isEqualTo(USUAL);
    assertThat(result.objectives()).isEmpty();
    try (FittedStrategy taken = result.fits().take()) {
      assertThat(taken).isSameAs(result.fits().plain());
      assertThat(ndcg(taken, data)).isPositive();
    }
  }

  @Test
  void badRunsAreRefused() {
    assertThatThrownBy(() -> new GuidedRates(StepPolicyOptions.builder().build(), 0, USUAL, METRIC))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("runs must be > 0");
  }

  private static GuidedRates guided(StepPolicyReport.Rates defaults) {
    StepPolicyOptions options = StepPolicyOptions.builder().metaBatchSize(1000).build();
    return new GuidedRates(options, 3, defaults, METRIC);
  }

  private static TwoTowerStrategy strategy(float rate) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(8).build(),
        SamplingOptions.builder().objective(Objective.BPR).negatives(3).build(),
        TrainingOptions.builder()
            .epochs(10)
            .batchSize(256)
            .userLearningRate(rate)
            .itemLearningRate(rate)
            .patience(0)
            .build());
  }

  private static FitContext context(Interactions rows) {
    return FitContext.of(Device.cpu(), Dataset.of(rows));
  }

  private static double ndcg(FittedStrategy strategy, NoisyGroups data) {
    try (Ranker ranker = new Ranker()) {
      return ranker.evaluate(strategy, data.train, data.test, List.of(METRIC)).mean(METRIC);
    }
  }
}
