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
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The protocol on small data: users of two groups, who take items of their group only. */
class RatesTest {

  @TempDir Path data;

  @Test
  void everyFieldIsThere() throws IOException {
    Path folder = Files.createDirectory(data.resolve("ncf-loo"));
    Random random = new Random(1);
    try (Writer train =
        new OutputStreamWriter(
            new GZIPOutputStream(Files.newOutputStream(folder.resolve("ml-1m.train.pairs.tsv.gz"))),
            StandardCharsets.UTF_8)) {
      for (int user = 0; user < 120; user++) {
        int first = user % 2 * 40;
        for (int item : random.ints(0, 40).distinct().limit(20).toArray()) {
          train.write("%d\t%d\n".formatted(user, first + item));
        }
      }
    }
    Path file = data.resolve("result.json");
    Cli.Result result =
        Cli.run(
            "rates",
            "--data",
            data + "",
            "--users",
            "60",
            "--epochs",
            "2",
            "--device",
            "cpu",
            "--seed",
            "3",
            "--json",
            file + "");
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    assertThat(json.path("part").asText()).isEqualTo("test");
    assertThat(json.path("starts").asInt()).isEqualTo(2);
    assertThat(json.path("holds").asInt()).isBetween(0, 2);
    JsonNode seed = json.path("bySeed").path(0);
    assertThat(seed.path("seed").asInt()).isEqualTo(3);
    JsonNode best = seed.path("gridBest");
    double[] times = {0.1, 10};
    for (int s = 0; s < 2; s++) {
      JsonNode start = seed.path("starts").path(s);
      assertThat(start.path("times").asDouble()).isCloseTo(times[s], within(1e-6));
      JsonNode run = start.path("runs").path(0);
      assertThat(run.path("start").path("item").asDouble())
          .isCloseTo(times[s] * best.path("item").asDouble(), within(1e-4));
      double learned = start.path("ndcgOfLearned").asDouble();
      assertThat(start.path("learnedToGridBest").asDouble())
          .isCloseTo(learned / best.path("ndcg").asDouble(), within(1e-9));
      boolean kept = start.path("outcome").asText().equals("KEPT");
      assertThat(start.path("holds").asBoolean())
          .isEqualTo(!kept || learned >= 0.98 * best.path("ndcg").asDouble());
    }
    Cli.Result none = Cli.run("rates", "--data", data + "", "--seeds", "0", "--device", "cpu");
    assertThat(none.complaint()).contains("--seeds, --users and --epochs must be >= 1");
  }
}
