package io.sextant.strategy;

import io.sextant.nn.FewShotOptions;
import io.sextant.train.TrainingOptions;

final class FewShotContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return FewShotStrategy.of(
            new FewShotSettings(
                FewShotOptions.builder()
                    .items(FewShotOptions.Items.TUNED)
                    .episodes(FewShotOptions.Episodes.ANY)
                    .maxEvents(SEEN)
                    .build(),
                TrainingOptions.builder()
                    .epochs(40)
                    .batchSize(16)
                    .learningRate(0.01f)
                    .itemLearningRate(0.01f)
                    .build()),
            Als.builder().factors(8).build())
        .withSeed(seed);
  }
}
