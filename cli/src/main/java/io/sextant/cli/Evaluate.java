package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.CleaningOptions;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventReader;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Devices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Judges a bundle on events. By {@code last} and {@code time:DATE} users are served by what the
 * events say of them alone, because the bundle may have learned from the very events that are to be
 * found; by {@code all} they are served by what the bundle knows of them, and those it does not
 * know by nothing.
 */
@Command(name = "evaluate", description = "Metrics of a bundle with intervals.")
final class Evaluate implements Callable<Integer> {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.hr(10), RankingMetric.ndcg(10), RankingMetric.recall(20));
  private static final int BATCH = 1024;

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--model", required = true, description = "folder of the bundle")
  private Path model = Path.of("");

  @Mixin private EventsOptions events = new EventsOptions();

  @Option(
      names = "--protocol",
      description = {
        "what is to be found: 'last', each user's last event from those before it;",
        "'time:YYYY-MM-DD', the events from that day (UTC) on from those before it;",
        "'all', every event from the histories in the bundle (default: ${DEFAULT-VALUE})"
      })
  private String protocol = "last";

  @Option(
      names = "--strategy",
      description = "one strategy of the bundle; default: its policy, else its last strategy")
  private @Nullable String strategy;

  @Override
  public Integer call() {
    EvaluationProtocol parsed = EvaluationProtocol.parse(protocol);
    EventReader reader = events.reader(null);
    Device device = common.device();
    Interactions read =
        new EventCleaner(CleaningOptions.defaults())
            .clean(Progress.whileReading(reader))
            .interactions();
    try (LoadedModel loaded = LoadedModel.open(model, device, strategy)) {
      Interactions known = inCatalogueOf(loaded, read);
      if (known.size() == 0) {
        throw new InvalidInputException(
            "no event of %s is of an item that the model knows".formatted(reader.name()));
      }
      EvaluationProtocol.Cut cut = parsed.cut(known, loaded);
      if (cut.truth().size() == 0) {
        throw new InvalidInputException(
            "every event to find is of an item that its user's history has already (%d events)%s"
                .formatted(
                    cut.repeats(),
                    parsed.trainingComesBefore()
                        ? ": evaluate on events that came after training, or by --protocol last"
                        : ", and such items are not recommended again"));
      }
      int[] users = Ranker.usersWith(cut.truth());
      MetricTable table = evaluate(loaded, parsed, cut, users);
      int numKnown = loaded.users().size();
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("strategy", loaded.served().name());
      loaded.policyVersion().ifPresent(version -> result.put("policyVersion", version));
      result.put("protocol", protocol);
      result.put("users", table.numUsers());
      result.put("usersNotInTraining", Arrays.stream(users).filter(u -> u >= numKnown).count());
      result.put(
          "usersWithoutHistory",
          Arrays.stream(users).filter(u -> cut.history().degree(u) == 0).count());
      result.put("eventsToFind", cut.truth().size());
      result.put("eventsSeenBefore", cut.repeats());
      result.put("eventsOfUnknownItems", read.size() - known.size());
      result.forEach((name, value) -> System.err.println(name + ": " + value));
      Intervals.print(System.out, Map.of(loaded.served().name(), table), common.seed());
      result.put("metrics", Intervals.of(table, common.seed()));
      common.write("evaluate", Devices.name(device), result);
    }
    return 0;
  }

  private static MetricTable evaluate(
      LoadedModel loaded, EvaluationProtocol protocol, EvaluationProtocol.Cut cut, int[] users) {
    List<MetricTable> tables = new ArrayList<>();
    int k = METRICS.stream().mapToInt(RankingMetric::k).max().orElseThrow();
    try (Progress progress = new Progress("evaluating", "users", 0, users.length)) {
      for (int start = 0; start < users.length; start += BATCH) {
        int[] batch = Arrays.copyOfRange(users, start, Math.min(users.length, start + BATCH));
        List<UserState> states = new ArrayList<>(batch.length);
        int[][] seen = new int[batch.length][];
        int[][] relevant = new int[batch.length][];
        for (int i = 0; i < batch.length; i++) {
          boolean known = protocol.trainingComesBefore() && batch[i] < loaded.users().size();
          states.add(new UserState(known ? batch[i] : -1, cut.history().historyOf(batch[i])));
          seen[i] = cut.history().seenOf(batch[i]);
          relevant[i] = cut.truth().seenOf(batch[i]);
        }
        tables.add(
            RankingEvaluation.perUser(
                loaded.served().rank(states, k, ExcludedItems.of(seen)), relevant, METRICS));
        progress.to(start + batch.length);
      }
    }
    return MetricTable.concat(tables);
  }

  /**
   * The events over the bundle's items (others cannot be recommended), and over the bundle's users
   * followed by those that it does not know.
   */
  private static Interactions inCatalogueOf(LoadedModel model, Interactions read) {
    IdIndex.Builder ids = IdIndex.builder();
    for (int user = 0; user < model.users().size(); user++) {
      ids.add(model.users().idOf(user));
    }
    int[] numberOf = new int[read.numUsers()];
    for (int user = 0; user < numberOf.length; user++) {
      numberOf[user] = ids.add(read.users().idOf(user));
    }
    Interactions.Builder builder = Interactions.builder(ids.build(), model.items());
    int[] users = read.userOfRow();
    for (int row = 0; row < read.size(); row++) {
      int item = model.items().indexOf(read.items().idOf(read.itemAt(row)));
      if (item >= 0) {
        builder.add(
            numberOf[users[row]],
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
