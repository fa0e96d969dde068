package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.EventType;
import io.sextant.feedback.Decision;
import io.sextant.feedback.DecisionLog;
import io.sextant.feedback.Outcome;
import io.sextant.feedback.SqliteDecisionLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeedbackTest {

  @TempDir private Path folder = Path.of("");

  private JsonNode simulate(String... more) throws IOException {
    Path json = folder.resolve("result.json");
    List<String> args = new ArrayList<>(List.of("feedback", "simulate", "--json", json.toString()));
    args.addAll(List.of(more));
    Cli.Result result = Cli.run(args.toArray(new String[0]));
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(json.toFile());
  }

  /** Users of two tastes: each likes every other joke, some jokes are better for all. */
  private Path ratings() throws IOException {
    Random random = new Random(3);
    StringBuilder text = new StringBuilder("user");
    for (int i = 0; i < 80; i++) {
      text.append(",j").append(i);
    }
    for (int u = 0; u < 240; u++) {
      text.append("\nu").append(u);
      int taste = random.nextBoolean() ? 1 : -1;
      for (int i = 0; i < 80; i++) {
        double rating = 1.5 * taste * (i % 2 == 0 ? 1 : -1) + i % 5 + 1.5 * random.nextGaussian();
        text.append(',').append(rating);
      }
    }
    Files.writeString(folder.resolve("full_dev.csv"), text + "\n");
    return folder;
  }

  @Test
  void theLoopLearnsTasteAndTheGateHoldsFaultsBack() throws IOException {
    JsonNode result =
        simulate(
            "--data",
            ratings().toString(),
            "--rounds",
            "4",
            "--seeds",
            "2",
            "--planted",
            "20",
            "--fault-every",
            "3");
    assertThat(result.path("slate").asInt()).isEqualTo(10);
    assertThat(result.path("candidates").asInt()).isEqualTo(40);
    double baseline = result.path("baselineReward").asDouble();
    double oracle = result.path("oracleReward").asDouble();
    assertThat(oracle).isGreaterThan(baseline);
    // Two tastes are learned from a few hundred decisions: most of what taste is worth.
    assertThat(result.path("finalReward").asDouble()).isGreaterThan(baseline + 0.4);
    assertThat(result.at("/differences/final-popularity/lo").asDouble()).isPositive();
    JsonNode rounds = result.path("rounds");
    assertThat(rounds).hasSize(4);
    assertThat(rounds.get(0).path("policyVersion").asText()).isEqualTo("popularity");
    assertThat(rounds.get(2).path("faulty").asBoolean()).isTrue();
    assertThat(rounds.get(2).path("promoted").asBoolean()).isFalse();
    assertThat(rounds.get(2).path("reason").asText()).isNotEmpty();
    for (int i = 1; i < 4; i++) {
      JsonNode before = rounds.get(i - 1);
      assertThat(rounds.get(i).path("policyVersion").asText())
          .isEqualTo(
              before
                  .path(before.path("promoted").asBoolean() ? "candidateVersion" : "policyVersion")
                  .asText());
      assertThat(before.path("lo").asDouble()).isLessThan(before.path("opeEstimate").asDouble());
    }
    JsonNode ungated = result.at("/withoutGate/rounds");
    assertThat(ungated.get(3).path("policyVersion").asText()).isEqualTo("learned-3-faulty");
    assertThat(result.at("/withoutGate/lost/shownAfterFault/lo").asDouble()).isGreaterThan(0.5);
    JsonNode planted = result.path("planted");
    assertThat(planted.path("worse").asInt()).isEqualTo(20);
    assertThat(planted.path("better").asInt()).isEqualTo(20);
    // At level .025 or below: 4 of 20 come in one of 700 runs.
    assertThat(planted.path("worsePromoted").asInt()).isLessThan(4);
    assertThat(planted.path("betterPromoted").asInt()).isGreaterThan(9);
    assertThat(planted.path("lostWithoutGate").asDouble()).isPositive();
  }

  @Test
  void estimatesHoldWhatCanBeObservedOfClicks() throws IOException {
    JsonNode result =
        simulate(
            "--world",
            "clicks",
            "--rounds",
            "5",
            "--seeds",
            "3",
            "--planted",
            "0",
            "--drift",
            "0",
            "--missing",
            "0.3",
            "--delay",
            "0.5");
    double observed = 0.7 * (1 - Math.exp(-1));
    double estimates = 0;
    double truths = 0;
    for (JsonNode run : result.path("runs")) {
      for (JsonNode round : run.path("rounds")) {
        assertThat(round.path("observable").asDouble())
            .isCloseTo(observed * round.path("truth").asDouble(), within(1e-9));
        // Nothing drifts: the log is worth what the present is.
        assertThat(round.path("estimated").asDouble())
            .isCloseTo(round.path("observable").asDouble(), within(1e-9));
      }
      // The last round's log is the longest.
      JsonNode last = run.path("rounds").get(4);
      estimates += last.path("opeEstimate").asDouble();
      truths += last.path("observable").asDouble();
    }
    assertThat(estimates / truths).isCloseTo(1, within(0.3));
    assertThat(result.path("estimatesCoverTruth").asDouble()).isGreaterThan(0.7);
    assertThat(result.path("planted").isMissingNode()).isTrue();
  }

  /** An estimate is of the time that the log is from, and not of what items have drifted to. */
  @Test
  void estimatesAreOfTheRoundsOfTheLog() throws IOException {
    JsonNode result =
        simulate(
            "--world",
            "clicks",
            "--rounds",
            "6",
            "--seeds",
            "6",
            "--planted",
            "0",
            "--drift",
            "0.7",
            "--fault-every",
            "0");
    // Of 36 intervals at a level of .95 fewer than 29 cover in one of 3,000 runs.
    assertThat(result.path("estimatesCoverTruth").asDouble()).isGreaterThan(0.8);
    assertThat(result.path("estimatesCoverPresent").asDouble())
        .isLessThan(result.path("estimatesCoverTruth").asDouble());
    int trusted = 0;
    for (JsonNode run : result.path("runs")) {
      for (JsonNode round : run.path("rounds")) {
        trusted += round.path("trusted").asBoolean() ? 1 : 0;
      }
    }
    assertThat(result.path("estimatesTrusted").asDouble()).isCloseTo(trusted / 36.0, within(1e-9));
    JsonNode first = result.path("rounds").get(0);
    assertThat(first.path("estimated").asDouble())
        .isCloseTo(first.path("observable").asDouble(), within(1e-12));
  }

  /** Three of the twenty seeds of the benchmarks. */
  @Test
  @Tag("data")
  void theLoopClosesSomeOfTheGapOnJester() throws IOException {
    JsonNode result =
        simulate(
            "--data",
            Path.of(System.getenv("SEXTANT_DATA"), "jester5k").toString(),
            "--rounds",
            "5",
            "--seeds",
            "3",
            "--planted",
            "30");
    double baseline = result.path("baselineReward").asDouble();
    double oracle = result.path("oracleReward").asDouble();
    // Mean ratings of jokes from -10 to 10: what is known of the data set.
    assertThat(baseline).isBetween(2.5, 3.7);
    assertThat(oracle).isBetween(6.3, 7.3);
    JsonNode gap = result.at("/differences/gapClosed");
    assertThat(gap.path("lo").asDouble()).isPositive();
    assertThat(gap.path("value").asDouble()).isBetween(0.05, 0.2);
    assertThat(gap.path("hi").asDouble()).isBetween(gap.path("value").asDouble(), 0.25);
    assertThat(result.at("/differences/final-popularity/lo").asDouble()).isPositive();
    // 15 intervals at a level of .95: fewer than 11 come in one of 1,500 runs.
    assertThat(result.path("estimatesCoverTruth").asDouble()).isGreaterThan(0.7);
    assertThat(result.at("/planted/worsePromoted").asInt()).isLessThan(5);
    assertThat(result.at("/planted/betterPromoted").asInt()).isGreaterThan(15);
  }

  @Test
  void theSameSeedSimulatesTheSame() throws IOException {
    String[] args = {"--world", "clicks", "--rounds", "2", "--decisions", "120", "--planted", "4"};
    JsonNode once = simulate(args);
    JsonNode again = simulate(args);
    assertThat(again.path("runs")).isEqualTo(once.path("runs"));
    assertThat(again.path("planted")).isEqualTo(once.path("planted"));
  }

  @Test
  void refusesBadInput() throws IOException {
    refuses("--data is needed", "simulate");
    refuses("knows jester and clicks", "simulate", "--world", "x");
    refuses("must be > 0", "simulate", "--world", "clicks", "--rounds", "0");
    refuses("--missing in [0, 1)", "simulate", "--world", "clicks", "--missing", "1");
    refuses("takes the folder jester5k", "simulate", "--data", folder.resolve("no").toString());
    Files.writeString(folder.resolve("full_dev.csv"), "user,j1\nu1,x\n");
    refuses("line 2: rating 1 must be a number", "simulate", "--data", folder.toString());
    refuses("is no file", "export", "--log", folder.resolve("no").toString(), "--out", "x");
    assertThat(Cli.run("feedback").exit()).isEqualTo(2);
  }

  private static void refuses(String message, String... args) {
    List<String> all = new ArrayList<>(List.of("feedback"));
    all.addAll(List.of(args));
    Cli.Result result = Cli.run(all.toArray(new String[0]));
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.complaint()).contains(message);
  }

  @Test
  void aLogBecomesParquet() throws Exception {
    Path file = folder.resolve("decisions");
    Path out = folder.resolve("it's.parquet");
    try (DecisionLog log = SqliteDecisionLog.open(file)) {
      List<Decision.Candidate> candidates =
          List.of(
              new Decision.Candidate("a", new float[] {1, Float.NaN}, 0.25),
              new Decision.Candidate("b", new float[] {2, 3}, 0.75));
      log.record(
              new Decision(
                  "d1",
                  "u",
                  "v",
                  "old",
                  10,
                  5,
                  Decision.History.of(List.of("a", "say \"x\"")),
                  new float[] {7},
                  new float[0],
                  candidates,
                  new int[] {1}))
          .join();
      log.record(
              new Decision(
                  "d2", null, "v", 20, 6, new float[0], new float[0], candidates, new int[0]))
          .join();
      log.record(new Outcome("d1", "b", EventType.PURCHASE, 2.5, 30, "say \"x\"")).join();
    }
    Cli.Result result =
        Cli.run("feedback", "export", "--log", file.toString(), "--out", out.toString());
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.out()).contains("wrote 4 rows");
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT * FROM read_parquet('"
                    + out.toString().replace("'", "''")
                    + "') ORDER BY decision, candidate")) {
      rows.next();
      assertThat(rows.getString("scores")).isEqualTo("[1.0,null]");
      assertThat(rows.getObject("slot")).isNull();
      assertThat(rows.getString("baseline")).isEqualTo("old");
      assertThat(rows.getString("history")).isEqualTo("[\"a\",\"say \\\"x\\\"\"]");
      assertThat(rows.getInt("history_length")).isEqualTo(2);
      assertThat(rows.getString("outcomes")).isEqualTo("[]");
      rows.next();
      assertThat(rows.getString("item")).isEqualTo("b");
      assertThat(rows.getInt("slot")).isZero();
      assertThat(rows.getDouble("propensity")).isEqualTo(0.75);
      JsonNode outcome = new ObjectMapper().readTree(rows.getString("outcomes")).get(0);
      assertThat(outcome.path("type").asText()).isEqualTo("PURCHASE");
      assertThat(outcome.path("value").asDouble()).isEqualTo(2.5);
      assertThat(outcome.path("key").asText()).isEqualTo("say \"x\"");
      rows.next();
      assertThat(rows.getObject("user")).isNull();
      assertThat(rows.getObject("baseline")).isNull();
      assertThat(rows.getObject("history")).isNull();
      assertThat(rows.getObject("history_length")).isNull();
      rows.next();
      assertThat(rows.next()).isFalse();
    }
  }
}
