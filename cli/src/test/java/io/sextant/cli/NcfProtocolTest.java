package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The protocol on small data: users of two groups, who take items of their group only. The test
 * item is one of the own group, the negatives are the other group's items.
 */
class NcfProtocolTest {

  private static final int USERS = 100;
  private static final int GROUP = 80;
  private static final int LENGTH = 40;
  private static final int NEGATIVES = 99;

  @TempDir Path data;
  private Path test;
  private final String[] lines = new String[USERS];

  @BeforeEach
  void write() throws IOException {
    Path folder = Files.createDirectory(data.resolve("ncf-loo"));
    test = folder.resolve("ml-1m.test.negative");
    Random random = new Random(1);
    try (Writer train =
        new OutputStreamWriter(
            new GZIPOutputStream(Files.newOutputStream(folder.resolve("ml-1m.train.pairs.tsv.gz"))),
            StandardCharsets.UTF_8)) {
      for (int user = 0; user < USERS; user++) {
        int group = user % 2;
        int[] items = random.ints(0, GROUP).distinct().limit(LENGTH + 1L).toArray();
        for (int i = 0; i < LENGTH; i++) {
          train.write("%d\t%d\n".formatted(user, group * GROUP + items[i]));
        }
        int positive = group * GROUP + items[LENGTH];
        StringBuilder line = new StringBuilder("(%d,%d)".formatted(user, positive));
        for (int n = 0; n < NEGATIVES; n++) {
          // Beyond the other group the positive stands among its own negatives, as in the real
          // file.
          line.append('\t').append(n < GROUP ? (1 - group) * GROUP + n : positive);
        }
        lines[user] = line.toString();
      }
    }
  }

  @Test
  void theOwnGroupIsFoundAndNegativesThatAreThePositiveAreSkipped() throws IOException {
    Files.write(test, Arrays.asList(lines));
    JsonNode json = reproduce();
    assertThat(json.path("part").asText()).isEqualTo("test");
    assertThat(hitRate(json, "two-tower")).isEqualTo(1);
    assertThat(hitRate(json, "popularity")).isBetween(0.01, 0.4);
  }

  @Test
  void aPositiveThatTheTrainingFileLacksIsAMiss() throws IOException {
    lines[7] = lines[7].replaceAll("\\(7,\\d+\\)", "(7,12345)");
    Files.write(test, Arrays.asList(lines));
    assertThat(hitRate(reproduce(), "two-tower")).isCloseTo(0.99, within(1e-9));
  }

  @Test
  void validationLeavesTheTestPartAlone() throws IOException {
    JsonNode json = reproduce("--validate-only");
    assertThat(test).doesNotExist();
    assertThat(json.path("part").asText()).isEqualTo("validation");
    // 40 of the 80 items of the own group are unseen, so about a third of the negatives are alike.
    assertThat(hitRate(json, "two-tower")).isGreaterThan(hitRate(json, "popularity") + 0.1);
  }

  @Test
  void badInputIsRefused() throws IOException {
    Cli.Result missing = run("none.json");
    assertThat(missing.exit()).isEqualTo(2);
    assertThat(missing.complaint()).contains("ml-1m.test.negative", "cannot be read");
    lines[3] = lines[3].replace("(3,", "(4711,");
    Files.write(test, Arrays.asList(lines));
    Cli.Result unknown = run("none.json");
    assertThat(unknown.exit()).isEqualTo(2);
    assertThat(unknown.complaint()).contains("line 4", "user 4711");
  }

  private static double hitRate(JsonNode json, String strategy) {
    return json.path("strategies").path(strategy).path("hr@10").path("value").asDouble();
  }

  private JsonNode reproduce(String... more) throws IOException {
    Cli.Result result = run("result.json", more);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(data.resolve("result.json").toFile());
  }

  private Cli.Result run(String json, String... more) {
    String[] args = {
      "reproduce",
      "ml-1m-ncf",
      "--data",
      data.toString(),
      "--device",
      "cpu",
      "--json",
      data.resolve(json).toString()
    };
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return Cli.run(all);
  }
}
