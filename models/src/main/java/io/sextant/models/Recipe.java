package io.sextant.models;

import io.sextant.InvalidInputException;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.RowOptimizer;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How data are read and which strategies are fitted to them. A section that is left out means that
 * strategy is not fitted; a key that is left out keeps its default.
 *
 * @param data how events and features are read
 * @param popularity all-time popularity, if wanted
 * @param popularityDecayed popularity that decays with time, if wanted
 * @param twoTower the two-tower model, if wanted
 */
public record Recipe(
    Data data,
    @Nullable PopularitySection popularity,
    @Nullable DecayedSection popularityDecayed,
    @Nullable TwoTowerSection twoTower) {

  public Recipe {
    if (popularity == null && popularityDecayed == null && twoTower == null) {
      throw new InvalidInputException(
          "a recipe needs at least one strategy: [popularity], [popularityDecayed] or [twoTower]");
    }
    data = Optional.ofNullable(data).orElseGet(() -> new Data(null, null, null, null, null));
  }

  /**
   * The section {@code [data]}.
   *
   * @param format of the events
   * @param userFeatures form of the file of user features: header, header-tsv, movielens or none
   * @param itemFeatures form of the file of item features: header, header-tsv, movielens or none
   * @param minUserEvents users with fewer events are left out
   * @param minItemEvents items with fewer events are left out
   */
  public record Data(
      @Nullable String format,
      @Nullable String userFeatures,
      @Nullable String itemFeatures,
      @Nullable Integer minUserEvents,
      @Nullable Integer minItemEvents) {}

  /** The section {@code [popularity]}, which has no keys. */
  public record PopularitySection() {}

  /** The section {@code [popularityDecayed]}. */
  public record DecayedSection(double halfLifeDays) {}

  /** The section {@code [twoTower]}; see the options of the engine for each key. */
  public record TwoTowerSection(
      @Nullable Integer dimension,
      @Nullable Boolean userIds,
      TwoTowerOptions.@Nullable History history,
      @Nullable Integer historyLength,
      @Nullable Float historyDecay,
      @Nullable Float historyPower,
      @Nullable Boolean lastItem,
      @Nullable List<Integer> hidden,
      TwoTowerOptions.@Nullable Similarity similarity,
      @Nullable Float temperature,
      @Nullable Boolean biases,
      @Nullable Float initStd,
      @Nullable Boolean itemStatistics,
      @Nullable Objective objective,
      @Nullable Integer negatives,
      @Nullable Float popularityPower,
      @Nullable Boolean inBatch,
      @Nullable Boolean logQ,
      @Nullable Boolean excludeSeen,
      @Nullable Float idDropout,
      @Nullable Float itemIdDropout,
      SamplingOptions.@Nullable HistoryView historyView,
      @Nullable Double recencyHalfLifeDays,
      @Nullable Integer epochs,
      @Nullable Integer batchSize,
      @Nullable Float learningRate,
      @Nullable Float userLearningRate,
      @Nullable Float itemLearningRate,
      RowOptimizer.@Nullable Kind rowOptimizer,
      @Nullable Float l2,
      @Nullable Float weightDecay,
      @Nullable Double clipNorm,
      @Nullable Schedule schedule,
      @Nullable Integer patience,
      @Nullable String validationMetric) {

    TwoTowerStrategy strategy(long seed) {
      TwoTowerOptions.Builder shape = TwoTowerOptions.builder();
      set(dimension, shape::dimension);
      set(userIds, shape::userIds);
      set(history, shape::history);
      set(historyLength, shape::historyLength);
      set(historyDecay, shape::historyDecay);
      set(historyPower, shape::historyPower);
      set(lastItem, shape::lastItem);
      set(hidden, shape::hidden);
      set(similarity, shape::similarity);
      set(temperature, shape::temperature);
      set(biases, shape::biases);
      set(initStd, shape::initStd);
      SamplingOptions.Builder sampling = SamplingOptions.builder();
      set(objective, sampling::objective);
      set(negatives, sampling::negatives);
      set(popularityPower, sampling::popularityPower);
      set(inBatch, sampling::inBatch);
      set(logQ, sampling::logQ);
      set(excludeSeen, sampling::excludeSeen);
      set(idDropout, sampling::idDropout);
      set(itemIdDropout, sampling::itemIdDropout);
      set(historyView, sampling::history);
      set(recencyHalfLifeDays, sampling::recencyHalfLifeDays);
      TrainingOptions.Builder training = TrainingOptions.builder().seed(seed);
      set(epochs, training::epochs);
      set(batchSize, training::batchSize);
      set(learningRate, training::learningRate);
      set(userLearningRate, training::userLearningRate);
      set(itemLearningRate, training::itemLearningRate);
      set(rowOptimizer, training::rowOptimizer);
      set(l2, training::l2);
      set(weightDecay, training::weightDecay);
      set(clipNorm, training::clipNorm);
      set(schedule, training::schedule);
      set(patience, training::patience);
      TwoTowerStrategy strategy =
          TwoTowerStrategy.of(shape.build(), sampling.build(), training.build())
              .withItemStatistics(Boolean.TRUE.equals(itemStatistics));
      return validationMetric == null ? strategy : strategy.withValidationMetric(validationMetric);
    }

    private static <T> void set(@Nullable T value, Consumer<T> setter) {
      if (value != null) {
        setter.accept(value);
      }
    }
  }

  /** The strategies in a fixed order: popularity, decayed popularity, two-tower. */
  public List<Strategy> strategies(long seed) {
    List<Strategy> strategies = new ArrayList<>();
    if (popularity != null) {
      strategies.add(Popularity.allTime());
    }
    if (popularityDecayed != null) {
      strategies.add(new Popularity("popularity-decayed", popularityDecayed.halfLifeDays()));
    }
    if (twoTower != null) {
      strategies.add(twoTower.strategy(seed));
    }
    return List.copyOf(strategies);
  }
}
