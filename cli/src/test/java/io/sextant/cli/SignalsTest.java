package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.EventType;
import io.sextant.data.Interactions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The protocol on small data: users of two groups, who rate items of their group high. */
class SignalsTest {

  private static final int USERS = 80;
  private static final int GROUP = 30;
  private static final List<String> METHODS = List.of("equal", "handSet", "learned", "kept");

  @TempDir Path folder;

  @Test
  void everyFieldIsThereForRatings() throws IOException {
    writeRatings();
    JsonNode json = signals("ml-100k", "--seeds", "2");
    assertThat(json.path("part").asText()).isEqualTo("test");
    for (String strategy : List.of("two-tower", "als")) {
      JsonNode result = json.path("strategies").path(strategy);
      for (String method : METHODS) {
        JsonNode metric = result.path(method).path("ndcg@10");
        assertThat(metric.path("lo").asDouble(2))
            .as(strategy)
            .isLessThan(metric.path("hi").asDouble());
      }
      JsonNode difference = result.path("differences").path("learned-handSet").path("ndcg@100");
      assertThat(difference.path("value").asDouble())
          .isCloseTo(
              result.path("learned").path("ndcg@100").path("value").asDouble()
                  - result.path("handSet").path("ndcg@100").path("value").asDouble(),
              within(1e-9));
      JsonNode seed = json.path("bySeed").path(1).path(strategy);
      assertThat(seed.path("chosen").path("handSet").asText()).isNotEmpty();
      assertThat(seed.path("chosen").path("learned").asText()).startsWith("learned");
    }
    assertThat(json.path("bySeed").path(0).path("policy").path("quantiles")).hasSize(7);
  }

  @Test
  void typesAreReadFromTheArchive() throws IOException {
    writeStages();
    Interactions all = SignalsData.RETAILROCKET.read(folder);
    assertThat(all.size()).isEqualTo(3 + 2 + 1);
    assertThat(all.typeAt(all.start(0))).isEqualTo(EventType.VIEW);
    assertThat(all.weightAt(all.end(0) - 1)).as("a purchase weighs as a view").isEqualTo(1);
    assertThat(run("retailrocket", "--seeds", "0").complaint()).contains("--seeds must be >= 1");
    assertThat(run("netflix").complaint()).contains("known: ml-100k");
    Files.delete(folder.resolve("Retailrocket_Ecommerce.zip"));
    assertThat(run("retailrocket").complaint()).contains("Retailrocket_Ecommerce.zip does not");
  }

  @Test
  void noPairIsInTwoPartsAndTheTestIsLate() throws IOException {
    writeRatings();
    Interactions all = SignalsData.ML_100K.read(folder);
    SignalsWorld world = SignalsWorld.of(SignalsData.ML_100K, all, 3);
    Set<String> seen = new HashSet<>();
    for (Interactions part : List.of(world.train(), world.metaSet(), world.guard(), world.test())) {
      int[] users = part.userOfRow();
      for (int row = 0; row < part.size(); row++) {
        assertThat(seen.add(users[row] + " " + part.itemAt(row))).isTrue();
      }
    }
    for (Interactions part : List.of(world.metaSet(), world.guard(), world.test())) {
      for (int row = 0; row < part.size(); row++) {
        assertThat(part.valueAt(row)).isGreaterThanOrEqualTo(4);
      }
    }
    for (int user = 0; user < all.numUsers(); user++) {
      if (world.test().degree(user) > 0) {
        assertThat(world.test().timeAt(world.test().start(user)))
            .isGreaterThan(world.known().timeAt(world.known().end(user) - 1));
      }
    }
    assertThat(world.train().size() + world.metaSet().size() + world.guard().size())
        .isEqualTo(world.known().size());
  }

