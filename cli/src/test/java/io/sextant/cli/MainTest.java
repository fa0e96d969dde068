package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredTensors;
import io.sextant.tensor.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path csv;
  private static Path recipe;
  private static Path model;
  private static Cli.Result trained;
  private static JsonNode trainJson;

  @BeforeAll
  static void train() throws IOException {
    csv = Cli.csv(shared);
    recipe = Cli.recipe(shared);
    model = shared.resolve("model");
    Path json = shared.resolve("train.json");
    trained = trainTo(model, "--json", json.toString(), "--seed", "3");
    assertThat(trained.exit()).as(trained.err()).isZero();
    trainJson = new ObjectMapper().readTree(json.toFile());
  }

  private static Cli.Result trainTo(Path out, String... more) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "train",
                    "--device",
                    "cpu",
                    "--recipe",
                    recipe.toString(),
                    "--events",
                    csv.toString(),
                    "--out",
                    out.toString()),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private static void assertRefused(Cli.Result result, String... parts) {
    assertThat(result.exit()).as(result.err()).isEqualTo(2);
    assertThat(result.complaint().lines()).as(result.err()).hasSize(1);
    assertThat(result.complaint()).contains(parts);
    assertThat(result.err()).doesNotContain("\tat ");
  }

  private static void assertCommon(JsonNode json, String command, int seed) {
    assertThat(json.path("command").asText()).isEqualTo(command);
    assertThat(json.path("version").asText()).isNotEmpty();
    assertThat(json.path("commit").asText()).isNotEmpty();
    assertThat(json.path("device").asText()).isEqualTo("cpu");
    assertThat(json.path("seed").asInt(-1)).isEqualTo(seed);
    assertThat(json.path("seconds").asDouble()).isPositive();
    assertThat(json.path("peakRssMb").isNumber()).isTrue();
  }

  @Test
  void trainWritesABundleAndSaysWhat() {
    assertCommon(trainJson, "train", 3);
    assertThat(trainJson.path("strategies").toString()).isEqualTo("[\"popularity\",\"two-tower\"]");
    assertThat(trainJson.path("epochs").asInt()).isEqualTo(2);
    assertThat(trainJson.path("examplesPerSecond").asDouble()).isPositive();
    assertThat(trained.out()).contains("wrote " + model);
    assertThat(shared.resolve(".model.checkpoint")).doesNotExist();
  }

  @Test
  void evaluateGivesIntervalsAroundItsValues() throws IOException {
    Path json = folder.resolve("evaluate.json");
    Cli.Result result =
        Cli.run(
            "evaluate",
            "--device",
            "cpu",
            "--model",
            model.toString(),
            "--events",
            csv.toString(),
            "--json",
            json.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode tree = new ObjectMapper().readTree(json.toFile());
    assertCommon(tree, "evaluate", 1);
    assertThat(tree.path("users").asInt()).isEqualTo(40);
    for (String metric : List.of("hr@10", "ndcg@10", "recall@20")) {
      JsonNode interval = tree.path("metrics").path(metric);
      double value = interval.path("value").asDouble(-1);
      assertThat(value).as(metric).isBetween(0.0, 1.0);
      assertThat(interval.path("lo").asDouble(2)).isLessThanOrEqualTo(value);
      assertThat(interval.path("hi").asDouble(-1)).isGreaterThanOrEqualTo(value);
    }
  }

  @Test
  void recommendToAKnownUserHasNoItemTwiceAndFallingScores() throws IOException {
    Path json = folder.resolve("recommend.json");
    Cli.Result result =
        Cli.run(
            "recommend",
            "--device",
            "cpu",
            "--model",
            model.toString(),
            "--user",
            "u1",
            "--user",
            "u2",
            "-k",
            "5",
            "--json",
            json.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode tree = new ObjectMapper().readTree(json.toFile());
    assertCommon(tree, "recommend", 1);
    assertThat(tree.path("lists")).hasSize(2);
    for (JsonNode list : tree.path("lists")) {
      assertThat(list.path("items")).hasSize(5);
      Set<String> seen = new HashSet<>();
      double last = Double.POSITIVE_INFINITY;
      for (JsonNode item : list.path("items")) {
        assertThat(seen.add(item.path("id").asText())).isTrue();
        double score = item.path("score").asDouble(Double.NaN);
        assertThat(score).isLessThanOrEqualTo(last);
        assertThat(item.path("parts").path("two-tower").asDouble()).isEqualTo(score);
        last = score;
      }
    }
  }

  @Test
  void aHistoryIsLeftOutAndAListEndsWithTheCatalogue() throws IOException {
    Path history = Files.writeString(folder.resolve("history.txt"), "i3\n\n i4 \nnever-seen\n");
    Cli.Result result =
        Cli.run(
            "recommend",
            "--device",
            "cpu",
            "--model",
            model.toString(),
            "--history",
            history.toString(),
            "-k",
            "1000");
    assertThat(result.exit()).as(result.err()).isZero();
    List<String> items = result.out().lines().map(line -> line.split("\t", -1)[1]).toList();
    assertThat(items).hasSize(23).doesNotHaveDuplicates().doesNotContain("i3", "i4");
  }

  @Test
  void trainsOnMovielensFiles() throws IOException {
    Path events = Cli.events(folder, "::", "");
    Path out = folder.resolve("m");
    Cli.Result result =
        Cli.run(
            "train",
            "--device",
            "cpu",
            "--recipe",
            recipe.toString(),
            "--events",
            events.toString(),
            "--format",
            "movielens",
            "--out",
            out.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(Cli.run("recommend", "--model", out.toString(), "--user", "u0").out().lines())
        .hasSize(10);
  }

  @Test
  void learnsFromFeaturesOfUsers() throws IOException {
    StringBuilder text = new StringBuilder("id,country,age\n");
    for (int user = 0; user < 40; user++) {
      text.append("u%d,%s,%d\n".formatted(user, user % 2 == 0 ? "de" : "fr", 20 + user));
    }
    Path users = Files.writeString(folder.resolve("users.csv"), text.append("nobody,it,9\n"));
    Path out = folder.resolve("m");
    Cli.Result result = trainTo(out, "--users", users.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.err()).contains("1 rows of " + users + " are of entities without");
    try (ModelBundle bundle = ModelBundle.open(out)) {
      StoredTensors tensors = bundle.strategy("two-tower").tensors();
      // Code 0 is the unknown word; the words are numbered as they appear.
      assertThat(tensors.tensor("features.user.code.country").toInts())
          .isEqualTo(IntStream.range(0, 40).map(user -> 1 + user % 2).toArray());
      assertThat(tensors.tensor("features.user.numeric").spec().shape()).containsExactly(40L, 1L);
    }
    assertThat(Cli.run("recommend", "--model", out.toString(), "--user", "u0").out().lines())
        .hasSize(10);
    assertThat(strategyOf(model)).isNotEqualTo(strategyOf(out));
    Path none = folder.resolve("none");
    Cli.Result unread =
        trainTo(none, "--users", users.toString(), "--set", "data.userFeatures=none");
    assertThat(unread.err()).contains(users + " is not read");
    assertRefused(
        trainTo(folder.resolve("x"), "--users", users.toString(), "--set", "data.userFeatures=xml"),
        "unknown userFeatures 'xml': use movielens, header, header-tsv or none");
    assertRefused(trainTo(folder.resolve("x"), "--users", folder + "/missing.csv"), "missing.csv");
  }

  private static byte[] strategyOf(Path bundle) throws IOException {
    return Files.readAllBytes(bundle.resolve("strategies/two-tower.safetensors"));
  }

  @Test
  void trainsOnADatabaseAsOnAFile() throws IOException, SQLException {
    String url = "jdbc:duckdb:" + folder.resolve("shop.duckdb");
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE clicks AS SELECT user AS who, item AS what, rating,"
              + " to_timestamp(timestamp) AS moment FROM read_csv('%s')".formatted(csv));
    }
    Path out = folder.resolve("m");
    String[] database = {
      "train",
      "--device",
      "cpu",
      "--recipe",
      recipe.toString(),
      "--seed",
      "3",
      "--out",
      out.toString(),
      "--columns",
      "user=who,item=what,time=moment",
      "--events",
      url
    };
    assertRefused(Cli.run(database), "select * from events", "shop.duckdb");
    Cli.Result result =
        Cli.run(
            Stream.concat(Stream.of(database), Stream.of("--query", "select * from clicks"))
                .toArray(String[]::new));
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(strategyOf(out)).isEqualTo(strategyOf(model));
    assertRefused(trainTo(folder.resolve("x"), "--query", "select 1"), "--query", "jdbc:");
    assertRefused(
        Cli.run("evaluate", "--model", out.toString(), "--events", url, "--format", "csv"),
        "--format");
    assertRefused(
        Cli.run("evaluate", "--model", out.toString(), "--events", "jdbc:nosuch:x"),
        "SEXTANT_CLASSPATH");
  }

  @Test
  void aCheckpointIntervalBelowZeroIsRefused() {
    assertRefused(
        trainTo(folder.resolve("x"), "--checkpoint-every", "-1"), "--checkpoint-every", "-1");
  }

  @Test
  void aRecipeWithoutEpochsHasNone() throws IOException {
    Path plain = Files.writeString(folder.resolve("plain.toml"), "[popularity]\n");
    Path json = folder.resolve("plain.json");
    Cli.Result result =
        Cli.run(
            "train",
            "--recipe",
            plain.toString(),
            "--events",
            csv.toString(),
            "--out",
            folder.resolve("p").toString(),
            "--json",
            json.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode tree = new ObjectMapper().readTree(json.toFile());
    assertCommon(tree, "train", 1);
    assertThat(tree.path("epochs").asInt(-1)).isZero();
    assertThat(tree.path("examplesPerSecond").asDouble(-1)).isZero();
    assertThat(tree.path("policyVersion").isMissingNode()).isTrue();
  }

  @Test
  void anUnknownRecipeIsAnsweredWithASuggestion() {
    assertRefused(
        Cli.run(
            "train", "--recipe", "vidoe", "--events", csv.toString(), "--out", folder + "/bundle"),
        "'vidoe'",
        "did you mean 'video'?");
  }

  @Test
  void anUnknownKeyIsAnsweredWithASuggestion() {
    assertRefused(
        trainTo(folder.resolve("x"), "--set", "twoTower.dimensoin=4"),
        "twoTower.dimensoin",
        "did you mean 'dimension'?");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.csv"), "");
    assertRefused(trainOn(empty), "empty.csv is empty");
  }

  @Test
  void aMissingColumnIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), "user,thing\n1,2\n");
    assertRefused(trainOn(file), "a.csv, line 1", "there is no item column", "item=");
  }

  @Test
  void aMissingFileIsRefused() {
    assertRefused(trainOn(folder.resolve("none.csv")), "none.csv");
  }

  private Cli.Result trainOn(Path events) {
    return Cli.run(
        "train",
        "--recipe",
        recipe.toString(),
        "--events",
        events.toString(),
        "--out",
        folder.resolve("x").toString());
  }

  @Test
  void anUnwritableOutIsRefusedBeforeTraining() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Cli.Result result = trainTo(file.resolve("model"));
    assertRefused(result, "--out");
    assertThat(result.err()).doesNotContain("epoch");
  }

  @Test
  void anUnknownUserIsRefused() {
    assertRefused(
        Cli.run("recommend", "--model", model.toString(), "--user", "nobody"),
        "'nobody'",
        "--history");
  }

  @Test
  void recommendForNobodyIsRefused() {
    assertRefused(Cli.run("recommend", "--model", model.toString()), "--user ID or --history FILE");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1"})
  void aListWithoutItemsIsRefused(String k) {
    assertRefused(Cli.run("recommend", "--model", model.toString(), "--user", "u1", "-k", k), k);
  }

  @Test
  void aBundleOfZerosIsRefused() throws IOException {
    Path copy = Files.createDirectories(folder.resolve("zeros"));
    try (Stream<Path> files = Files.walk(model)) {
      for (Path from : files.toList()) {
        Path to = copy.resolve(model.relativize(from).toString());
        if (Files.isDirectory(from)) {
          Files.createDirectories(to);
        } else {
          Files.write(to, new byte[(int) Files.size(from)]);
        }
      }
    }
    assertRefused(Cli.run("recommend", "--model", copy.toString(), "--user", "u1"), "zeros");
    assertRefused(
        Cli.run("recommend", "--model", folder.resolve("none").toString(), "--user", "u1"), "none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu9", "cuda:-1", "cuda:99", ""})
  void aDeviceThatIsNotThereIsRefused(String device) {
    assertRefused(
        Cli.run("recommend", "--device", device, "--model", model.toString(), "--user", "u1"),
        device);
  }

  @Test
  void anUnknownStrategyIsRefused() {
    assertRefused(
        Cli.run("recommend", "--model", model.toString(), "--user", "u1", "--strategy", "towr"),
        "towr",
        "two-tower");
  }

  @Test
  void wrongUsageIsTwo() {
    assertThat(Cli.run("trian").exit()).isEqualTo(2);
    assertThat(Cli.run("train").exit()).isEqualTo(2);
    assertThat(Cli.run("--help").exit()).isZero();
    for (String command :
        List.of("demo", "train", "evaluate", "recommend", "reproduce", "doctor")) {
      Cli.Result help = Cli.run(command, "--help");
      assertThat(help.exit()).as(command).isZero();
      assertThat(help.out()).startsWith("Usage: sextant " + command);
    }
    assertThat(Cli.run("--version").out()).startsWith("sextant ");
  }

  @Test
  void doctorKnowsWhatIsRequired() throws IOException {
    Path json = folder.resolve("doctor.json");
    Cli.Result plain = Cli.run("doctor", "--device", "cpu", "--json", json.toString());
    assertThat(plain.exit()).as(plain.err()).isZero();
    JsonNode tree = new ObjectMapper().readTree(json.toFile());
    assertCommon(tree, "doctor", 1);
    assertThat(tree.properties().stream().map(e -> e.getKey()))
        .contains(
            "engine", "libtorch", "flavor", "devices", "threads", "allocator", "blas", "warnings");
    assertRefused(Cli.run("doctor", "--require", "rocm"), "rocm");
    assumeTrue(Devices.gpuCount() == 0, "there is a GPU");
    Cli.Result required = Cli.run("doctor", "--require", "cuda");
    assertThat(required.exit()).isEqualTo(1);
    assertThat(required.complaint()).contains("CUDA");
  }
}
