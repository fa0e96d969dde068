package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.FewShotOptions;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.Als;
import io.sextant.strategy.Ease;
import io.sextant.strategy.FewShotSettings;
import io.sextant.strategy.FewShotStrategy;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.train.TrainingOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * Unseen users: how well the catalogue is ranked for them after a few events, by adaptation and by
 * its comparisons, all with the same events. Each seed judges another tenth of the users and draws
 * its own starts and orders of training, so that no user is judged twice; intervals are over all
 * judged users.
 *
 * <p>Settings were chosen on tenths that are never judged (of the first run for curves, of all five
 * for melu), by the mean NDCG over 1, 3, 5 and 10 events (curves) or by NDCG@5 (melu). Mean pooling
 * takes the vectors of the adaptation's base as they are, and melu's first-order MAML the steps of
 * curves. {@code co-occurrence} is what validates best with a single event among the item
 * neighbours.
 *
 * <p>What says nothing without events is left out at 0 events.
 *
 * @param users the users and their division
 * @param seeds how many tenths are judged
 * @param seed of the division and the first run
 * @param validateOnly whether the tenths for choosing are judged in the place of the test tenths
 */
record FewShotProtocol(UnseenUsers users, int seeds, long seed, boolean validateOnly) {

  static final String ADAPTATION = "adaptation";
  private static final String NO_EVENTS = "0";

  FewShotProtocol {
    if (seeds < 1 || seeds > UnseenUsers.RUNS) {
      throw new InvalidInputException(
          "seeds must be 1 to %d, because each judges another tenth of the users, but was %d"
              .formatted(UnseenUsers.RUNS, seeds));
    }
  }

  /**
   * A method in the comparison.
   *
   * @param strategy by seed
   * @param wrap what is made of the fitted strategy
   * @param answersWithoutEvents whether it ranks for a user without events
   */
  private record Method(
      String name,
      Function<Long, Strategy> strategy,
      Function<FittedStrategy, FittedStrategy> wrap,
      boolean answersWithoutEvents) {

    static Method of(String name, Function<Long, Strategy> strategy, boolean answersAlways) {
      return new Method(name, strategy, fitted -> fitted, answersAlways);
    }
  }