  @Test
  void handSetWeightsHoldEqualOnesAndHaveMeanOne() throws IOException {
    writeRatings();
    Interactions all = SignalsData.ML_100K.read(folder);
    List<RowWeights> candidates = RowWeights.handSet(SignalsData.ML_100K, all);
    assertThat(candidates).hasSize(1 + 2 * 4).extracting(RowWeights::name).contains("equal");
    for (RowWeights weights : candidates) {
      double sum = 0;
      for (float weight : weights.ofRow()) {
        sum += weight;
      }
      assertThat(sum / all.size()).isCloseTo(1, within(1e-4));
      if (weights.drops()) {
        assertThat(weights.weighed(all).size())
            .isEqualTo(weights.histories().apply(all).size())
            .isLessThan(all.size());
      }
    }
    float[] rising = new float[all.size()];
    for (int row = 0; row < rising.length; row++) {
      rising[row] = 2f * (row + 1) / (rising.length + 1);
    }
    RowWeights half = RowWeights.learned(all, rising).get(5);
    assertThat(half.weighed(all).size()).isEqualTo(all.size() - all.size() / 2);
    assertThat(half.histories().apply(all).contentHash())
        .isEqualTo(all.filter(row -> row >= all.size() / 2).contentHash());
  }

  @Test
  @Tag("data")
  void theRealSetsAreThere() {
    String root = System.getenv("SEXTANT_DATA");
    assumeTrue(root != null, "SEXTANT_DATA is not set to the folder with the data sets");
    assertCounts(SignalsData.ML_100K, Path.of(root, "ml-100k"), 943, 1_682, 100_000);
    assertCounts(
        SignalsData.MOVIETWEETINGS, Path.of(root, "movietweetings-100k"), 16_554, 10_506, 100_000);
    assertCounts(
        SignalsData.RETAILROCKET, Path.of(root, "retailrocket-caserec"), 3_431, 8_885, 92_487);
  }

  private static void assertCounts(SignalsData set, Path data, int users, int items, int events) {
    assumeTrue(Files.isDirectory(data), () -> data + " is not there");
    Interactions all = set.read(data);
    assertThat(all.numUsers()).isEqualTo(users);
    assertThat(all.numItems()).isEqualTo(items);
    assertThat(all.size()).isEqualTo(events);
    SignalsWorld world = SignalsWorld.of(set, all, 1);
    assertThat(world.metaSet().size()).isGreaterThan(100);
    assertThat(world.features().interactions().names()).hasSizeGreaterThan(4);
  }

  private void writeRatings() throws IOException {
    Random random = new Random(1);
    StringBuilder text =
        new StringBuilder("user_id:token\titem_id:token\trating:float\ttimestamp:float\n");
    for (int user = 0; user < USERS; user++) {
      int[] items = random.ints(0, 2 * GROUP).distinct().limit(25).toArray();
      for (int i = 0; i < items.length; i++) {
        boolean own = items[i] / GROUP == user % 2;
        int rating = own ? 4 + random.nextInt(2) : 1 + random.nextInt(3);
        text.append("%d\t%d\t%d\t%d\n".formatted(user, items[i], rating, 881_000_000 + i * 1000));
      }
    }
    Files.writeString(folder.resolve("ml-100k.inter"), text);
  }

  private void writeStages() throws IOException {
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(folder.resolve("Retailrocket_Ecommerce.zip")))) {
      write(zip, "view_ecommerce.dat", "1\t1\t1\n1\t2\t1\n2\t1\t1\n");
      write(zip, "add_to_cart_ecommerce.dat", "1\t1\t1\n2\t1\t1\n");
      write(zip, "purchase_ecommerce.dat", "1\t1\t1\n");
    }
  }

  private static void write(ZipOutputStream zip, String name, String rows) throws IOException {
    zip.putNextEntry(new ZipEntry("RetailRocket_Ecommerce/" + name));
    zip.write(("visitorid\titemid\tevent\n" + rows).getBytes(StandardCharsets.UTF_8));
    zip.closeEntry();
  }

  private JsonNode signals(String name, String... more) throws IOException {
    Cli.Result result = run(name, more);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(folder.resolve("result.json").toFile());
  }

  private Cli.Result run(String name, String... more) {
    String[] args = {
      "signals",
      name,
      "--data",
      folder.toString(),
      "--device",
      "cpu",
      "--json",
      folder.resolve("result.json").toString()
    };
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return Cli.run(all);
  }
}
