package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool on sequences in which every item has a favourite successor. */
class PoolProtocolTest {

  private static final int USERS = 240;
  private static final int ITEMS = 60;
  private static final List<String> STRATEGIES = List.of("popularity", "transitions", "rp3beta");

  @TempDir static Path folder;

  @BeforeAll
  static void writeSequences() throws IOException {
    Random random = new Random(7);
    StringBuilder lines = new StringBuilder();
    for (int user = 1; user <= USERS; user++) {
      lines.append(user);
      int item = random.nextInt(ITEMS);
      for (int step = 0; step < 12; step++) {
        lines.append(' ').append(item + 1);
        item = random.nextDouble() < 0.9 ? (item + 17) % ITEMS : random.nextInt(ITEMS);
      }
      lines.append('\n');
    }
    Files.writeString(Files.createDirectory(folder.resolve("data")).resolve("s.txt"), lines);
  }

  private static JsonNode reproduce(String... more) throws IOException {
    Path json = folder.resolve("result.json");
    List<String> args =
        new ArrayList<>(
            List.of(
                "reproduce",
                "generic-loo",
                "--data",
                folder.resolve("data") + "",
                "--device",
                "cpu",
                "--strategies",
                String.join(",", STRATEGIES),
                "--json",
                json + ""));
    args.addAll(List.of(more));
    Cli.Result result = Cli.run(args.toArray(String[]::new));
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(json.toFile());
  }

  @Test
  void severalSeedsAreAveragedUserByUser() throws IOException {
    JsonNode both = reproduce("--seeds", "2", "--frontier");
    assertThat(both.path("seeds").toString()).isEqualTo("[1,2]");
    assertThat(both.path("bySeed")).hasSize(2);
    assertThat(both.path("bestSingle").asText()).isEqualTo("transitions");
    double first = reproduce().path("mixers").path("policy").path("hr@10").path("value").asDouble();
    double second =
        reproduce("--seed", "2")
            .path("mixers")
            .path("policy")
            .path("hr@10")
            .path("value")
            .asDouble();
    JsonNode policy = both.path("mixers").path("policy").path("hr@10");
    assertThat(policy.path("value").asDouble()).isCloseTo((first + second) / 2, within(1e-9));
    assertThat(both.path("bySeed").path(1).path("policy").path("hr@10").asDouble())
        .isCloseTo(second, within(1e-9));
    // A random list of 10 of 60 has .17; the successor alone is right in nine of ten cases, if new.
    assertThat(policy.path("lo").asDouble()).isGreaterThan(0.4);
    for (String name : STRATEGIES) {
      JsonNode strategy = both.path("strategies").path(name);
      assertThat(strategy.path("modelMb").asDouble()).as(name).isPositive();
      assertThat(strategy.path("seconds").asDouble()).as(name).isPositive();
      assertThat(strategy.path("millisPer1000Users").asDouble(-1)).as(name).isNotNegative();
      assertThat(strategy.has("peakMb")).as(name).isTrue();
    }
    assertThat(both.path("frontier").size()).isGreaterThan(STRATEGIES.size());
    for (JsonNode point : both.path("frontier")) {
      assertThat(point.path("strategies")).isNotEmpty();
      assertThat(point.path("ndcg").asDouble()).isBetween(0.0, 1.0);
    }
  }

  @Test
  void aProtocolOfOneSeedSaysSo() {
    Cli.Result result = Cli.run("reproduce", "ml-1m-ncf", "--data", folder + "", "--seeds", "3");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("--seeds").contains("--seed");
    assertThat(Cli.run("reproduce", "beauty", "--data", folder + "", "--seeds", "0").exit())
        .isEqualTo(2);
  }
}
