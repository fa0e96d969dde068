package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredHistories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a bundle knows of its users: recommend and evaluate with it and without. */
class HistoriesTest {

  private static final int DAY = 86_400;

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path csv;
  private static Path with;
  private static Path without;

  /** The items of each user in the file, oldest first. */
  private static final Map<String, List<String>> HISTORIES = new LinkedHashMap<>();

  @BeforeAll
  static void train() throws IOException {
    csv = Cli.csv(shared);
    for (String line : Files.readAllLines(csv).subList(1, 241)) {
      String[] fields = line.split(",", -1);
      HISTORIES.computeIfAbsent(fields[0], user -> new ArrayList<>()).add(fields[1]);
    }
    with = shared.resolve("with");
    without = shared.resolve("without");
    trainTo(with);
    trainTo(without, "--no-histories");
  }

  private static List<String> historyOf(String user) {
    return Objects.requireNonNull(HISTORIES.get(user), user);
  }

  private static void trainTo(Path out, String... more) throws IOException {
    Path recipe = Cli.recipe(shared);
    Cli.Result result =
        Cli.run(
            concat(
                more,
                "train",
                "--device",
                "cpu",
                "--recipe",
                recipe.toString(),
                "--events",
                csv.toString(),
                "--out",
                out.toString()));
    assertThat(result.exit()).as(result.err()).isZero();
  }

  private static String[] concat(String[] more, String... first) {
    return Stream.concat(Stream.of(first), Stream.of(more)).toArray(String[]::new);
  }

  private static Cli.Result recommend(Path model, String... more) {
    Cli.Result result =
        Cli.run(
            concat(
                more, "recommend", "--device", "cpu", "--model", model.toString(), "-k", "1000"));
    assertThat(result.exit()).as(result.err()).isZero();
    return result;
  }

  private static List<String> items(Cli.Result result) {
    return result.out().lines().map(line -> line.split("\t", -1)[1]).toList();
  }

  @Test
  void theBundleHoldsAllEventsInOrderOfTimeOrNone() {
    try (ModelBundle bundle = ModelBundle.open(with)) {
      StoredHistories histories = bundle.histories().orElseThrow();
      for (int user = 0; user < histories.numUsers(); user++) {
        List<String> items =
            Arrays.stream(histories.of(user)).mapToObj(bundle.items()::get).toList();
        assertThat(items).isEqualTo(historyOf(bundle.users().get(user)));
      }
      assertThat(histories.size()).isEqualTo(240);
    }
    assertThat(without.resolve("histories.safetensors")).doesNotExist();
    try (ModelBundle bundle = ModelBundle.open(without)) {
      assertThat(bundle.histories()).isEmpty();
    }
  }

  @Test
  void aKnownUserIsServedByTheHistoryInTheBundleAndWithoutIt() throws IOException {
    List<String> seen = historyOf("u3");
    Cli.Result stored = recommend(with, "--user", "u3");
    assertThat(items(stored)).hasSize(25 - 6).doesNotContainAnyElementsOf(seen);
    Path file = Files.write(folder.resolve("history"), seen);
    assertThat(stored.out())
        .as("the same as if the history were given")
        .isEqualTo(recommend(with, "--user", "u3", "--history", file.toString()).out())
        .isEqualTo(recommend(without, "--user", "u3", "--history", file.toString()).out());
    Cli.Result all = recommend(with, "--user", "u3", "--include-seen");
    assertThat(items(all)).hasSize(25);
    assertThat(all.out().lines().filter(line -> !seen.contains(line.split("\t", -1)[1])))
        .as("the same scores")
        .containsExactlyElementsOf(stored.out().lines().toList());
  }

  @Test
  void aGivenHistoryTakesThePlaceOfTheStoredOne() throws IOException {
    Path file = Files.writeString(folder.resolve("history"), "i1\n");
    assertThat(items(recommend(with, "--user", "u3", "--history", file.toString())))
        .hasSize(24)
        .doesNotContain("i1");
    assertThat(items(recommend(with, "--history", file.toString(), "--include-seen"))).hasSize(25);
  }

  @Test
  void withoutHistoriesNothingIsLeftOutAndThatIsSaid() {
    Cli.Result result = recommend(without, "--user", "u3");
    assertThat(items(result)).hasSize(25);
    assertThat(result.err()).contains("the bundle holds no histories", "--history FILE");
    assertThat(recommend(with, "--user", "u3").err()).doesNotContain("no histories");
  }

  private JsonNode evaluate(Path model, Path events, String protocol) throws IOException {
    Path json = folder.resolve("evaluate.json");
    Cli.Result result = run(model, events, protocol, json);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(json.toFile());
  }

  private static Cli.Result run(Path model, Path events, String protocol, Path json) {
    return Cli.run(
        "evaluate",
        "--device",
        "cpu",
        "--model",
        model.toString(),
        "--events",
        events.toString(),
        "--protocol",
        protocol,
        "--json",
        json.toString());
  }

  /** The week after: each user of the first twenty does two things, of which one is not new. */
  private Path weekAfter() throws IOException {
    StringBuilder text = new StringBuilder("user,item,timestamp\n");
    int time = 1_600_000_000 + 100 * DAY;
    for (int user = 0; user < 20; user++) {
      text.append("u%d,i%d,%d\n".formatted(user, user, time));
      text.append("u%d,%s,%d\n".formatted(user, historyOf("u" + user).get(0), time + DAY));
    }
    text.append("someone-new,i7,%d\nsomeone-new,not-there,%d\n".formatted(time, time));
    return Files.writeString(folder.resolve("after.csv"), text);
  }

