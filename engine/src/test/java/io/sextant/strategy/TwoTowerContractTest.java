package io.sextant.strategy;

import io.sextant.nn.TwoTowerOptions;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;

final class TwoTowerContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder()
            .dimension(8)
            .history(TwoTowerOptions.History.SHARED)
            .biases(true)
            .build(),
        SamplingOptions.builder()
            .negatives(20)
            .idDropout(0.5f)
            .history(SamplingOptions.HistoryView.OTHERS)
            .build(),
        TrainingOptions.builder().epochs(30).batchSize(64).seed(seed).build());
  }
}
