package io.sextant.cli;

import ai.djl.Device;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.SextantException;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaReport;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.Mixer;
import io.sextant.meta.StrategyPool;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Ranker;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Devices;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The main job on the bundled sample: clean, train, evaluate, save, load, recommend. */
@Command(name = "demo", description = "Trains and recommends on the bundled film ratings.")
final class Demo implements Callable<Integer> {

  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.hr(10), RankingMetric.ndcg(10), RankingMetric.mrr(10));
  private static final List<String> COMPARED =
      List.of("popularity", "popularity-decayed", "two-tower");
  private static final double HELD_OUT_SHARE = 0.1;
  private static final int LISTS = 3;

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--out", description = "keep the trained bundle in this folder")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    Device device = common.device();
    PrintStream console = System.out;
    Path work = Files.createTempDirectory("sextant-demo");
    try {
      run(device, console, work);
    } finally {
      Folders.delete(work);
    }
    return 0;
  }

  private void run(Device device, PrintStream console, Path work) throws IOException {
    ModelZoo.copySample(work);
    String text = ModelZoo.text("video");
    Recipe recipe = ModelZoo.parse(text, "video", Map.of());
    EventFiles.Loaded loaded =
        EventFiles.load(
            recipe,
            EventFiles.reader(work.resolve("ratings.dat.gz"), "movielens", ColumnMapping.DEFAULT),
            null,
            work.resolve("movies.dat.gz"),
            null);
    Dataset data = loaded.data();
    console.print(loaded.report().summary());
    Map<String, Object> result = new LinkedHashMap<>();
    result.put(
        "data",
        Map.of(
            "events", loaded.report().rowsKept(),
            "rejected", loaded.report().rowsRejected(),
            "users", data.interactions().numUsers(),
            "items", data.interactions().numItems()));

    LastOut split = LastOut.of(data.interactions());
    Path bundle = out == null ? work.resolve("model") : out;
    Dataset train = data.withInteractions(split.train());
    try (PolicyFit policies = policy(recipe, device, data, split.train());
        Fitted fitted = Fitted.fit(policies.strategies(), device, Fitted.Lessons.of(train), null)) {
      MetaPolicy policy = Objects.requireNonNull(policies.policy()).refitted(split.train());
      result.put("policyVersion", policy.version());
      report(console, result, evaluate(policy, fitted.pool(), split));
      Map<String, String> documents = new LinkedHashMap<>(Bundles.attributes(data));
      documents.put(Bundles.TITLES, titles(work));
      Bundles.write(
          bundle, fitted, policy, data.interactions(), true, text, common.seed(), documents);
    }
    heldOut(console, result, recipe, device, data, split);
    result.put("recommendations", recommend(console, bundle, device, split.train()));
    common.write("demo", Devices.name(device), result);
  }

  /** A policy fitted to the last event of each user in training, of which nothing else knows. */
  private PolicyFit policy(Recipe recipe, Device device, Dataset data, Interactions train) {
    LastOut inner = LastOut.of(train);
    Interactions none = Interactions.builder(train.users(), train.items()).build();
    return PolicyFit.of(
        recipe.meta(common.seed()).orElseThrow(),
        recipe.strategies(common.seed()),
        device,
        data,
        new EventParts(inner.train(), inner.test(), none),
        null,
        null);
  }

  /** Each strategy alone, all mixed with the same weights for everybody, and the policy. */
  private static Map<String, MetricTable> evaluate(
      MetaPolicy policy, StrategyPool pool, LastOut split) {
    try (TopK topK = new TopK();
        MetaStrategy meta = policy.over(pool, topK)) {
      MetaReport report = MetaReport.of(meta, split.train(), split.test(), METRICS, done -> {});
      Map<String, MetricTable> tables = new LinkedHashMap<>(report.strategies());
      tables.put(Mixer.GLOBAL.key(), report.mixer(Mixer.GLOBAL));
      tables.put(ServedPolicy.NAME, report.mixer(Mixer.POLICY));
      return tables;
    }
  }

  private void report(
      PrintStream console, Map<String, Object> result, Map<String, MetricTable> tables) {
    MetricTable twoTower = table(tables, "two-tower");
    MetricTable popularity = table(tables, "popularity");
    MetricTable decayed = table(tables, "popularity-decayed");
    console.printf("%nLast event of %d users, whole catalogue ranked%n", twoTower.numUsers());
    Intervals.print(console, tables, common.seed());
    Map<String, Interval> toAllTime = Intervals.difference(twoTower, popularity, common.seed());
    Map<String, Interval> toDecayed = Intervals.difference(twoTower, decayed, common.seed());
    Intervals.print(console, "two-tower - popularity", toAllTime);
    Intervals.print(console, "two-tower - popularity-decayed", toDecayed);
    MetricTable policy = table(tables, ServedPolicy.NAME);
    Map<String, Interval> toTwoTower = Intervals.difference(policy, twoTower, common.seed());
    Map<String, Interval> toGlobal =
        Intervals.difference(policy, table(tables, Mixer.GLOBAL.key()), common.seed());
    Intervals.print(console, "policy - two-tower", toTwoTower);
    Intervals.print(console, "policy - global", toGlobal);
    Map<String, Object> all = new LinkedHashMap<>();
    tables.forEach((name, table) -> all.put(name, Intervals.of(table, common.seed())));
    result.put("strategies", all);
    result.put("metrics", Intervals.of(twoTower, common.seed()));
    result.put(
        "baselines",
        Map.of(
            "popularity", Intervals.of(popularity, common.seed()),
            "popularityDecayed", Intervals.of(decayed, common.seed())));
    result.put(
        "differences",
        Map.of(
            "two-tower-popularity", Intervals.json(toAllTime),
            "two-tower-popularityDecayed", Intervals.json(toDecayed),
            "policy-two-tower", Intervals.json(toTwoTower),
            "policy-global", Intervals.json(toGlobal)));
  }

  /** Users of whom training knows nothing are served from their history alone. */
  private void heldOut(
      PrintStream console,
      Map<String, Object> result,
      Recipe recipe,
      Device device,
      Dataset data,
      LastOut split) {
    int[] users = Ranker.usersWith(split.test());
    new CounterRandom(common.seed(), "held-out-users", 0).shuffle(users);
    int[] held = Arrays.copyOf(users, (int) (users.length * HELD_OUT_SHARE));
    boolean[] isHeld = new boolean[data.interactions().numUsers()];
    for (int user : held) {
      isHeld[user] = true;
    }
    Interactions train = split.train();
    int[] userOfRow = train.userOfRow();
    Interactions others = train.filter(row -> !isHeld[userOfRow[row]]);
    Map<String, MetricTable> tables = new LinkedHashMap<>();
    try (Fitted fitted =
            Fitted.fit(
                recipe.strategies(common.seed()).stream()
                    .filter(strategy -> COMPARED.contains(strategy.name()))
                    .toList(),
                device,
                Fitted.Lessons.of(data.withInteractions(others)),
                null);
        Ranker ranker = new Ranker()) {
      fitted
          .strategies()
          .forEach(
              (name, strategy) ->
                  tables.put(
                      name, ranker.evaluate(strategy, train, split.test(), METRICS, held, false)));
    }
    MetricTable twoTower = table(tables, "two-tower");
    MetricTable popularity = table(tables, "popularity");
    Map<String, Interval> difference = Intervals.difference(twoTower, popularity, common.seed());
    console.printf("%n%d users that training never saw, by their history alone%n", held.length);
    Intervals.print(console, tables, common.seed());
    Intervals.print(console, "two-tower - popularity", difference);
    result.put(
        "heldOut",
        Map.of(
            "users", held.length,
            "metrics", Intervals.of(twoTower, common.seed()),
            "popularity", Intervals.of(popularity, common.seed()),
            "difference", Intervals.json(difference)));
  }

  /** Loads the bundle as a new process would and asks it for lists. */
  private static List<Map<String, Object>> recommend(
      PrintStream console, Path bundle, Device device, Interactions train) {
    List<Map<String, Object>> lists = new ArrayList<>();
    try (LoadedModel model = LoadedModel.open(bundle, device, null)) {
      for (int user = 0; lists.size() < LISTS && user < train.numUsers(); user++) {
        if (train.degree(user) >= 5) {
          List<String> history = ids(train.items(), train.historyOf(user));
          lists.add(show(console, model, train.users().idOf(user), history));
        }
      }
      List<String> unseen = ids(train.items(), Arrays.copyOf(train.historyOf(0), 1));
      lists.add(show(console, model, "(never seen)", unseen));
    }
    return lists;
  }

  private static Map<String, Object> show(
      PrintStream console, LoadedModel model, String user, List<String> history) {
    List<LoadedModel.Item> items =
        model.recommend(user.startsWith("(") ? null : user, history, 5, false);
    console.printf(
        "%nuser %s, who last watched %s%n", user, model.title(history.get(history.size() - 1)));
    for (LoadedModel.Item item : items) {
      console.printf("  %8.3f  %s%n", item.score(), model.title(item.id()));
    }
    return Map.of("user", user, "items", items);
  }

  private static List<String> ids(IdIndex index, int[] items) {
    return Arrays.stream(items).mapToObj(index::idOf).toList();
  }

  private static MetricTable table(Map<String, MetricTable> tables, String name) {
    return Objects.requireNonNull(tables.get(name), name);
  }

  /** Titles by item id, as JSON. */
  private static String titles(Path work) throws IOException {
    Map<String, String> titles = new LinkedHashMap<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(work.resolve("movies.dat.gz"))),
                StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] fields = line.split("::", -1);
        if (fields.length >= 2) {
          titles.put(fields[0], fields[1]);
        }
      }
    }
    try {
      return new ObjectMapper().writeValueAsString(titles);
    } catch (JsonProcessingException e) {
      throw new SextantException("titles cannot be written as JSON", e);
    }
  }

  /**
   * The last event of every user with at least two is the test; everything else is training.
   *
   * @param train all other events
   * @param test one event for each of these users
   */
  record LastOut(Interactions train, Interactions test) {

    static LastOut of(Interactions all) {
      boolean[] last = new boolean[all.size()];
      for (int user = 0; user < all.numUsers(); user++) {
        if (all.degree(user) >= 2) {
          last[all.end(user) - 1] = true;
        }
      }
      return new LastOut(all.filter(row -> !last[row]), all.filter(row -> last[row]));
    }
  }
}
