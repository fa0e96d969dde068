package io.sextant.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.nn.SequenceOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.RowCacheReport;
import io.sextant.train.SamplingOptions;
import io.sextant.train.SequenceSampling;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingResult;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Strategies whose tables were larger than what the device may hold are as good as others. */
class TableMemoryStrategyTest {

  private static final int USERS = 60;
  private static final int ITEMS = 80;

  @Test
  void towersRankAlike() {
    TwoTowerStrategy strategy =
        TwoTowerStrategy.of(
            TwoTowerOptions.builder().dimension(8).hidden(List.of(4)).biases(true).build(),
            SamplingOptions.builder().negatives(4).build(),
            TrainingOptions.builder().epochs(3).batchSize(8).build());
    TrainingOptions part = options(RowOptimizer.Kind.ADAGRAD).tableMemory(3000).build();
    Interactions data = interactions();
    try (FittedTwoTower whole =
            (FittedTwoTower)
                strategy
                    .withTraining(options(RowOptimizer.Kind.ADAGRAD).build())
                    .fit(context(data));
        FittedTwoTower cached = (FittedTwoTower) strategy.withTraining(part).fit(context(data))) {
      assertAlike(cached, whole, data, cached.trainingResult().orElseThrow());
    }
  }

  @Test
  void sequencesRankAlike() {
    SequenceStrategy strategy =
        SequenceStrategy.of(
            SequenceOptions.builder().dimension(8).hidden(8).historyLength(4).build(),
            SequenceSampling.builder().negatives(4).inBatch(4).build(),
            options(RowOptimizer.Kind.ADAM).build());
    Interactions data = interactions();
    try (FittedSequence whole = strategy.fit(context(data));
        FittedSequence cached =
            strategy
                .withTraining(options(RowOptimizer.Kind.ADAM).tableMemory(6000).build())
                .fit(context(data))) {
      assertAlike(cached, whole, data, cached.trainingResult().orElseThrow());
    }
  }

  private static TrainingOptions.Builder options(RowOptimizer.Kind kind) {
    return TrainingOptions.builder().epochs(3).batchSize(8).rowOptimizer(kind);
  }

  /** With validation, which reads the tables in the middle of training. */
  private static FitContext context(Interactions data) {
    return FitContext.of(Device.cpu(), Dataset.of(data.filter(row -> row % 5 > 0)))
        .withValidation(data.filter(row -> row % 5 == 0));
  }

  private static void assertAlike(
      FittedStrategy cached, FittedStrategy whole, Interactions data, TrainingResult result) {
    assertThat(result.rowCache()).isNotEmpty();
    for (RowCacheReport report : result.rowCache()) {
      assertThat(report.slots()).isLessThan(report.rows());
    }
    List<UserState> users =
        IntStream.range(0, USERS).mapToObj(u -> new UserState(u, data.historyOf(u))).toList();
    try (Ranker ranker = new Ranker()) {
      RankedLists expected = ranker.rank(whole, users, 10);
      RankedLists actual = ranker.rank(cached, users, 10);
      assertThat(actual.items()).isEqualTo(expected.items());
      assertThat(actual.scores()).isEqualTo(expected.scores());
    }
    assertThat(itemVectors(cached)).isEqualTo(itemVectors(whole));
  }

  private static float[] itemVectors(FittedStrategy strategy) {
    return TensorThreads.call(
        () -> HostArrays.toFloats(strategy.dense().orElseThrow().itemVectors()));
  }

  private static Interactions interactions() {
    Random random = new Random(2);
    Interactions.Builder rows = Interactions.builder(ids("u", USERS), ids("i", ITEMS));
    for (int row = 0; row < 300; row++) {
      int item = (int) (ITEMS * Math.pow(random.nextDouble(), 2));
      rows.add(
          random.nextInt(USERS),
          item,
          EventType.VIEW,
          Float.NaN,
          1,
          row,
          InteractionFeatures.UNKNOWN);
    }
    return rows.build();
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }
}
