package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users of four tastes, most of whose events are of their own. */
class FewShotCommandTest {

  private static final int USERS = 200;
  private static final int TASTES = 4;
  private static final int ITEMS = 120;
  private static final int EVENTS = 20;

  @TempDir Path folder;

  @Test
  void curvesOfUnseenUsers() throws IOException {
    ml1m();
    Path json = folder.resolve("result.json");
    Cli.Result result = run("--seeds", "2", "--json", json.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode read = new ObjectMapper().readTree(json.toFile());
    JsonNode curves = read.path("curves");
    for (String method :
        new String[] {"adaptation", "maml", "mean-pooling", "als", "ease", "item-neighbours"}) {
      assertThat(value(curves, method, "10")).as(method).isBetween(0.0, 1.0);
    }
    assertThat(value(curves, "adaptation", "5")).isGreaterThan(value(curves, "popularity", "5"));
    assertThat(value(curves, "popularity", "0")).isEqualTo(value(curves, "popularity", "10"));
    assertThat(curves.path("als").has("0")).as("nothing without events").isFalse();
    assertThat(
            read.path("differences")
                .path("adaptation-popularity")
                .path("5")
                .path("ndcg@10")
                .path("lo")
                .asDouble())
        .isPositive();
    assertThat(read.path("ndcg@10BySeed").path("adaptation").path("3")).hasSize(2);
    assertThat(read.path("part").asText()).isEqualTo("test");
  }

  /** No user is judged twice, learned from in the same run, or also for choosing settings. */
  @Test
  void tenthsAreApart() throws IOException {
    ml1m();
    UnseenUsers users = UnseenUsers.read(folder, UnseenUsers.Protocol.CURVES, 1);
    Set<Integer> judged = new HashSet<>();
    Set<Integer> choosing = new HashSet<>();
    for (int run = 0; run < UnseenUsers.RUNS; run++) {
      var train = users.train(run).interactions();
      assertThat(train.size()).isEqualTo(EVENTS * USERS * 8 / 10);
      for (boolean choose : new boolean[] {false, true}) {
        UnseenUsers.Cases cases = Objects.requireNonNull(users.cases(run, choose).get("3"));
        assertThat(cases.states()).allMatch(user -> train.degree(user.userIndex()) == 0);
        assertThat(cases.states()).allMatch(user -> user.history().length == 3);
        cases.states().forEach(u -> (choose ? choosing : judged).add(u.userIndex()));
      }
    }
    assertThat(judged).hasSize(USERS / 2).doesNotContainAnyElementsOf(choosing);
    assertThat(choosing).hasSize(USERS / 2);
  }

  @Test
  void badInputIsNamed() throws IOException {
    Cli.Result noData = run();
    assertThat(noData.exit()).isEqualTo(2);
    assertThat(noData.complaint()).contains("folder of ml-1m");
    ml1m();
    for (String seeds : new String[] {"0", "6"}) {
      Cli.Result result = run("--seeds", seeds);
      assertThat(result.exit()).isEqualTo(2);
      assertThat(result.complaint()).contains("seeds must be 1 to 5");
    }
    Cli.Result other = run("--protocol", "melu");
    assertThat(other.exit()).isEqualTo(2);
    assertThat(other.complaint()).contains("ml-100k.inter");
  }

  private static double value(JsonNode curves, String method, String events) {
    return curves.path(method).path(events).path("ndcg@10").path("value").asDouble(Double.NaN);
  }

  private Cli.Result run(String... more) {
    String[] all = new String[5 + more.length];
    all[0] = "fewshot";
    all[1] = "--data";
    all[2] = folder.toString();
    all[3] = "--device";
    all[4] = "cpu";
    System.arraycopy(more, 0, all, 5, more.length);
    return Cli.run(all);
  }

  private void ml1m() throws IOException {
    Random random = new Random(1);
    StringBuilder events = new StringBuilder("user_id\tmovie_id\n");
    StringBuilder users = new StringBuilder();
    for (int user = 1; user <= USERS; user++) {
      users.append("%d::%s::%d::%d::0\n".formatted(user, user % 2 == 0 ? "F" : "M", 25, user % 5));
      random
          .ints(0, ITEMS)
          .filter(item -> item % TASTES == 0 || random.nextInt(16) == 0)
          .distinct()
          .limit(EVENTS)
          .map(taste(user))
          .forEach(new EventLine(user, events)::add);
    }
    Path original = Files.createDirectories(folder.resolve("original"));
    Files.writeString(original.resolve("users.dat"), users);
    try (OutputStream out =
        new GZIPOutputStream(
            Files.newOutputStream(original.resolve("ratings_user_movie_in_file_order.tsv.gz")))) {
      out.write(events.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Moves items within their block of four, so that those in front are the user's taste. */
  private static IntUnaryOperator taste(int user) {
    return item -> item - item % TASTES + (item + user) % TASTES;
  }

  private record EventLine(int user, StringBuilder events) {
    void add(int item) {
      events.append(user).append('\t').append(item + 1).append('\n');
    }
  }
}
