package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.data.Interactions;
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

/** The protocol on small data: users of two groups, who take items of their group only. */
class NoiseTest {

  private static final int USERS = 120;
  private static final int GROUP = 60;
  private static final int LENGTH = 30;

  @TempDir Path data;

  @BeforeEach
  void write() throws IOException {
    Path folder = Files.createDirectory(data.resolve("ncf-loo"));
    Random random = new Random(1);
    try (Writer train =
        new OutputStreamWriter(
            new GZIPOutputStream(Files.newOutputStream(folder.resolve("ml-1m.train.pairs.tsv.gz"))),
            StandardCharsets.UTF_8)) {
      for (int user = 0; user < USERS; user++) {
        int first = user % 2 * GROUP;
        for (int item : random.ints(0, GROUP).distinct().limit(LENGTH).toArray()) {
          train.write("%d\t%d\n".formatted(user, first + item));
        }
      }
    }
  }

  @Test
  void everyFieldOfTheContractIsThere() throws IOException {
    Path page = data.resolve("page.html");
    JsonNode json =
        noise("--rate", "0.4", "--informative", "--seeds", "2", "--report", page.toString());
    assertThat(Files.readString(page)).contains("Seed 1", "Seed 2", "Weights of events", "corrupt");
    assertThat(json.path("command").asText()).isEqualTo("noise");
    for (String method : new String[] {"plain", "weighted", "oracle", "clean"}) {
      JsonNode metric = json.path(method).path("ndcg@10");
      assertThat(metric.path("value").asDouble()).as(method).isBetween(0.0, 1.0);
      assertThat(metric.path("lo").asDouble()).isLessThan(metric.path("hi").asDouble());
    }
    assertThat(json.path("differences").size()).isEqualTo(3);
    assertThat(json.path("weightAuc").asDouble()).isBetween(0.0, 1.0);
    assertThat(json.path("popularityAuc").asDouble()).isBetween(0.0, 1.0);
    assertThat(json.path("bySeed").size()).isEqualTo(2);
    JsonNode seed = json.path("bySeed").path(0);
    double mean =
        (seed.path("plain").asDouble() + json.path("bySeed").path(1).path("plain").asDouble()) / 2;
    assertThat(json.path("plain").path("ndcg@10").path("value").asDouble())
        .isCloseTo(mean, within(0.05));
    assertThat(seed.path("policy").path("quantiles").size()).isEqualTo(7);
    assertThat(seed.path("policy").path("outcome").asText()).isNotEmpty();
  }

  @Test
  void withoutCorruptionNothingIsRecovered() throws IOException {
    JsonNode json = noise("--rate", "0", "--informative", "false");
    assertThat(json.path("weightAuc").isMissingNode()).isTrue();
    JsonNode seed = json.path("bySeed").path(0);
    assertThat(seed.path("oracle").asDouble()).isEqualTo(seed.path("plain").asDouble());
    assertThat(seed.path("clean").asDouble()).isEqualTo(seed.path("plain").asDouble());
  }

  @Test
  void worldsAreCorruptedAtTheRateAndTheirSlicesAreApart() {
    Interactions all = NoiseWorld.read(data);
    NoiseWorld world = NoiseWorld.of(all, 0.4, true, 7);
    assertThat(world.test().size()).isEqualTo(all.size() / 10);
    assertThat(
            world.clean().size()
                + world.metaSet().size()
                + world.guard().size()
                + world.test().size())
        .isEqualTo(all.size());
    assertThat(world.metaSet().size()).isCloseTo(all.size() / 50, within(1));
    int corrupt = 0;
    int changed = 0;
    for (int row = 0; row < world.observed().size(); row++) {
      boolean bad = world.corrupt()[row];
      corrupt += bad ? 1 : 0;
      boolean same = world.observed().itemAt(row) == world.clean().itemAt(row);
      assertThat(world.observed().userAt(row)).isEqualTo(world.clean().userAt(row));
      assertThat(bad || same).isTrue();
      changed += same ? 0 : 1;
    }
    double rows = world.observed().size();
    // Four standard errors of a binomial; a random item is the old one once in 120.
    assertThat(corrupt / rows).isCloseTo(0.4, within(4 * Math.sqrt(0.24 / rows)));
    assertThat((double) changed / corrupt).isGreaterThan(0.95);
    assertThat(world.oracle().size()).isEqualTo(world.observed().size() - corrupt);
    assertThat(tellingFeatures(world)).isEqualTo(1);
    assertThat(tellingFeatures(NoiseWorld.of(all, 0.4, false, 7))).isZero();
  }

  /** How many features differ in their mean between clean and corrupt rows. */
  private static int tellingFeatures(NoiseWorld world) {
    float[] values = world.features().interactions().values();
    int telling = 0;
    for (int f = 0; f < 5; f++) {
      double[] sums = new double[2];
      int[] counts = new int[2];
      for (int row = 0; row < world.corrupt().length; row++) {
        int kind = world.corrupt()[row] ? 1 : 0;
        sums[kind] += values[row * 5 + f];
        counts[kind]++;
      }
      double apart = Math.abs(sums[0] / counts[0] - sums[1] / counts[1]);
      telling += apart > 0.5 ? 1 : 0;
    }
    return telling;
  }

  @Test
  void badInputIsRefused() {
    assertThat(run("none.json", "--rate", "1").complaint()).contains("--rate must be in [0, 1)");
    assertThat(run("none.json", "--rate", "0.2", "--seeds", "0").complaint())
        .contains("--seeds must be >= 1");
    assertThat(run("none.json").exit()).isEqualTo(2);
    Cli.Result missing =
        Cli.run("noise", "--data", data.resolve("nowhere").toString(), "--rate", "0.2");
    assertThat(missing.exit()).isEqualTo(2);
    assertThat(missing.complaint()).contains("ml-1m.train.pairs.tsv.gz");
    assertThat(data.resolve("none.json")).doesNotExist();
  }

  private JsonNode noise(String... more) throws IOException {
    Cli.Result result = run("result.json", more);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(data.resolve("result.json").toFile());
  }

  private Cli.Result run(String json, String... more) {
    String[] args = {
      "noise", "--data", data.toString(), "--device", "cpu", "--json", data.resolve(json).toString()
    };
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return Cli.run(all);
  }
}
