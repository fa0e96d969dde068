package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole main job on the bundled sample, once. */
class DemoTest {

  @TempDir Path folder;

  @Test
  void theTwoTowerModelBeatsPopularity() throws IOException {
    Path json = folder.resolve("demo.json");
    Path out = folder.resolve("model");
    Cli.Result result =
        Cli.run("demo", "--device", "cpu", "--json", json.toString(), "--out", out.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode tree = new ObjectMapper().readTree(json.toFile());
    for (String field :
        new String[] {"command", "version", "commit", "device", "seed", "seconds", "peakRssMb"}) {
      assertThat(tree.has(field)).as(field).isTrue();
    }
    for (String field : new String[] {"events", "users", "items"}) {
      assertThat(tree.path("data").path(field).asInt()).as(field).isPositive();
    }
    assertThat(tree.path("data").has("rejected")).isTrue();
    assertThat(tree.path("metrics").path("ndcg@10").path("value").asDouble()).isPositive();
    JsonNode baselines = tree.path("baselines");
    assertThat(baselines.path("popularityDecayed").has("ndcg@10")).isTrue();
    assertThat(baselines.path("popularity").path("ndcg@10").path("value").asDouble())
        .isCloseTo(0.0797, within(0.00005));
    JsonNode difference = tree.path("differences").path("two-tower-popularity").path("ndcg@10");
    assertThat(difference.path("lo").asDouble()).isPositive();
    assertThat(difference.path("hi").asDouble())
        .isGreaterThan(difference.path("value").asDouble(Double.NaN));
    assertThat(
            tree.path("differences").path("policy-two-tower").path("ndcg@10").path("lo").asDouble())
        .isPositive();
    assertThat(tree.path("policyVersion").asText()).matches("[0-9a-f]{12}");
    assertThat(tree.path("strategies").path("policy").has("ndcg@10")).isTrue();
    assertThat(tree.path("recommendations")).hasSize(4);
    assertThat(tree.path("recommendations").path(0).path("items").path(0).path("parts").size())
        .as("seven strategies and the bias")
        .isEqualTo(8);
    assertThat(out.resolve("manifest.json")).isRegularFile();
  }
}
