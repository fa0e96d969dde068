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
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** {@code train} with {@code [weights]}: users rate items of their own group high, others low. */
class TrainWeightsTest {

  private static final String RECIPE =
      """
      [data]
      format = "csv"
      ordered = false

      [popularity]

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

  /**
   * One of the seeds with which weights are learned, about nine in ten of them: with seed 1 the
   * first epoch's few batches look harmful to the guard, and all weights stay 1.
   */
  private static final String SEED = "2";

  @TempDir Path folder;
  private Path csv;
  private Path recipe;

  @BeforeEach
  void write() throws IOException {
    csv = Cli.ratedGroups(folder);
    recipe = Files.writeString(folder.resolve("recipe.toml"), RECIPE);
  }

  @Test
  void weightsThatPayAreKeptRecordedAndReported() throws Exception {
    Path out = folder.resolve("model");
    JsonNode weights = train(out).path("weights");
    assertThat(weights.path("outcome").asText()).isEqualTo("LEARNED");
    assertThat(weights.path("metaSet").asInt()).isPositive();
    assertThat(weights.path("features").path(0).path("name").asText()).isEqualTo("value");
    assertThat(weights.path("features").path(0).path("correlation").asDouble()).isGreaterThan(0.5);
    assertThat(weights.path("trusted").path("weightAuc").asDouble()).isGreaterThan(0.9);
    assertThat(weights.path("trusted").path("popularityAuc").asDouble()).isBetween(0.3, 0.7);
    assertThat(weights.path("strategies")).hasSize(3);
    JsonNode tower = weights.path("strategies").path("two-tower");
    assertThat(tower.path("pays").asBoolean()).isTrue();
    assertThat(tower.path("kept").asBoolean()).isTrue();
    assertThat(tower.path("differences").path("ndcg@100").path("lo").asDouble()).isPositive();

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

  @Test
  void weightsThatAreNeverKeptLeaveTheBundleAsItWas() throws IOException {
    JsonNode never = train(folder.resolve("never"), "--set", "weights.mode=NEVER");
    assertThat(never.path("weights").path("outcome").asText()).isEqualTo("LEARNED");
    assertThat(never.path("weights").toString()).doesNotContain("\"kept\":true");
    Files.writeString(recipe, RECIPE.substring(0, RECIPE.indexOf("[weights]")));
    assertThat(train(folder.resolve("plain")).has("weights")).isFalse();
    for (String name : new String[] {"als", "two-tower", "sequence"}) {
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
    assertThat(result.path("weights").path("strategies")).hasSize(2);
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
                    "--seed",
                    SEED,
                    "--json",
                    folder.resolve("result.json") + ""),
                Stream.of(more))
            .toArray(String[]::new));
  }
}
