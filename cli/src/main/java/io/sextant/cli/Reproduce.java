package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReader;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.tensor.Devices;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Schedule;
import io.sextant.train.TrainingOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * A published protocol: ours beside the published numbers. Settings and the number of epochs come
 * from a validation part that is cut out of the training part.
 *
 * <ul>
 *   <li>{@code gowalla}: the given split, full ranking without the user's training items; after
 *       validation on a tenth of each user's items the model is trained again on all of them.
 *   <li>{@code ml-1m-ncf}: the last item among 99 given ones; a sampled metric, only to compare.
 *   <li>{@code ml-100k-rmse}: ratings, five-fold cross-validation; a twentieth of each training
 *       part stops the training.
 *   <li>{@code click-beauty}, {@code click-grocery}: {@link ClickProtocol}.
 * </ul>
 */
@Command(name = "reproduce", description = "Runs a published protocol.")
final class Reproduce implements Callable<Integer> {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.recall(20), RankingMetric.ndcg(20));
  private static final Map<String, Map<String, Double>> PUBLISHED =
      Map.of(
          "MostPop", Map.of("recall@20", .0416, "ndcg@20", .0317),
          "MF-BPR", Map.of("recall@20", .1627, "ndcg@20", .1378),
          "LightGCN", Map.of("recall@20", .1824, "ndcg@20", .1547),
          "SimpleX", Map.of("recall@20", .1872, "ndcg@20", .1557));

  @Mixin private CommonOptions common = new CommonOptions();

  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = "gowalla, ml-1m-ncf, ml-100k-rmse, click-beauty or click-grocery")
  private String name = "";

  @Option(names = "--data", required = true, description = "folder of the data set")
  private Path data = Path.of("");

  @Option(names = "--strategies", split = ",", description = "popularity,two-tower")
  private List<String> strategies = List.of("popularity", "two-tower");

  @Option(names = "--seeds", description = "runs to average (click-*; default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--validate-only",
      description = "judge on the validation part and leave the test part alone")
  private boolean validateOnly;

  @Override
  public Integer call() {
    Device device = common.device();
    switch (name) {
      case "gowalla" -> gowalla(device);
      case "ml-1m-ncf" ->
          report(device, new NcfProtocol(data, common.seed(), validateOnly).run(device));
      case "ml-100k-rmse" ->
          report(device, new RatingProtocol(data, common.seed(), validateOnly).run(device));
      case "click-beauty" -> report(device, clicks(ClickProtocol.DataSet.BEAUTY).run(device));
      case "click-grocery" -> report(device, clicks(ClickProtocol.DataSet.GROCERY).run(device));
      default ->
          throw new InvalidInputException(
              "unknown protocol '"
                  + name
                  + "'; known: gowalla, ml-1m-ncf, ml-100k-rmse, click-beauty, click-grocery");
    }
    return 0;
  }

  private ClickProtocol clicks(ClickProtocol.DataSet set) {
    return new ClickProtocol(data, set, seeds, common.seed(), validateOnly);
  }

  private void report(Device device, Map<String, Object> result) {
    result.forEach((key, value) -> System.out.println("  " + key + ": " + value));
    Map<String, Object> all = new LinkedHashMap<>(result);
    all.put("name", name);
    all.put("part", validateOnly ? "validation" : "test");
    common.write("reproduce", Devices.name(device), all);
  }

  private void gowalla(Device device) {
    Split given = given();
    Map<String, Object> results = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker()) {
      for (String wanted : strategies) {
        long start = System.nanoTime();
        MetricTable table = run(wanted, device, given, ranker);
        Map<String, Object> entry = new LinkedHashMap<>(Intervals.of(table, common.seed()));
        entry.put("seconds", (System.nanoTime() - start) * 1e-9);
        results.put(wanted, entry);
        Intervals.print(System.out, wanted, table.intervals(Intervals.RESAMPLES, common.seed()));
      }
    }
    PUBLISHED.forEach(
        (model, metrics) ->
            System.out.printf(Locale.ROOT, "  published %-24s %s%n", model, metrics));
    common.write(
        "reproduce",
        Devices.name(device),
        Map.of(
            "name", name,
            "part", validateOnly ? "validation" : "test",
            "strategies", results,
            "published", PUBLISHED));
  }

  private Split given() {
    CleaningOptions asGiven =
        CleaningOptions.builder().duplicates(CleaningOptions.Duplicates.KEEP_ALL).build();
    return new EventCleaner(asGiven)
        .cleanSplit(open("train.txt.gz"), null, open("test.txt"))
        .split();
  }

  private EventReader open(String file) {
    return EventReaders.open(data.resolve(file), EventFormat.LISTS, ColumnMapping.DEFAULT);
  }

  private MetricTable run(String wanted, Device device, Split given, Ranker ranker) {
    Split inner = Splitter.perUserRatio(0.1, 0, common.seed()).split(given.train());
    return switch (wanted) {
      case "popularity" -> judge(Popularity.allTime(), device, given, inner, ranker);
      case "two-tower" -> twoTower(device, given, inner, ranker);
      default ->
          throw new InvalidInputException(
              "unknown strategy '" + wanted + "'; known: popularity, two-tower");
    };
  }

  private MetricTable twoTower(Device device, Split given, Split inner, Ranker ranker) {
    TwoTowerStrategy strategy = gowallaModel();
    int epochs;
    try (ConsoleListener listener = new ConsoleListener("validation");
        var fitted =
            strategy.fit(
                FitContext.of(device, Dataset.of(inner.train()))
                    .withValidation(inner.validation())
                    .withListener(listener))) {
      if (validateOnly) {
        return ranker.evaluate(fitted, inner.train(), inner.validation(), METRICS);
      }
      epochs = fitted.trainingResult().orElseThrow().bestEpoch() + 1;
    }
    TrainingOptions again = training().epochs(epochs).patience(0).build();
    return judge(strategy.withTraining(again), device, given, inner, ranker);
  }

  private MetricTable judge(
      Strategy strategy, Device device, Split given, Split inner, Ranker ranker) {
    Interactions train = validateOnly ? inner.train() : given.train();
    Interactions truth = validateOnly ? inner.validation() : given.test();
    try (ConsoleListener listener = new ConsoleListener(strategy.name());
        FittedStrategy fitted =
            strategy.fit(FitContext.of(device, Dataset.of(train)).withListener(listener))) {
      return ranker.evaluate(fitted, train, truth, METRICS);
    }
  }

  /** Matrix factorisation by sampled softmax over cosines. */
  private TwoTowerStrategy gowallaModel() {
    return TwoTowerStrategy.of(
            TwoTowerOptions.builder()
                .similarity(TwoTowerOptions.Similarity.COSINE)
                .temperature(0.15f)
                .build(),
            SamplingOptions.builder().negatives(1024).logQ(false).build(),
            training().build())
        .withValidationMetric("recall@20");
  }

  private TrainingOptions.Builder training() {
    return TrainingOptions.builder()
        .epochs(40)
        .batchSize(4096)
        .schedule(Schedule.CONSTANT)
        .patience(4)
        .seed(common.seed());
  }
}
