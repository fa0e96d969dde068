package io.sextant.models;

import io.sextant.InvalidInputException;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MixedLists;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.ContentNeighbours;
import io.sextant.strategy.ContentVectors;
import io.sextant.strategy.Ease;
import io.sextant.strategy.FewShotSettings;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.strategy.UserNeighbours;
import io.sextant.tensor.RowOptimizer;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How data are read, which strategies are fitted to them, and whether a policy mixes them. A
 * section that is left out means that strategy is not fitted; a key that is left out keeps its
 * default. Of most strategies there may be several with different names.
 *
 * @param data how events and features are read
 * @param popularity the same list for everybody, all-time unless it decays
 * @param popularityDecayed popularity that decays with time, if wanted
 * @param transitions what follows what
 * @param itemNeighbours items by co-occurrence
 * @param userNeighbours what similar users did
 * @param content items with the same attributes
 * @param contentVectors items with similar vectors
 * @param als matrix factorisations
 * @param ease linear autoencoders
 * @param lowPass low-pass graph filters
 * @param twoTower the two-tower model, if wanted
 * @param sequence self-attention over the latest items
 * @param meta how the policy is fitted that mixes them; null for no policy
 * @param weights how weights of events are learned; null to learn none
 * @param rates how step sizes are learned; null to take those of the recipe
 */
