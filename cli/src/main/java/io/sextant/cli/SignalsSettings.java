package io.sextant.cli;

import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import io.sextant.train.WeightingOptions;
import java.util.List;

/**
 * Settings of {@link SignalsProtocol}, chosen on the guard slices of seeds that are not reported:
 * those of the strategies by how they rank with equal weights, those of the learner by how they
 * rank with its weights on ml-100k.
 */
final class SignalsSettings {

  private static final int EPOCHS = 20;
  private static final int BATCH = 1024;
  private static final int LEARNER_EPOCHS = 12;

  /** A large batch: more trusted events judge each step of the policy. */
  private static final int LEARNER_BATCH = 4096;

  private static final float LEARNER_L2 = 0.01f;

  private SignalsSettings() {}

  static List<Strategy> strategies(SignalsData data, long seed) {
    float l2 =
        switch (data) {
          case ML_100K -> 0.015f;
          case MOVIETWEETINGS -> 0.03f;
          case RETAILROCKET -> 0.05f;
        };
    Als als =
        Als.builder()
            .factors(32)
            .epochs(10)
            .unobservedWeight(data == SignalsData.ML_100K ? 0.1 : 0.02)
            .l2(0.03)
            .weighted(true)
            .seed(seed)
            .build();
    return List.of(factors(EPOCHS, BATCH, l2, seed), als);
  }

  /** The model beside which weights are learned, and which is thrown away. */
  static TwoTowerStrategy learner(long seed) {
    return factors(LEARNER_EPOCHS, LEARNER_BATCH, LEARNER_L2, seed);
  }

  static WeightingOptions weighting(long seed) {
    return WeightingOptions.builder().every(1).metaBatchSize(2048).seed(seed).build();
  }

  private static TwoTowerStrategy factors(int epochs, int batch, float l2, long seed) {
    return TwoTowerStrategy.of(
            TwoTowerOptions.builder().dimension(32).biases(true).initStd(0.05f).build(),
            SamplingOptions.builder().objective(Objective.BPR).negatives(4).build(),
            TrainingOptions.builder()
                .epochs(epochs)
                .batchSize(batch)
                .userLearningRate(0.1f)
                .itemLearningRate(0.1f)
                .l2(l2)
                .patience(0)
                .seed(seed)
                .build())
        .withValidationMetric("ndcg@50");
  }
}
