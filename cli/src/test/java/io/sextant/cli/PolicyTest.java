package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.TwoTowerStrategy;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** Train, evaluate and recommend with a policy over several strategies. */
class PolicyTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path csv;
  private static Path recipe;
  private static Path model;
  private static JsonNode trained;

  @BeforeAll
  static void train() throws IOException {
    csv = Cli.csv(shared);
    recipe = Files.writeString(shared.resolve("pool.toml"), Cli.RECIPE + Cli.POOL);
    model = shared.resolve("model");
    trained = trainTo(model, shared);
  }

  private static JsonNode trainTo(Path out, Path folder, String... more) throws IOException {
    return run(
        folder,
        Stream.concat(
                Stream.of(
                    "train", "--recipe", recipe + "", "--events", csv + "", "--out", out + ""),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private static JsonNode run(Path folder, String... args) throws IOException {
    Path json = folder.resolve("result.json");
    Cli.Result result =
        Cli.run(
            Stream.concat(Stream.of(args), Stream.of("--device", "cpu", "--json", json + ""))
                .toArray(String[]::new));
    assertThat(result.exit()).as(result.err()).isZero();
    return JSON.readTree(json.toFile());
  }

  @Test
  void trainSaysWhichPolicyItWrote() {
    assertThat(trained.path("strategies").toString())
        .isEqualTo(
            "[\"popularity\",\"late-popularity\",\"transitions\",\"rp3beta\",\"two-tower\"]");
    assertThat(trained.path("policyVersion").asText()).matches("[0-9a-f]{12}");
    assertThat(trained.path("warnings")).isEmpty();
    assertThat(trained.path("epochs").asInt()).isEqualTo(2);
    try (ModelBundle bundle = ModelBundle.open(model)) {
      assertThat(bundle.policy().orElseThrow().version())
          .isEqualTo(trained.path("policyVersion").asText());
    }
    assertThat(shared.resolve(".model.checkpoint")).doesNotExist();
  }

  @Test
  void theSameDataGiveTheSamePolicy() throws IOException {
    JsonNode again = trainTo(folder.resolve("again"), folder);
    assertThat(again.path("policyVersion")).isEqualTo(trained.path("policyVersion"));
    JsonNode other = trainTo(folder.resolve("other"), folder, "--seed", "2");
    assertThat(other.path("policyVersion")).isNotEqualTo(trained.path("policyVersion"));
  }

  @Test
  void recommendUsesThePolicyAndItsPartsAddUp() throws IOException {
    Path history = Files.writeString(folder.resolve("history.txt"), "i3\ni4\n");
    JsonNode known = recommend("--user", "u1", "--user", "u2");
    JsonNode unseen = recommend("--history", history.toString());
    for (JsonNode result : List.of(known, unseen)) {
      assertThat(result.path("strategy").asText()).isEqualTo("policy");
      assertThat(result.path("policyVersion")).isEqualTo(trained.path("policyVersion"));
      for (JsonNode list : result.path("lists")) {
        assertThat(list.path("items")).hasSize(8);
        for (JsonNode item : list.path("items")) {
          List<String> names = new ArrayList<>();
          double sum = 0;
          for (var part : item.path("parts").properties()) {
            names.add(part.getKey());
            sum += part.getValue().asDouble();
          }
          assertThat(names)
              .containsExactly(
                  "popularity", "late-popularity", "transitions", "rp3beta", "two-tower", "bias");
          assertThat(sum).isCloseTo(item.path("score").asDouble(Double.NaN), within(1e-4));
        }
      }
    }
    assertThat(ids(unseen)).doesNotContain("i3", "i4");
  }

  @Test
  void explainGivesASentenceAndNumbersThatAddUp() throws IOException {
    JsonNode list = recommend("--user", "u1", "--explain").path("lists").path(0);
    assertThat(list.path("reasons")).hasSize(list.path("items").size());
    for (int i = 0; i < list.path("items").size(); i++) {
      JsonNode item = list.path("items").path(i);
      JsonNode reason = list.path("reasons").path(i);
      assertThat(reason.path("item")).isEqualTo(item.path("id"));
      assertThat(reason.path("sentence").asText()).endsWith(".");
      double score = reason.path("bias").asDouble();
      for (JsonNode part : reason.path("parts")) {
        score += part.path("baseline").asDouble() + part.path("tilt").asDouble();
        double retrieval = part.path("rest").asDouble();
        for (JsonNode liked : part.path("history")) {
          retrieval += liked.path("value").asDouble();
        }
        assertThat(retrieval).isCloseTo(part.path("retrieval").asDouble(), within(1e-4));
      }
      assertThat(reason.path("rescored").asBoolean()).isTrue();
      assertThat(score).isCloseTo(item.path("score").asDouble(), within(1e-4));
    }
    Cli.Result printed =
        Cli.run("recommend", "--model", model + "", "--user", "u1", "-k", "1", "--explain");
    assertThat(printed.out()).contains("Because ", "shared weight", "transitions");
  }

  @Test
  void aBudgetLeavesOutWhatIsNotWorthItsTime() throws IOException {
    JsonNode all = trainTo(folder.resolve("all"), folder, "--budget-ms", "1e9");
    double cheapest = all.path("frontier").path(0).path("millisPer1000Users").asDouble();
    assertThat(all.path("strategies").size()).isGreaterThan(1);
    assertThat(all.path("policyVersion").asText()).isNotEmpty();
    assertThat(cheapest).isPositive();
    Cli.Result tooSmall =
        Cli.run(
            "train",
            "--recipe",
            recipe + "",
            "--events",
            csv + "",
            "--device",
            "cpu",
            "--out",
            folder.resolve("none") + "",
            "--budget-ms",
            "1e-9");
    assertThat(tooSmall.exit()).isEqualTo(2);
    assertThat(tooSmall.err()).contains("budget").contains("cheapest");
    assertThat(folder.resolve("none")).doesNotExist();
    for (String wrong : List.of("0", "-1", "NaN")) {
      assertThat(
              Cli.run(
                      "train",
                      "--recipe",
                      recipe + "",
                      "--events",
                      csv + "",
                      "--out",
                      folder.resolve("none") + "",
                      "--budget-ms",
                      wrong)
                  .exit())
          .isEqualTo(2);
    }
  }

  @Test
  void tuningTellsWhatItTriedAndTheBundleKeepsWhatItFound() throws IOException {
    Path out = folder.resolve("tuned");
    JsonNode result =
        trainTo(out, folder, "--tune", "2", "--set", "twoTower.epochs=1", "--seed", "3");
    assertThat(result.path("tuningSeconds").asDouble()).isPositive();
    for (String name : List.of("late-popularity", "transitions", "rp3beta", "two-tower")) {
      JsonNode tuning = result.path("tuning").path(name);
      assertThat(tuning.path("trials")).as(name).hasSize(3);
      double standard = tuning.path("standard").path("value").asDouble();
      assertThat(tuning.path("best").path("value").asDouble()).isGreaterThanOrEqualTo(standard);
    }
    try (ModelBundle bundle = ModelBundle.open(out)) {
      Recipe kept =
          ModelZoo.parse(bundle.provenance().getOrDefault("recipe", ""), "kept", Map.of());
      JsonNode found = result.path("tuning").path("transitions").path("best").path("settings");
      if (found.has("maxGap")) {
        assertThat(kept.transitions().get(0).maxGap()).isEqualTo(found.path("maxGap").asInt());
      }
      JsonNode epochs =
          result.path("tuning").path("two-tower").path("best").path("settings").path("epochs");
      assertThat(kept.strategies(3))
          .filteredOn(TwoTowerStrategy.class::isInstance)
          .extracting(s -> ((TwoTowerStrategy) s).training().epochs())
          .containsExactly(epochs.asInt(1));
    }
    assertThat(shared.resolve(".tuned.checkpoint")).doesNotExist();
  }

  @Test
  void theReportIsOneWellFormedPage() throws Exception {
    Path page = folder.resolve("report.html");
    Cli.Result result = Cli.run("report", "--run", model + "", "--out", page + "");
    assertThat(result.exit()).as(result.err()).isZero();
    String html = Files.readString(page);
    assertThat(html)
        .contains(trained.path("policyVersion").asText(), "late-popularity", "history.decay = 0.6")
        .doesNotContain("<script", "href=", "src=");
    DocumentBuilderFactory xml = DocumentBuilderFactory.newInstance();
    Document parsed =
        xml.newDocumentBuilder()
            .parse(new InputSource(new StringReader(html.replace("<!DOCTYPE html>", ""))));
    assertThat(parsed.getElementsByTagName("h2").getLength()).isGreaterThanOrEqualTo(3);
    // The table of the policy has a row for each strategy.
    assertThat(html.split("<td>transitions</td>", -1)).hasSize(3);

    Cli.Result missing =
        Cli.run("report", "--run", folder + "", "--out", folder.resolve("none.html") + "");
    assertThat(missing.exit()).isEqualTo(2);
    assertThat(folder.resolve("none.html")).doesNotExist();
  }

  @Test
  void aStrategyAloneIsNotExplained() {
    Cli.Result result =
        Cli.run(
            "recommend",
            "--model",
            model + "",
            "--user",
            "u1",
            "--strategy",
            "rp3beta",
            "--explain");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("rp3beta").contains("[meta]");
  }

  @Test
  void oneStrategyCanBePicked() throws IOException {
    JsonNode result = recommend("--user", "u1", "--strategy", "popularity");
    assertThat(result.path("strategy").asText()).isEqualTo("popularity");
    assertThat(result.has("policyVersion")).isFalse();
    for (JsonNode item : result.path("lists").path(0).path("items")) {
      assertThat(item.path("parts").size()).isEqualTo(1);
      assertThat(item.path("parts").path("popularity")).isEqualTo(item.path("score"));
    }
    assertThat(ids(result)).isNotEqualTo(ids(recommend("--user", "u1")));
  }

  @Test
  void evaluateUsesThePolicyOrTheStrategyThatIsPicked() throws IOException {
    JsonNode policy = evaluate();
    assertThat(policy.path("strategy").asText()).isEqualTo("policy");
    assertThat(policy.path("policyVersion")).isEqualTo(trained.path("policyVersion"));
    assertThat(policy.path("users").asInt()).isEqualTo(40);
    JsonNode popularity = evaluate("--strategy", "popularity");
    assertThat(popularity.path("strategy").asText()).isEqualTo("popularity");
    // Users walk along a ring of items: whoever looks at the latest item beats popularity by far.
    assertThat(policy.path("metrics").path("ndcg@10").path("lo").asDouble(Double.NaN))
        .isGreaterThan(popularity.path("metrics").path("ndcg@10").path("hi").asDouble(Double.NaN));
  }

  @Test
  void aStrategyThatCannotBeFittedIsLeftOutWithAWarning() throws IOException {
    Path more =
        Files.writeString(
            folder.resolve("more.toml"), Cli.RECIPE + Cli.POOL + "[content]\n[contentVectors]\n");
    Path out = folder.resolve("m");
    JsonNode result =
        run(folder, "train", "--recipe", more + "", "--events", csv + "", "--out", out + "");
    assertThat(result.path("strategies")).isEqualTo(trained.path("strategies"));
    assertThat(result.path("policyVersion")).isEqualTo(trained.path("policyVersion"));
    assertThat(result.path("warnings")).hasSize(2);
    assertThat(result.path("warnings").toString())
        .contains("'content' is left out", "'content-vectors' is left out");
  }

  @Test
  void whoAsksForNoHistoriesIsToldWhoHoldsThem() throws IOException {
    Path voters = Files.writeString(folder.resolve("voters.toml"), "[userNeighbours]\n");
    String[] train = {
      "train", "--recipe", voters + "", "--events", csv + "", "--out", folder.resolve("m") + ""
    };
    assertThat(run(folder, train).path("warnings")).isEmpty();
    assertThat(
            run(
                    folder,
                    Stream.concat(Stream.of(train), Stream.of("--no-histories"))
                        .toArray(String[]::new))
                .path("warnings")
                .toString())
        .contains("'user-neighbours'", "--no-histories");
  }

  @Test
  void tooFewUsersForAPolicyStillGiveABundle() throws IOException {
    StringBuilder text = new StringBuilder("user,item,timestamp\n");
    for (int user = 0; user < 5; user++) {
      for (int i = 0; i < 5; i++) {
        text.append("u%d,i%d,%d\n".formatted(user, (user + i) % 8, 1_600_000_000 + i));
      }
    }
    Path few = Files.writeString(folder.resolve("few.csv"), text);
    Path out = folder.resolve("m");
    JsonNode result =
        run(folder, "train", "--recipe", recipe + "", "--events", few + "", "--out", out + "");
    assertThat(result.has("policyVersion")).isFalse();
    assertThat(result.path("strategies")).isEqualTo(trained.path("strategies"));
    assertThat(result.path("warnings").toString())
        .contains("there is no policy: a policy needs at least 10 users");
    JsonNode list = run(folder, "recommend", "--model", out + "", "--user", "u0");
    assertThat(list.path("strategy").asText()).isEqualTo("two-tower");
  }

  @Test
  void withoutOrderTheSliceIsRandom() throws IOException {
    JsonNode result = trainTo(folder.resolve("m"), folder, "--set", "data.ordered=false");
    assertThat(result.path("policyVersion").asText())
        .matches("[0-9a-f]{12}")
        .isNotEqualTo(trained.path("policyVersion").asText());
  }

  private JsonNode recommend(String... more) throws IOException {
    return run(
        folder,
        Stream.concat(Stream.of("recommend", "--model", model + "", "-k", "8"), Stream.of(more))
            .toArray(String[]::new));
  }

  private JsonNode evaluate(String... more) throws IOException {
    return run(
        folder,
        Stream.concat(
                Stream.of("evaluate", "--model", model + "", "--events", csv + ""), Stream.of(more))
            .toArray(String[]::new));
  }

  private static List<String> ids(JsonNode result) {
    List<String> ids = new ArrayList<>();
    result.path("lists").path(0).path("items").forEach(item -> ids.add(item.path("id").asText()));
    return ids;
  }
}
