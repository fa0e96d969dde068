package io.sextant.strategy;

import io.sextant.nn.SequenceOptions;
import io.sextant.train.SequenceSampling;

final class SequenceContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return strategy(seed, SequenceSampling.builder().negatives(20).build());
  }

  @Override
  Strategy withoutDraws(long seed) {
    return strategy(seed, SequenceSampling.builder().negatives(0).build());
  }

  private static Strategy strategy(long seed, SequenceSampling sampling) {
    return SequenceStrategy.of(
        SequenceOptions.builder()
            .dimension(16)
            .heads(2)
            .hidden(32)
            .historyLength(8)
            .distances(true)
            .build(),
        sampling,
        SequenceStrategy.trainingDefaults()
            .epochs(30)
            .batchSize(10)
            .learningRate(5e-3f)
            .itemLearningRate(5e-3f)
            .seed(seed)
            .build());
  }
}
