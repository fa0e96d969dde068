package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Interactions;
import io.sextant.models.ModelZoo;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** {@code train} with {@code [weights]}: users rate items of their own group high, others low. */
class TrainWeightsTest {

  private static final int SEEDS = 5;

  private static final String RECIPE =
      """
      [data]
      format = "csv"
      ordered = false

      [popularity]

      [itemNeighbours]

      [als]
      factors = 8
      weighted = true

      [twoTower]
      dimension = 8
      history = "NONE"
      objective = "BPR"
      negatives = 3
      epochs = 6
      batchSize = 256
      userLearningRate = 0.1
      itemLearningRate = 0.1
      patience = 0

      [sequence]
      dimension = 8
      hidden = 8
      epochs = 1

      [weights]
      minValue = 4.0
      features = ["VALUE"]
      learningRate = 0.03
      batchSize = 512
      dimension = 8
      """;

  @TempDir Path folder;
  private Path csv;
  private Path recipe;

  @BeforeEach
  void write() throws IOException {
    csv = Cli.ratedGroups(folder);
    recipe = Files.writeString(folder.resolve("recipe.toml"), RECIPE);
  }

  /** Over five seeds: most learn weights that pay, and on average they tell events apart. */
  @Test
  void weightsArePaidForOnAverage() throws IOException {
    Files.writeString(
        recipe, RECIPE.replace("[sequence]\ndimension = 8\nhidden = 8\nepochs = 1\n", ""));
    int kept = 0;
    double auc = 0;
    Map<String, Double> gains = new TreeMap<>();
    for (int seed = 1; seed <= SEEDS; seed++) {
      JsonNode weights =
          train(folder.resolve("model" + seed), "--seed", Integer.toString(seed)).path("weights");
      // Without learned weights nothing tells trusted events from others.
      auc += weights.path("trusted").path("weightAuc").asDouble(0.5) / SEEDS;
      for (String strategy : List.of("two-tower", "als", "rp3beta")) {
        JsonNode tried = weights.path("strategies").path(strategy);
        gains.merge(
            strategy,
            tried.path("differences").path("ndcg@100").path("value").asDouble() / SEEDS,
            Double::sum);
        kept += tried.path("kept").asBoolean() ? 1 : 0;
        assertThat(tried.path("kept").asBoolean())
            .as("%s, seed %d", strategy, seed)
            .isEqualTo(tried.path("pays").asBoolean());
      }
    }
    assertThat(auc).isGreaterThan(0.85);
    assertThat(kept).isGreaterThanOrEqualTo(SEEDS);
    assertThat(gains).allSatisfy((strategy, gain) -> assertThat(gain).as(strategy).isPositive());
  }

