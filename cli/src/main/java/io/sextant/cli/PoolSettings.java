package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.ContentNeighbours;
import io.sextant.strategy.Ease;
import io.sextant.strategy.HistoryWeights;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.strategy.UserNeighbours;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * The strategies of the protocols by name, with settings that were chosen on validation parts.
 *
 * @param byName makes a strategy for a seed
 */
record PoolSettings(Map<String, LongFunction<Strategy>> byName) {

  /** For interactions without an order. */
  static PoolSettings unordered(boolean dense) {
    Map<String, LongFunction<Strategy>> byName = new LinkedHashMap<>();
    byName.put("popularity", seed -> Popularity.allTime());
    byName.put("cosine", seed -> ItemNeighbours.cosine());
    byName.put(
        "rp3beta",
        seed ->
            dense
                ? ItemNeighbours.rp3beta().toBuilder()
                    .sourceExponent(0.6)
                    .targetExponent(0.8)
                    .build()
                : ItemNeighbours.rp3beta());
    byName.put(
        "user-neighbours",
        seed ->
            dense
                ? UserNeighbours.nearest().toBuilder().neighbours(200).build()
                : UserNeighbours.nearest());
    byName.put(
        "als",
        seed ->
            dense
                ? Als.builder().unobservedWeight(0.1).l2(0.01).epochs(12).seed(seed).build()
                : Als.builder().factors(192).seed(seed).build());
    byName.put(
        "ease",
        seed ->
            dense
                ? Ease.builder().l2(1000).build()
                : Ease.builder().l2(50).maxItems(12_000).build());
    byName.put(
        "low-pass",
        seed ->
            dense
                ? LowPass.builder().factors(64).filterWeight(0.4).seed(seed).build()
                : LowPass.builder().factors(256).seed(seed).build());
    byName.put("two-tower", seed -> twoTower(seed, dense));
    return new PoolSettings(byName);
  }

  /** For histories in the order of time. */
  static PoolSettings ordered() {
    Map<String, LongFunction<Strategy>> byName = new LinkedHashMap<>();
    byName.put("popularity", seed -> Popularity.allTime());
    byName.put("late-popularity", seed -> Popularity.late());
    byName.put("cosine", seed -> ItemNeighbours.cosine().ordered());
    byName.put("transitions", seed -> SessionTransitions.wide());
    byName.put("next", seed -> SessionTransitions.next());
    byName.put(
        "rp3beta",
        seed ->
            ItemNeighbours.rp3beta().ordered().toBuilder()
                .userExponent(0.5)
                .neighbours(300)
                .build());
    byName.put("session-neighbours", seed -> UserNeighbours.sessions());
    byName.put("content", seed -> ContentNeighbours.attributes().ordered());
    byName.put(
        "als",
        seed ->
            Als.builder()
                .factors(128)
                .unobservedWeight(0.003)
                .l2(0.01)
                .epochs(12)
                .seed(seed)
                .build());
    byName.put("ease", seed -> Ease.builder().l2(200).history(HistoryWeights.RECENT).build());
    byName.put(
        "sequence",
        seed ->
            SequenceStrategy.standard()
                .withTraining(
                    SequenceStrategy.trainingDefaults().epochs(30).patience(0).seed(seed).build()));
    return new PoolSettings(byName);
  }

  /**
   * Some of the strategies, in this order.
   *
   * @param wanted names; empty for all
   */
  List<Strategy> strategies(List<String> wanted, long seed) {
    List<Strategy> strategies = new ArrayList<>();
    for (String name : wanted.isEmpty() ? List.copyOf(byName.keySet()) : wanted) {
      LongFunction<Strategy> maker = byName.get(name);
      if (maker == null) {
        throw new InvalidInputException(
            "unknown strategy '%s'; known: %s".formatted(name, String.join(", ", byName.keySet())));
      }
      strategies.add(maker.apply(seed));
    }
    return strategies;
  }

  /**
   * Matrix factorisation by sampled softmax. Small batches, a large rate that falls to zero and
   * much L2 were the best on the validation part; with a schedule that ends there is nothing to
   * stop.
   */
  private static TwoTowerStrategy twoTower(long seed, boolean dense) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(64).initStd(dense ? 0.05f : 0.1f).build(),
        SamplingOptions.builder().negatives(512).build(),
        TrainingOptions.builder()
            .epochs(dense ? 10 : 14)
            .batchSize(dense ? 2048 : 1024)
            .userLearningRate(0.3f)
            .itemLearningRate(0.3f)
            .l2(dense ? 0.04f : 0.2f)
            .schedule(Schedule.LINEAR)
            .patience(0)
            .seed(seed)
            .build());
  }
}