public record Recipe(
    Data data,
    List<Popularity> popularity,
    @Nullable DecayedSection popularityDecayed,
    List<SessionTransitions> transitions,
    List<ItemNeighbours> itemNeighbours,
    List<UserNeighbours> userNeighbours,
    List<ContentNeighbours> content,
    List<ContentVectors> contentVectors,
    List<Als> als,
    List<Ease> ease,
    List<LowPass> lowPass,
    @Nullable TwoTowerSection twoTower,
    List<SequenceStrategy> sequence,
    @Nullable MetaOptions meta,
    @Nullable WeightsSection weights,
    @Nullable RatesSection rates) {

  /** What a bundle takes as a name; it is also the name of a file. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?");

  /** Names that mean something else in reports and explanations. */
  private static final Set<String> RESERVED = Set.of("policy", MixedLists.BIAS);

  public Recipe {
    data = Optional.ofNullable(data).orElseGet(() -> new Data(null, null, null, null, null, null));
    popularity = orNone(popularity);
    transitions = orNone(transitions);
    itemNeighbours = orNone(itemNeighbours);
    userNeighbours = orNone(userNeighbours);
    content = orNone(content);
    contentVectors = orNone(contentVectors);
    als = orNone(als);
    ease = orNone(ease);
    lowPass = orNone(lowPass);
    sequence = orNone(sequence);
    List<String> names = new ArrayList<>();
    for (List<? extends Strategy> several :
        List.of(
            popularity,
            transitions,
            itemNeighbours,
            userNeighbours,
            content,
            contentVectors,
            als,
            ease,
            lowPass,
            sequence)) {
      several.forEach(strategy -> names.add(strategy.name()));
    }
    if (popularityDecayed != null) {
      names.add(DecayedSection.NAME);
    }
    if (twoTower != null) {
      names.add(TwoTowerSection.NAME);
    }
    checkNames(names);
    if (weights != null) {
      weights.requireTrust();
      weights.requireLearner(sequence);
      checkHeeded(
          twoTower != null
              || Stream.of(sequence, als, itemNeighbours, userNeighbours, transitions)
                  .flatMap(List::stream)
                  .anyMatch(WeightsSection::heeds));
    }
    if (rates != null && twoTower == null && sequence.isEmpty()) {
      throw new InvalidInputException(
          "no strategy of the recipe is trained in steps that [rates] could set: add [twoTower] or [sequence], or leave [rates] out");
    }
  }

  private static void checkHeeded(boolean heeded) {
    if (!heeded) {
      throw new InvalidInputException(
          "no strategy of the recipe heeds [weights]: add [twoTower], [sequence], [itemNeighbours], [userNeighbours], [transitions] or [als] with weighted = true, or leave [weights] out");
    }
  }

  private static <T> List<T> orNone(@Nullable List<T> several) {
    return several == null ? List.of() : List.copyOf(several);
  }

  private static void checkNames(List<String> names) {
    if (names.isEmpty()) {
      throw new InvalidInputException(
          "a recipe needs at least one strategy, such as [popularity], [itemNeighbours] or [twoTower]");
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!NAME.matcher(name).matches() || RESERVED.contains(name)) {
        throw new InvalidInputException(
            "the strategy name '%s' cannot be used: take 1 to 64 of a-z 0-9 . _ - with a letter or digit at both ends, but not %s"
                .formatted(name, RESERVED.stream().sorted().toList()));
      }
      if (!seen.add(name)) {
        throw new InvalidInputException(
            "two strategies are called '%s': give one of them another name".formatted(name));
      }
    }
  }

  /**
   * The section {@code [data]}.
   *
   * @param format of the events
   * @param userFeatures form of the file of user features: header, header-tsv, movielens or none
   * @param itemFeatures form of the file of item features: header, header-tsv, movielens or none
   * @param minUserEvents users with fewer events are left out
   * @param minItemEvents items with fewer events are left out
   * @param ordered whether a user's events are in the order of time; if it is left out, they are if
   *     they have times
   */
  public record Data(
      @Nullable String format,
      @Nullable String userFeatures,
      @Nullable String itemFeatures,
      @Nullable Integer minUserEvents,
      @Nullable Integer minItemEvents,
      @Nullable Boolean ordered) {}

  /** The section {@code [popularityDecayed]}. */
  public record DecayedSection(double halfLifeDays) {
    static final String NAME = "popularity-decayed";
  }

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
      @Nullable Boolean fewShot,
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
      @Nullable Integer accumulate,
      @Nullable Long tableMemory,
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

    static final String NAME = "two-tower";

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
      set(accumulate, training::accumulate);
      set(tableMemory, training::tableMemory);
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
              .withItemStatistics(Boolean.TRUE.equals(itemStatistics))
              .withFewShot(
                  Boolean.TRUE.equals(fewShot)
                      ? FewShotSettings.of(FewShotOptions.builder().build()).withSeed(seed)
                      : null);
      return validationMetric == null ? strategy : strategy.withValidationMetric(validationMetric);
    }

    private static <T> void set(@Nullable T value, Consumer<T> setter) {
      if (value != null) {
        setter.accept(value);
      }
    }
  }

  /**
   * The strategies in the order of this record's components, those of one kind in the order of the
   * recipe.
   */
  public List<Strategy> strategies(long seed) {
    List<Strategy> strategies = new ArrayList<>(popularity);
    if (popularityDecayed != null) {
      strategies.add(new Popularity(DecayedSection.NAME, popularityDecayed.halfLifeDays()));
    }
    strategies.addAll(transitions);
    strategies.addAll(itemNeighbours);
    strategies.addAll(userNeighbours);
    strategies.addAll(content);
    strategies.addAll(contentVectors);
    strategies.addAll(als);
    strategies.addAll(ease);
    strategies.addAll(lowPass);
    if (twoTower != null) {
      strategies.add(twoTower.strategy(seed));
    }
    strategies.addAll(sequence);
    return strategies.stream().map(strategy -> strategy.withSeed(seed)).toList();
  }

  /**
   * Where a strategy's options stand, as {@code itemNeighbours.cosine}: what a {@code --set} of one
   * of them begins with.
   *
   * @throws InvalidInputException if the recipe has no such strategy
   */
  public String sectionOf(String strategy) {
    if (twoTower != null && strategy.equals(TwoTowerSection.NAME)) {
      return "twoTower";
    }
    if (popularityDecayed != null && strategy.equals(DecayedSection.NAME)) {
      return "popularityDecayed";
    }
    Map<String, List<? extends Strategy>> sections =
        Map.of(
            "popularity", popularity,
            "transitions", transitions,
            "itemNeighbours", itemNeighbours,
            "userNeighbours", userNeighbours,
            "content", content,
            "contentVectors", contentVectors,
            "als", als,
            "ease", ease,
            "lowPass", lowPass,
            "sequence", sequence);
    return sections.entrySet().stream()
        .filter(section -> section.getValue().stream().anyMatch(s -> s.name().equals(strategy)))
        .findFirst()
        .map(section -> section.getKey() + "." + strategy)
        .orElseThrow(
            () -> new InvalidInputException("the recipe has no strategy '" + strategy + "'"));
  }

  /** How the policy is fitted, if there is to be one. */
  public Optional<MetaOptions> meta(long seed) {
    return Optional.ofNullable(meta).map(options -> options.withSeed(seed));
  }
}
