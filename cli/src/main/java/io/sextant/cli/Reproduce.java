package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.eval.RankingMetric;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * A published protocol: ours beside the published numbers. Settings come from a validation part
 * that is cut out of the training part.
 *
 * <ul>
 *   <li>{@code gowalla}, {@code ml-1m-ultragcn}, {@code generic-split}: the given split, full
 *       ranking without the user's training items, by {@link PoolProtocol}; the policy is fitted to
 *       a tenth of each user's items, then the strategies learn again from all of them.
 *   <li>{@code beauty}, {@code sports}, {@code yelp}, {@code lastfm}, {@code generic-loo}: each
 *       user's last item, by {@link PoolProtocol}; the policy is fitted to the item before it.
 *   <li>{@code ml-1m-ncf}: the last item among 99 given ones; a sampled metric, only to compare.
 *   <li>{@code ml-100k-rmse}: ratings, five-fold cross-validation; a twentieth of each training
 *       part stops the training.
 *   <li>{@code click-beauty}, {@code click-grocery}: {@link ClickProtocol}.
 * </ul>
 */
@Command(name = "reproduce", description = "Runs a published protocol.")
final class Reproduce implements Callable<Integer> {

  private static final String NAMES =
      "gowalla, ml-1m-ultragcn, ml-1m-ncf, ml-100k-rmse, beauty, sports, yelp, lastfm,"
          + " click-beauty, click-grocery, generic-split or generic-loo";

  private static final List<String> ONE_SEED = List.of("ml-1m-ncf", "ml-100k-rmse");

  @Mixin private CommonOptions common = new CommonOptions();

  @Parameters(index = "0", paramLabel = "NAME", description = NAMES)
  private String name = "";

  @Option(names = "--data", required = true, description = "folder of the data set")
  private Path data = Path.of("");

  @Option(names = "--strategies", split = ",", description = "some of them; default: all")
  private List<String> strategies = List.of();

  @Option(
      names = "--refit",
      description = "leave-one-out only: strategies also learn from the validation items")
  private boolean refit;

  @Option(
      names = "--seeds",
      description =
          "runs to average, with this seed and those after it (default: ${DEFAULT-VALUE})")
  private int seeds = 1;

  @Option(
      names = "--frontier",
      description = "pools only: what parts of the pool give for what cost, on validation users")
  private boolean frontier;

  @Option(
      names = "--validate-only",
      description = "judge on the validation part and leave the test part alone")
  private boolean validateOnly;

  @Override
  public Integer call() {
    if (seeds < 1) {
      throw new InvalidInputException("--seeds must be >= 1 but was " + seeds);
    }
    if (seeds > 1 && ONE_SEED.contains(name)) {
      throw new InvalidInputException(
          "%s runs with one seed: leave --seeds out, and give another --seed".formatted(name));
    }
    Device device = common.device();
    switch (name) {
      case "gowalla" -> pool(device, seed -> PoolWorld.givenSplit(data, seed), false, false);
      case "ml-1m-ultragcn" ->
          pool(
              device,
              seed -> PoolWorld.givenSplit(data.resolve("ultragcn-split"), seed),
              false,
              true);
      case "generic-split" -> pool(device, seed -> PoolWorld.givenSplit(data, seed), false, false);
      case "beauty", "sports", "yelp", "lastfm", "generic-loo" -> {
        PoolWorld.Pair worlds = PoolWorld.leaveOneOut(data, refit);
        pool(device, seed -> worlds, true, false);
      }
      case "ml-1m-ncf" ->
          report(device, new NcfProtocol(data, common.seed(), validateOnly).run(device));
      case "ml-100k-rmse" ->
          report(device, new RatingProtocol(data, common.seed(), validateOnly).run(device));
      case "click-beauty" -> report(device, clicks(ClickProtocol.DataSet.BEAUTY).run(device));
      case "click-grocery" -> report(device, clicks(ClickProtocol.DataSet.GROCERY).run(device));
      default ->
          throw new InvalidInputException("unknown protocol '" + name + "'; known: " + NAMES);
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

  private void pool(
      Device device, LongFunction<PoolWorld.Pair> worlds, boolean ordered, boolean dense) {
    PoolSettings settings = ordered ? PoolSettings.ordered() : PoolSettings.unordered(dense);
    List<RankingMetric> metrics =
        ordered
            ? List.of(RankingMetric.hr(10), RankingMetric.ndcg(10))
            : List.of(RankingMetric.recall(20), RankingMetric.ndcg(20));
    Map<String, Object> result =
        new PoolProtocol(
                worlds,
                seed -> settings.strategies(strategies, seed),
                metrics,
                LongStream.range(common.seed(), common.seed() + seeds).boxed().toList(),
                validateOnly,
                frontier)
            .run(device);
    Map<String, Map<String, Double>> published = Published.of(name);
    published.forEach(
        (model, values) -> System.out.printf(Locale.ROOT, "  published %-24s %s%n", model, values));
    result.put("published", published);
    result.put("refit", !ordered || refit);
    result.put("name", name);
    result.put("part", validateOnly ? "validation" : "test");
    common.write("reproduce", Devices.name(device), result);
  }
}
