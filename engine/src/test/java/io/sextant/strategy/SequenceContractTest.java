package io.sextant.strategy;

import io.sextant.nn.SequenceOptions;
import io.sextant.train.SequenceSampling;

final class SequenceContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return SequenceStrategy.of(
        SequenceOptions.builder()
            .dimension(16)
            .heads(2)
            .hidden(32)
            .historyLength(8)
            .distances(true)
            .build(),
        SequenceSampling.builder().negatives(20).build(),
        SequenceStrategy.trainingDefaults()
            .epochs(30)
            .batchSize(10)
            .learningRate(5e-3f)
            .itemLearningRate(5e-3f)
            .seed(seed)
            .build());
  }
}
