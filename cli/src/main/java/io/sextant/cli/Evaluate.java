package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.EventCleaner;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.Ranker;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Judges a bundle on events: the last event of each user is to be found from those before it. Users
 * are served by history alone, because the bundle may have seen other events of theirs.
 */
@Command(name = "evaluate", description = "Metrics of a bundle with intervals.")
final class Evaluate implements Callable<Integer> {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.hr(10), RankingMetric.ndcg(10), RankingMetric.recall(20));

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--model", required = true, description = "folder of the bundle")
  private Path model = Path.of("");

  @Option(names = "--events", required = true, description = "file of events")
  private Path events = Path.of("");

  @Option(names = "--format", description = "csv, tsv, movielens, pairs, lists, parquet or json")
  private String format = "csv";

  @Option(names = "--columns", description = "user=...,item=...,time=...,type=...,value=...")
  private @Nullable String columns;

  @Option(names = "--strategy", description = "a strategy of the bundle; default: the last one")
  private @Nullable String strategy;

  @Override
  public Integer call() {
    Device device = common.device();
    ColumnMapping mapping = columns == null ? ColumnMapping.DEFAULT : ColumnMapping.parse(columns);
    Interactions read =
        new EventCleaner(CleaningOptions.defaults())
            .clean(EventFiles.reader(events, format, mapping))
            .interactions();
    try (LoadedModel loaded = LoadedModel.open(model, device, strategy);
        Ranker ranker = new Ranker()) {
      Interactions known = inCatalogueOf(loaded, read);
      Demo.LastOut split = Demo.LastOut.of(known);
      int[] users = Ranker.usersWith(split.test());
      MetricTable table =
          ranker.evaluate(loaded.strategy(), split.train(), split.test(), METRICS, users, false);
      Intervals.print(System.out, Map.of(loaded.strategyName(), table), common.seed());
      common.write(
          "evaluate",
          Devices.name(device),
          Map.of(
              "strategy", loaded.strategyName(),
              "users", table.numUsers(),
              "metrics", Intervals.of(table, common.seed())));
    }
    return 0;
  }

  /** The events over the bundle's items; those of other items cannot be recommended. */
  private static Interactions inCatalogueOf(LoadedModel model, Interactions read) {
    Interactions.Builder builder = Interactions.builder(read.users(), model.items());
    int[] users = read.userOfRow();
    for (int row = 0; row < read.size(); row++) {
      int item = model.items().indexOf(read.items().idOf(read.itemAt(row)));
      if (item >= 0) {
        builder.add(
            users[row],
            item,
            read.typeAt(row),
            read.valueAt(row),
            read.weightAt(row),
            read.timeAt(row),
            read.featuresAt(row));
      }
    }
    return builder.build();
  }
}