  @Test
  void weightsAreRecordedAndReported() throws Exception {
    // The first of the seeds with which weights are learned: each has a chance of nine in ten.
    Path out = folder;
    JsonNode weights = new ObjectMapper().createObjectNode();
    for (int seed = 1; seed <= SEEDS && !learned(weights); seed++) {
      out = folder.resolve("model" + seed);
      weights = train(out, "--seed", Integer.toString(seed)).path("weights");
    }
    assertThat(learned(weights)).isTrue();
    assertThat(weights.path("learner").asText()).isEqualTo("two-tower");
    assertThat(weights.path("metaSet").asInt()).isPositive();
    assertThat(weights.path("features").path(0).path("name").asText()).isEqualTo("value");
    assertThat(weights.path("strategies")).hasSize(4);
    JsonNode tower = weights.path("strategies").path("two-tower");
    assertThat(tower.path("kept").asBoolean()).isEqualTo(tower.path("pays").asBoolean());

    Path page = folder.resolve("report.html");
    Cli.Result report = Cli.run("report", "--run", out + "", "--out", page + "");
    assertThat(report.exit()).as(report.err()).isZero();
    String html = Files.readString(page);
    assertThat(html)
        .contains("Weights of events", "weigh at most", "gain on the guard", "of popularity alone");
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html.replace("<!DOCTYPE html>", ""))));
  }

  private static boolean learned(JsonNode weights) {
    return weights.path("outcome").asText().equals("LEARNED");
  }

  /** Beside the sequence model itself, and frozen for it and for the neighbours. */
  @Test
  void weightsAreLearnedBesideTheSequenceModelToo() throws IOException {
    Files.writeString(
        recipe,
        """
        [data]
        format = "csv"

        [itemNeighbours]

        [sequence]
        dimension = 8
        hidden = 8
        epochs = 3
        batchSize = 16
        learningRate = 0.01
        itemLearningRate = 0.01

        [weights]
        learner = "SEQUENCE"
        mode = "ALWAYS"
        minValue = 4.0
        features = ["VALUE"]
        learningRate = 0.03
        """);
    Path out = folder.resolve("model");
    JsonNode weights = train(out).path("weights");
    assertThat(weights.path("learner").asText()).isEqualTo("sequence");
    assertThat(weights.path("steps").asInt()).isPositive();
    assertThat(weights.path("strategies").properties())
        .extracting(Map.Entry::getKey)
        .containsExactly("rp3beta", "sequence");
    Path page = folder.resolve("report.html");
    Cli.run("report", "--run", out + "", "--out", page + "");
    assertThat(Files.readString(page)).contains("Weights of events", "model of type sequence");
  }

  @Test
  void weightsThatAreNeverKeptLeaveTheBundleAsItWas() throws IOException {
    JsonNode never = train(folder.resolve("never"), "--set", "weights.mode=NEVER");
    assertThat(never.path("weights").path("strategies")).hasSize(4);
    assertThat(never.path("weights").toString()).doesNotContain("\"kept\":true");
    Files.writeString(recipe, RECIPE.substring(0, RECIPE.indexOf("[weights]")));
    assertThat(train(folder.resolve("plain")).has("weights")).isFalse();
    for (String name : new String[] {"als", "rp3beta", "two-tower", "sequence"}) {
      Path file = Path.of("strategies", name + ".safetensors");
      assertThat(Files.readAllBytes(folder.resolve("never").resolve(file)))
          .as(name)
          .isEqualTo(Files.readAllBytes(folder.resolve("plain").resolve(file)));
    }
  }

  @Test
  void withAPolicyTheSliceIsNotLearnedFrom() throws IOException {
    Files.writeString(
        recipe,
        RECIPE.replace("[sequence]\ndimension = 8\nhidden = 8\nepochs = 1\n", "")
            + "\n[meta]\nk = 5\ncandidates = 30\npoolDepth = 10\nhidden = 8\nepochs = 2\n");
    JsonNode result = train(folder.resolve("model"), "--set", "weights.mode=ALWAYS");
    assertThat(result.path("policyVersion").asText()).isNotEmpty();
    assertThat(result.path("weights").path("strategies")).hasSize(3);
    int meta = result.path("weights").path("metaSet").asInt();
    // A tenth of the two thirds of 3,600 that are trusted, without the slice and the late events.
    assertThat((double) meta).isCloseTo(0.1 * 2400 * 0.81, within(60.0));
  }

  @Test
  void whatCannotBeLearnedFromIsSaid() {
    Cli.Result none = run(folder.resolve("none"), "--set", "weights.minValue=9.0");
    assertThat(none.exit()).isEqualTo(2);
    assertThat(none.complaint()).contains("0 are in the meta set", "weights.minValue");
    Cli.Result constant = run(folder.resolve("none"), "--set", "weights.features=['DEVICE']");
    assertThat(constant.complaint()).contains("features [DEVICE] are the same for every event");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void aPairIsInOneSliceWithAllItsRows() throws IOException {
    Interactions all =
        EventFiles.load(
                ModelZoo.parse(RECIPE, "r", Map.of()),
                EventFiles.reader(csv, "csv", ColumnMapping.DEFAULT),
                null,
                null,
                null)
            .data()
            .interactions();
    Interactions twice = all.concat(all);
    TrustedSlices slices =
        TrustedSlices.of(twice, row -> true, row -> twice.valueAt(row) >= 4, 0.2, 0.3, 1);
    int[] users = twice.userOfRow();
    int held = 0;
    for (int row = 0; row < twice.size(); row++) {
      int item = twice.itemAt(row);
      boolean inMeta =
          Arrays.stream(slices.metaSet().historyOf(users[row])).anyMatch(i -> i == item);
      boolean inGuard =
          Arrays.stream(slices.guardSet().historyOf(users[row])).anyMatch(i -> i == item);
      assertThat(inMeta && inGuard).isFalse();
      assertThat(slices.learnable()[row]).isEqualTo(!inMeta && !inGuard);
      held += slices.learnable()[row] ? 0 : 1;
    }
    assertThat(held).isEqualTo(2 * (slices.metaSet().size() + slices.guardSet().size()));
  }

  private JsonNode train(Path out, String... more) throws IOException {
    Cli.Result result = run(out, more);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(folder.resolve("result.json").toFile());
  }

  private Cli.Result run(Path out, String... more) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "train",
                    "--recipe",
                    recipe + "",
                    "--events",
                    csv + "",
                    "--out",
                    out + "",
                    "--device",
                    "cpu",
                    "--json",
                    folder.resolve("result.json") + ""),
                Stream.of(more))
            .toArray(String[]::new));
  }
}