  Map<String, Object> run(Device device) {
    Map<String, Map<String, List<MetricTable>>> tables = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker()) {
      for (int run = 0; run < seeds; run++) {
        Dataset train = users.train(run);
        Map<String, UnseenUsers.Cases> cases = users.cases(run, validateOnly);
        for (Method method : methods()) {
          FitContext context = FitContext.of(device, train);
          try (ConsoleListener listener =
                  new ConsoleListener("%s, seed %d".formatted(method.name(), seed + run));
              FittedStrategy fitted =
                  method
                      .wrap()
                      .apply(
                          method
                              .strategy()
                              .apply(seed + run)
                              .fit(context.withListener(listener)))) {
            cases.forEach(
                (events, users) -> {
                  if (!events.equals(NO_EVENTS) || method.answersWithoutEvents()) {
                    tables
                        .computeIfAbsent(method.name(), m -> new LinkedHashMap<>())
                        .computeIfAbsent(events, e -> new ArrayList<>())
                        .add(judge(ranker, fitted, users));
                  }
                });
          }
        }
      }
    }
    return result(tables);
  }

  private List<RankingMetric> metrics() {
    return users.protocol() == UnseenUsers.Protocol.MELU
        ? List.of(RankingMetric.hr(5), RankingMetric.ndcg(5))
        : List.of(RankingMetric.recall(10), RankingMetric.ndcg(10));
  }

  private MetricTable judge(Ranker ranker, FittedStrategy fitted, UnseenUsers.Cases cases) {
    int k = metrics().get(0).k();
    RankedLists lists = ranker.rank(fitted, cases.states(), k, ExcludedItems.of(cases.excluded()));
    return RankingEvaluation.perUser(lists, cases.truth(), metrics());
  }

  private Map<String, Object> result(Map<String, Map<String, List<MetricTable>>> tables) {
    Map<String, Object> curves = new LinkedHashMap<>();
    Map<String, Object> differences = new LinkedHashMap<>();
    Map<String, Object> bySeed = new LinkedHashMap<>();
    RankingMetric judge = metrics().get(1);
    tables.forEach(
        (method, byEvents) -> {
          Map<String, Object> curve = new LinkedHashMap<>();
          Map<String, Object> difference = new LinkedHashMap<>();
          Map<String, Object> means = new LinkedHashMap<>();
          byEvents.forEach(
              (events, runs) -> {
                MetricTable table = MetricTable.concat(runs);
                Map<String, Interval> intervals = table.intervals(Intervals.RESAMPLES, seed);
                curve.put(events, Intervals.json(intervals));
                Intervals.print(System.out, method + ", " + events + " events", intervals);
                means.put(events, runs.stream().map(run -> run.mean(judge)).toList());
                if (!method.equals(ADAPTATION)) {
                  Map<String, Interval> paired =
                      Intervals.difference(
                          MetricTable.concat(
                              tables.getOrDefault(ADAPTATION, Map.of()).getOrDefault(events, runs)),
                          table,
                          seed);
                  difference.put(events, Intervals.json(paired));
                  Intervals.print(System.out, "  adaptation above it by", paired);
                }
              });
          curves.put(method, curve);
          bySeed.put(method, means);
          if (!difference.isEmpty()) {
            differences.put(ADAPTATION + "-" + method, difference);
          }
        });
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("protocol", users.protocol().name().toLowerCase(Locale.ROOT));
    result.put("part", validateOnly ? "validation" : "test");
    result.put("seeds", seeds);
    result.put("curves", curves);
    result.put("differences", differences);
    result.put(judge.name() + "BySeed", bySeed);
    return result;
  }

  private List<Method> methods() {
    boolean melu = users.protocol() == UnseenUsers.Protocol.MELU;
    List<Method> methods = new ArrayList<>();
    methods.add(
        Method.of(
            ADAPTATION,
            s -> FewShotStrategy.of(settings(adaptation(melu), melu), base()).withSeed(s),
            true));
    methods.add(
        Method.of(
            "maml", s -> FewShotStrategy.of(settings(maml(melu), melu), base()).withSeed(s), true));
    methods.add(new Method("mean-pooling", s -> base().withSeed(s), MeanPooling::over, false));
    methods.add(Method.of("als", s -> foldIn(melu).withSeed(s), false));
    methods.add(Method.of("ease", s -> Ease.builder().l2(melu ? 300 : 30_000).build(), false));
    methods.add(Method.of("item-neighbours", s -> neighbours("item-neighbours", 0.5, 0.5), false));
    methods.add(Method.of("co-occurrence", s -> neighbours("co-occurrence", 1, 0), false));
    methods.add(Method.of("popularity", s -> Popularity.allTime(), true));
    return methods;
  }

  private static FewShotOptions adaptation(boolean melu) {
    return FewShotOptions.builder()
        .steps(melu ? 2 : 1)
        .rate(melu ? 2 : 0.5f)
        .items(FewShotOptions.Items.TUNED)
        .maxEvents(melu ? 90 : 10)
        .maxQueries(1000)
        .episodes(melu ? FewShotOptions.Episodes.ANY : FewShotOptions.Episodes.FIRST)
        .build();
  }

  private static FewShotOptions maml(boolean melu) {
    return FewShotOptions.builder()
        .method(FewShotOptions.Method.FIRST_ORDER_MAML)
        .steps(3)
        .items(FewShotOptions.Items.TUNED)
        .maxEvents(melu ? 90 : 10)
        .maxQueries(1000)
        .episodes(melu ? FewShotOptions.Episodes.ANY : FewShotOptions.Episodes.FIRST)
        .loss(FewShotOptions.Loss.SOFTMAX)
        .negatives(64)
        .rate(0.3f)
        .build();
  }

  /** The few users of melu ask for small batches and for item vectors that move slowly. */
  private static FewShotSettings settings(FewShotOptions options, boolean melu) {
    return new FewShotSettings(
        options,
        TrainingOptions.builder()
            .epochs(melu ? 200 : 60)
            .batchSize(melu ? 16 : 128)
            .learningRate(melu ? 1e-2f : 3e-3f)
            .userLearningRate(3e-4f)
            .itemLearningRate(melu ? 3e-4f : 1e-3f)
            .patience(melu ? 10 : 4)
            .build());
  }

  private static Als base() {
    return Als.builder().factors(32).unobservedWeight(0.1).l2(0.03).epochs(12).build();
  }

  private static Als foldIn(boolean melu) {
    return melu
        ? base()
        : Als.builder().factors(128).unobservedWeight(0.3).l2(0.02).epochs(12).build();
  }

  private static ItemNeighbours neighbours(String name, double source, double target) {
    return ItemNeighbours.builder()
        .name(name)
        .userExponent(0.5)
        .sourceExponent(source)
        .targetExponent(target)
        .neighbours(1000)
        .build();
  }
}