  @Test
  void allEventsAreToBeFoundFromTheStoredHistories() throws IOException {
    JsonNode json = evaluate(with, weekAfter(), "all");
    Map<String, Integer> hits = new HashMap<>();
    int repeats = 20;
    for (int user = 0; user < 20; user++) {
      if (historyOf("u" + user).contains("i" + user)) {
        repeats++;
        continue;
      }
      List<String> best = items(recommend(with, "--user", "u" + user)).subList(0, 10);
      hits.put("u" + user, best.contains("i" + user) ? 1 : 0);
    }
    Path nothing = Files.writeString(folder.resolve("nothing"), "");
    List<String> best = items(recommend(with, "--history", nothing.toString())).subList(0, 10);
    hits.put("someone-new", best.contains("i7") ? 1 : 0);
    assertThat(hits.values()).as("the test needs both").contains(0, 1);
    assertThat(json.path("metrics").path("hr@10").path("value").asDouble())
        .isEqualTo(hits.values().stream().mapToInt(h -> h).average().orElseThrow());
    assertThat(json.path("users").asInt()).isEqualTo(hits.size());
    assertThat(json.path("usersNotInTraining").asInt()).isEqualTo(1);
    assertThat(json.path("usersWithoutHistory").asInt()).isEqualTo(1);
    assertThat(json.path("eventsToFind").asInt()).isEqualTo(hits.size());
    assertThat(json.path("eventsSeenBefore").asInt()).isEqualTo(repeats);
    assertThat(json.path("eventsOfUnknownItems").asInt()).isEqualTo(1);
    assertThat(json.path("protocol").asText()).isEqualTo("all");
  }

  @Test
  void eventsFromADayOnAreToBeFoundFromThoseBeforeIt() throws IOException {
    // The events of user u lie at 1,600,000,000 + u + i days; that second is 2020-09-13T12:26:40Z.
    JsonNode json = evaluate(with, csv, "time:2020-09-17");
    assertThat(json.path("eventsToFind").asInt()).isEqualTo(2 * 40);
    assertThat(json.path("users").asInt()).isEqualTo(40);
    assertThat(json.path("usersWithoutHistory").asInt()).isZero();
    Map<String, Double> recalls = new HashMap<>();
    for (String user : HISTORIES.keySet()) {
      List<String> items = historyOf(user);
      Path history = Files.write(folder.resolve("history"), items.subList(0, 4));
      List<String> best = items(recommend(with, "--history", history.toString())).subList(0, 20);
      recalls.put(user, items.subList(4, 6).stream().filter(best::contains).count() / 2.0);
    }
    assertThat(json.path("metrics").path("recall@20").path("value").asDouble())
        .isEqualTo(recalls.values().stream().mapToDouble(r -> r).average().orElseThrow());
    JsonNode instant = evaluate(without, csv, "time:2020-09-13T12:26:50Z");
    assertThat(instant.path("usersWithoutHistory").asInt()).isEqualTo(30);
    assertThat(instant.path("eventsToFind").asInt()).isEqualTo(10 * 5 + 30 * 6);
  }

  @Test
  void theLastEventIsToBeFoundFromThoseBeforeIt() throws IOException {
    JsonNode json = evaluate(without, csv, "last");
    double sum = 0;
    for (List<String> items : HISTORIES.values()) {
      Path history = Files.write(folder.resolve("history"), items.subList(0, 5));
      List<String> best = items(recommend(with, "--history", history.toString())).subList(0, 10);
      int rank = best.indexOf(items.get(5));
      sum += rank < 0 ? 0 : Math.log(2) / Math.log(rank + 2);
    }
    assertThat(sum).isBetween(1.0, 39.0);
    assertThat(json.path("metrics").path("ndcg@10").path("value").asDouble())
        .isCloseTo(sum / 40, within(1e-12));
    assertThat(json.path("eventsSeenBefore").asInt()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "with, all, every event to find is of an item that its user's history has already (240 events)",
    "without, all, the bundle holds no histories",
    "with, time:2031-01-01, no event is as late as 2031-01-01T00:00:00Z",
    "with, time:yesterday, write time:2030-01-31",
    "with, time:, write time:2030-01-31",
    "with, lst, 'last, all or time:YYYY-MM-DD but was ''lst'''",
  })
  void whatCannotBeEvaluatedIsRefused(String model, String protocol, String message) {
    Cli.Result result = run(shared.resolve(model), csv, protocol, folder.resolve("x.json"));
    assertThat(result.exit()).as(result.err()).isEqualTo(2);
    assertThat(result.complaint()).contains(message);
    assertThat(folder.resolve("x.json")).doesNotExist();
  }

  @Test
  void eventsWithoutTimesOrOfOtherItemsAreRefused() throws IOException {
    Path timeless = Files.writeString(folder.resolve("a.csv"), "user,item\nu1,i1\nu1,i2\n");
    assertThat(run(with, timeless, "time:2020-09-17", folder.resolve("x")).complaint())
        .contains("needs a time for every interaction");
    Path other = Files.writeString(folder.resolve("b.csv"), "user,item\nu1,other\n");
    assertThat(run(with, other, "last", folder.resolve("x")).complaint())
        .contains("no event of", "is of an item that the model knows");
    Path again =
        Files.writeString(
            folder.resolve("d.csv"), "user,item,time\nu1,i1,1600000000\nu1,i1,1600000100\n");
    assertThat(run(with, again, "last", folder.resolve("x")).complaint())
        .contains("(1 events), and such items are not recommended again");
    Path single = Files.writeString(folder.resolve("c.csv"), "user,item\nu1,i1\nu2,i2\n");
    assertThat(run(with, single, "last", folder.resolve("x")).complaint())
        .contains("no user has two events");
  }
}
