package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpeTest {

  private static final String ROUNDS =
      """
      action,reward,propensity,age
      b,1,0.5,20
      a,0,0.25,30
      b,1,0.5,25
      c,2,0.25,40
      """;

  @TempDir Path folder;

  private Path log(String rounds) throws IOException {
    Files.writeString(folder.resolve("rounds.csv"), rounds);
    return folder;
  }

  private JsonNode ope(Object... args) throws IOException {
    Path json = folder.resolve("out.json");
    String[] texts = new String[args.length + 3];
    texts[0] = "ope";
    for (int i = 0; i < args.length; i++) {
      texts[i + 1] = args[i].toString();
    }
    texts[args.length + 1] = "--json";
    texts[args.length + 2] = json.toString();
    Cli.Result result = Cli.run(texts);
    assertThat(result.exit()).as(result.err()).isZero();
    return new ObjectMapper().readTree(json.toFile());
  }

  private void refuses(String complaint, String... args) {
    Cli.Result result = Cli.run(args);
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.complaint()).contains(complaint);
  }

  @Test
  void evaluatesACsvLogByHand() throws IOException {
    Path logs = log(ROUNDS);
    JsonNode uniform = ope("--logs", logs, "--target", "uniform", "--estimators", "ips,snips,dr");
    // Weights 2/3, 4/3, 2/3, 4/3; rewards 1, 0, 1, 2.
    assertThat(uniform.at("/estimates/ips/value").asDouble()).isCloseTo(1, within(1e-12));
    assertThat(uniform.at("/diagnostics/ess").asDouble()).isCloseTo(16 / (40.0 / 9), within(1e-12));
    assertThat(uniform.at("/diagnostics/maxWeight").asDouble()).isCloseTo(4 / 3.0, within(1e-12));
    assertThat(uniform.at("/diagnostics/meanWeight").asDouble()).isCloseTo(1, within(1e-12));
    assertThat(uniform.at("/diagnostics/supportViolations").asInt()).isZero();
    assertThat(uniform.at("/diagnostics/warnings").toString()).contains("worth only 3.6");
    assertThat(uniform.at("/command").asText()).isEqualTo("ope");

    // Columns of a target go by name; one row holds for all rounds.
    Path target = Files.writeString(folder.resolve("target.txt"), "c,a,b\n0.5,0,0.5\n");
    JsonNode given = ope("--logs", logs, "--target", target, "--estimators", "ips,snips");
    assertThat(given.at("/estimates/ips/value").asDouble())
        .isCloseTo((1 + 0 + 1 + 2 * 2) / 4.0, within(1e-12));
    assertThat(given.at("/estimates/snips/value").asDouble()).isCloseTo(6 / 4.0, within(1e-12));
    Path rows =
        Files.writeString(folder.resolve("rows.txt"), "a,b,c\n0,1,0\n1,0,0\n0,0.5,0.5\n0,1,0\n");
    assertThat(
            ope("--logs", logs, "--target", rows, "--estimators", "ips")
                .at("/estimates/ips/value")
                .asDouble())
        .isCloseTo((2 + 0 + 1 + 0) / 4.0, within(1e-12));
  }

  @Test
  void choosesIntervals() throws IOException {
    Path logs = log(ROUNDS);
    double student = ope("--logs", logs, "--estimators", "ips").at("/estimates/ips/hi").asDouble();
    double bernstein =
        ope("--logs", logs, "--estimators", "ips", "--interval", "bernstein", "--bounds", "0,2,2")
            .at("/estimates/ips/hi")
            .asDouble();
    assertThat(bernstein).isGreaterThan(student);
    assertThat(
            ope("--logs", logs, "--estimators", "snips", "--interval", "bootstrap")
                .at("/estimates/snips/lo")
                .isNumber())
        .isTrue();
  }

  @Test
  void refusesBadLogs() throws IOException {
    for (List<String> bad :
        List.of(
            List.of("b,1,0,2", "line 3: propensity must be > 0 and <= 1 but was 0.0"),
            List.of("b,1,-0.5,2", "line 3: propensity must be > 0"),
            List.of("b,1,1.5,2", "line 3: propensity must be > 0 and <= 1 but was 1.5"),
            List.of("b,1,,2", "line 3: propensity is missing"),
            List.of("b,x,0.5,2", "line 3: reward must be a number but was 'x'"),
            List.of("b,1,0.5,NaN", "line 3: age must be a finite number"),
            List.of("b,1,0.5", "cannot be read"))) {
      Path logs = log("action,reward,propensity,age\na,1,0.5,3\n" + bad.get(0) + "\n");
      refuses(bad.get(1), "ope", "--logs", logs.toString());
    }
    refuses("has no column propensity", "ope", "--logs", log("action,reward\na,1\n").toString());
    refuses("has no rows", "ope", "--logs", log("action,reward,propensity\n").toString());
    refuses("is no folder", "ope", "--logs", folder.resolve("none").toString());
    refuses("--logs is needed", "ope");
    Path logs = log(ROUNDS);
    refuses("knows obd and csv", "ope", "--logs", logs.toString(), "--format", "xml");
    refuses("no estimator 'mips'", "ope", "--logs", logs.toString(), "--estimators", "mips");
    refuses("needs --bounds", "ope", "--logs", logs.toString(), "--interval", "bernstein");
    Files.writeString(folder.resolve("log.json"), "{\"schemaVersion\": 2}");
    refuses("schema version 2 but this program reads 1", "ope", "--logs", logs.toString());
    Files.writeString(folder.resolve("log.json"), "{\"schemaVersion\": 1}");
    assertThat(ope("--logs", logs, "--estimators", "ips").at("/rounds").asInt()).isEqualTo(4);
  }

  @Test
  void refusesBadTargets() throws IOException {
    String logs = log(ROUNDS).toString();
    for (List<String> bad :
        List.of(
            List.of("a,b,c\n0.5,0.6,0\n", "line 2: the probabilities must add up to 1"),
            List.of("a,b,c\n1.5,-0.5,0\n", "line 2: the probability of a must lie in 0..1"),
            List.of("a,b\n0.5,0.5\n", "3 actions are needed but there are 2 columns"),
            List.of("a,b,d\n0.5,0.5,0\n", "has no column c"),
            List.of("a,b,c\n1,0,0\n0,1,0\n", "has 2 rows but the log has 4 rounds"),
            List.of("a,b,c\n1,0,0\n0,1,0\n1,0,0\n0,1,0\n", "would draw none of the 4"))) {
      Path target = Files.writeString(folder.resolve("target.txt"), bad.get(0));
      refuses(bad.get(1), "ope", "--logs", logs, "--target", target.toString());
    }
  }

  private static Path data(String name) {
    String data = System.getenv("SEXTANT_DATA");
    assumeTrue(data != null, "SEXTANT_DATA is not set to the folder with the data sets");
    Path path = Path.of(data).resolve(name);
    assumeTrue(Files.exists(path), () -> path + " is not there");
    return path;
  }

  /**
   * Against a numpy computation of the same formulas (folds by the same draws, ridge by least
   * squares, logistic by a hundred full Newton steps), and against the truth of the full log.
   */
  @Test
  @Tag("data")
  void openBanditLog() throws IOException {
    Path bts = data("obd-men/bts");
    JsonNode logistic = ope("--logs", bts, "--format", "obd", "--target", "uniform");
    assertValue(logistic, "ips", 0.003008626327);
    assertValue(logistic, "snips", 0.003189423162);
    assertValue(logistic, "snips@10", 0.003831078441);
    assertValue(logistic, "dm", 0.007010653570);
    assertValue(logistic, "dr", 0.002909502895);
    assertValue(logistic, "dr@10", 0.004336650920);
    assertValue(logistic, "sndr", 0.002663053193);
    assertValue(logistic, "switch-dr@10", 0.005319181324);
    JsonNode ridge =
        ope("--logs", bts, "--format", "obd", "--model", "ridge", "--estimators", "dm,dr,sndr");
    assertValue(ridge, "dm", 0.003824606126);
    assertValue(ridge, "dr", 0.002318757844);
    assertValue(ridge, "sndr", 0.002228267177);

    double truth = 0.0051;
    assertThat(logistic.at("/diagnostics/ess").asDouble()).isCloseTo(655.709849587, within(1e-6));
    assertThat(logistic.at("/estimates/snips@10/lo").asDouble()).isLessThan(truth);
    assertThat(logistic.at("/estimates/snips@10/hi").asDouble()).isGreaterThan(truth);
    for (String unclipped : List.of("ips", "snips", "dr", "sndr")) {
      JsonNode estimate = logistic.at("/estimates/" + unclipped);
      assertThat(estimate.at("/hi").asDouble()).as("misses the truth").isLessThan(truth);
      assertThat(estimate.at("/trusted").asBoolean()).isFalse();
      assertThat(estimate.at("/warnings").toString()).contains("largest weight is 178.3");
    }
    assertThat(logistic.at("/diagnostics/trusted").asBoolean()).isFalse();

    JsonNode random =
        ope("--logs", data("obd-men/random"), "--format", "obd", "--estimators", "ips,snips");
    assertValue(random, "ips", 0.0046);
    assertValue(random, "snips", 0.0046);
    assertThat(random.at("/loggedReward").asDouble()).isCloseTo(0.0046, within(1e-12));
    assertThat(random.at("/diagnostics/trusted").asBoolean()).isTrue();
  }

  private static void assertValue(JsonNode result, String estimator, double expected) {
    assertThat(result.at("/estimates/" + estimator + "/value").asDouble())
        .as(estimator)
        .isCloseTo(expected, within(1e-9));
  }

  /** Forty logs of the set where all weights are light: DR and SNIPS beat IPS. */
  @Test
  @Tag("data")
  void studyOfASetWithAKnownTruth() throws IOException {
    JsonNode result =
        ope("study", "--data", data("uci-multiclass"), "--seeds", 40, "--sets", "pendigits");
    JsonNode cell = result.at("/sets/pendigits/nearUniform");
    assertThat(cell.at("/lightLogs").asInt()).isEqualTo(40);
    double ips = cell.at("/estimators/ips/rmse").asDouble();
    assertThat(cell.at("/estimators/dr/rmse").asDouble()).isBetween(1e-4, ips);
    assertThat(cell.at("/estimators/snips/rmse").asDouble()).isBetween(1e-4, ips);
    assertThat(cell.at("/slope/ips/ratio").asDouble()).isGreaterThan(0.5);
    JsonNode good = result.at("/sets/pendigits/good");
    assertThat(good.at("/heavyLogsWarned").asInt()).isEqualTo(good.at("/heavyLogs").asInt());
  }
}
