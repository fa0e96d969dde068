package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Click prediction on small data: 300 users who take items in their group's order, all items alike
 * in popularity, so that only what user and item have in common tells.
 */
class ClickProtocolTest {

  private static final int USERS = 300;
  private static final int GROUPS = 5;
  private static final int GROUP = 12;
  private static final int LENGTH = 7;

  @TempDir Path folder;

  @Test
  void anOrderWithAttributes() throws IOException {
    beauty();
    JsonNode json = reproduce("click-beauty", "--seeds", "2");
    assertThat(json.path("part").asText()).isEqualTo("test");
    assertThat(json.path("seeds").asInt()).isEqualTo(2);
    JsonNode network = json.path("strategies").path("policy-network");
    assertThat(network.path("accuracy").path("lo").asDouble()).isGreaterThan(0.8);
    assertThat(network.path("auc").path("value").asDouble()).isGreaterThan(0.9);
    assertThat(network.path("logLoss").path("hi").asDouble()).isLessThan(Math.log(2));
    assertThat(network.path("baseRate").path("value").asDouble()).isEqualTo(0.5);
    assertThat(network.path("calibrationRatio").path("value").asDouble()).isBetween(0.8, 1.2);
    assertThat(network.has("calibrationError")).isTrue();
    JsonNode popularity = json.path("strategies").path("popularity");
    assertThat(popularity.path("auc").path("value").asDouble()).isBetween(0.35, 0.7);
    JsonNode difference = json.path("differences").path("policy-network-popularity");
    assertThat(difference.path("auc").path("lo").asDouble()).isPositive();
    JsonNode classic = json.path("published").path("classic example");
    assertThat(classic.path("accuracy").asDouble()).isEqualTo(.8458);
    assertThat(classic.path("note").asText()).contains("unknown base rate");
  }

  @Test
  void timesWithoutAttributes() throws IOException {
    grocery(false);
    JsonNode network = reproduce("click-grocery").path("strategies").path("policy-network");
    assertThat(network.path("accuracy").path("lo").asDouble()).isGreaterThan(0.7);
  }

  @Test
  void validationLeavesTheTestPartAlone() throws IOException {
    grocery(false);
    JsonNode first = reproduce("click-grocery", "--validate-only");
    grocery(true);
    JsonNode second = reproduce("click-grocery", "--validate-only");
    assertThat(first.path("part").asText()).isEqualTo("validation");
    assertThat(second.path("strategies")).isEqualTo(first.path("strategies"));
  }

  @Test
  void badInputIsRefused() throws IOException {
    beauty();
    Path attributes = folder.resolve("Beauty_item2attributes.json");
    Files.writeString(attributes, "{\"1\": [3, \"x\"]}");
    assertThat(refused("click-beauty")).contains("Beauty_item2attributes.json", "lists of numbers");
    Files.writeString(attributes, "{\"1\": [-3]}");
    assertThat(refused("click-beauty")).contains("item '1'", "-3");
    Files.delete(attributes);
    assertThat(refused("click-beauty")).contains("attributes", "cannot be read");
    assertThat(refused("click-beauty", "--seeds", "0")).contains("seeds must be >= 1 but was 0");
    Files.writeString(folder.resolve("Beauty.txt"), "1 1 2 3\n2 2 3 4\n");
    Files.writeString(attributes, "{}");
    assertThat(refused("click-beauty")).contains("no user with enough events");
  }

  @Test
  @Tag("data")
  void theRealSequencesAreThere() {
    String root = System.getenv("SEXTANT_DATA");
    assumeTrue(root != null, "SEXTANT_DATA is not set to the folder with the data sets");
    assertCounts(
        Path.of(root, "s3rec-beauty"), ClickProtocol.DataSet.BEAUTY, 22_363, 12_101, 198_502);
    assertCounts(
        Path.of(root, "grocery-rechorus"), ClickProtocol.DataSet.GROCERY, 14_681, 8_713, 151_254);
  }

  private static void assertCounts(
      Path data, ClickProtocol.DataSet set, int users, int items, int events) {
    assumeTrue(Files.isDirectory(data), () -> data + " is not there");
    ClickData clicks = new ClickProtocol(data, set, 1, 1, true).load();
    assertThat(clicks.numUsers()).isEqualTo(users);
    assertThat(clicks.numItems()).isEqualTo(items);
    assertThat(clicks.timed()).isEqualTo(set == ClickProtocol.DataSet.GROCERY);
    // Each user's first event is in no example; validation and test have one of each user.
    assertThat(ClickExamples.of(clicks, ClickData.Part.TRAIN, 1).size())
        .isEqualTo(2 * (events - 3 * users));
    assertThat(ClickExamples.of(clicks, ClickData.Part.TEST, 1).size()).isEqualTo(2 * users);
  }

  private JsonNode reproduce(String name, String... more) throws IOException {
    Path json = folder.resolve("result.json");
    Cli.Result result = run(name, json, more);
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.out()).contains("policy-network", "classic example");
    return new ObjectMapper().readTree(json.toFile());
  }

  private String refused(String name, String... more) {
    Cli.Result result = run(name, folder.resolve("none.json"), more);
    assertThat(result.exit()).isEqualTo(2);
    assertThat(folder.resolve("none.json")).doesNotExist();
    return result.complaint();
  }

  private Cli.Result run(String name, Path json, String... more) {
    String[] args = {
      "reproduce", name, "--data", folder.toString(), "--device", "cpu", "--json", json.toString()
    };
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return Cli.run(all);
  }

  /** The items of one user: a run through the group's circle from a random start. */
  private static int[] sequence(Random random, int user) {
    int start = random.nextInt(GROUP);
    int[] items = new int[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      items[i] = 1 + user % GROUPS * GROUP + (start + i) % GROUP;
    }
    return items;
  }

  private void beauty() throws IOException {
    Random random = new Random(1);
    StringBuilder lists = new StringBuilder();
    for (int user = 0; user < USERS; user++) {
      lists.append(user + 1);
      for (int item : sequence(random, user)) {
        lists.append(' ').append(item);
      }
      lists.append('\n');
    }
    Files.writeString(folder.resolve("Beauty.txt"), lists);
    StringBuilder attributes = new StringBuilder("{");
    for (int item = 1; item <= GROUPS * GROUP; item++) {
      attributes.append(item == 1 ? "" : ", ");
      attributes.append("\"%d\": [%d, %d]".formatted(item, 1 + item % 3, 4 + item % 2));
    }
    Files.writeString(folder.resolve("Beauty_item2attributes.json"), attributes + "}");
  }

  /** Files with times; the items of the test file may be moved to the next group. */
  private void grocery(boolean otherTest) throws IOException {
    Random random = new Random(2);
    String header = "user_id,item_id,time\n";
    StringBuilder train = new StringBuilder(header);
    StringBuilder dev = new StringBuilder(header);
    StringBuilder test = new StringBuilder(header);
    for (int user = 0; user < USERS; user++) {
      int[] items = sequence(random, user);
      long day = random.nextInt(200);
      for (int i = 0; i < LENGTH; i++) {
        StringBuilder file = i < LENGTH - 2 ? train : i == LENGTH - 2 ? dev : test;
        int move = otherTest && file == test ? GROUP : 0;
        int item = 1 + (items[i] - 1 + move) % (GROUPS * GROUP);
        file.append("%d,%d,%d\n".formatted(user + 1, item, 1_300_000_000 + (day + i) * 86_400));
      }
    }
    Files.writeString(folder.resolve("train.csv"), train);
    Files.writeString(folder.resolve("dev.csv"), dev);
    Files.writeString(folder.resolve("test.csv"), test);
  }
}
