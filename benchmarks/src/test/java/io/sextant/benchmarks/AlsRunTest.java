package io.sextant.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sextant.data.Interactions;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With a small stand-in for Spark, which computes what Spark does. */
class AlsRunTest {

  private static final int USERS = 40;
  private static final int ITEMS = 30;
  private static final int RANK = 3;

  @BeforeEach
  void theStandIn() {
    System.setProperty("sextant.peers", "src/test/peers");
  }

  @AfterEach
  void thePeersThemselves() {
    System.setProperty("sextant.peers", "peers");
  }

  private static Interactions pairs() {
    Random random = new Random(3);
    int[] users = new int[USERS * ITEMS];
    int[] items = new int[users.length];
    int n = 0;
    for (int user = 0; user < USERS; user++) {
      for (int item = 0; item < ITEMS; item++) {
        if (random.nextInt(10) < (user % 3 == item % 3 ? 6 : 1)) {
          users[n] = user;
          items[n++] = item;
        }
      }
    }
    return SextantTraining.interactions(
        new Workload(
            new Sizes(USERS, ITEMS, RANK, n), 1, Arrays.copyOf(users, n), Arrays.copyOf(items, n)));
  }

  @Test
  void bothSidesReachTheSameObjective() throws Exception {
    AlsRun run = new AlsRun(pairs(), RANK, 30);
    JsonNode result = new ObjectMapper().readTree("{" + run.run(Optional.of("honest"), 3) + "}");
    // The stand-in says half a second for each iteration, and a second for each fit.
    assertThat(result.at("/spark/median").asDouble()).isCloseTo(500, within(1e-6));
    assertThat(result.at("/spark/min").asDouble()).isCloseTo(500, within(1e-6));
    JsonNode objective = result.get("objective");
    assertThat(objective.get("exact").asDouble()).isBetween(0.01, 1.0);
    assertThat(objective.get("spark").asDouble())
        .isCloseTo(objective.get("exact").asDouble(), within(0.01));
    assertThat(result.has("sparkToExact")).isTrue();
    assertThat(result.get("threads").asInt()).isEqualTo(Runtime.getRuntime().availableProcessors());
  }

  @Test
  void aPeerThatComputesSomethingElseIsNone() {
    AlsRun run = new AlsRun(pairs(), RANK, 10);
    assertThatThrownBy(() -> run.run(Optional.of("nonsense"), 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("they do not compute the same");
  }

  @Test
  void aPeerThatFailsSaysSo() {
    AlsRun run = new AlsRun(pairs(), RANK, 1);
    assertThatThrownBy(() -> run.run(Optional.of("failing"), 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("out of luck");
  }

  @Test
  void whereSparkIsAbsentTheRunSaysHowToGetIt() {
    assertThat(SparkPeer.classPath()).isEmpty();
    assertThat(new AlsRun(pairs(), RANK, 1).run(SparkPeer.classPath(), 1))
        .startsWith("\"skipped\": \"Spark is absent: mvn ");
  }

  @Test
  void aPairThatOccursTwiceIsRefused() {
    Interactions twice =
        SextantTraining.interactions(
            new Workload(new Sizes(2, 2, 1, 3), 1, new int[] {0, 1, 0}, new int[] {1, 1, 1}));
    assertThatThrownBy(() -> new AlsRun(twice, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("user 0 has item 1 twice");
  }

  /** All pairs one by one, with Spark's factors divided by the root of 1.01. */
  @Test
  void theObjectiveIsThatOfAllPairs() {
    Interactions train = pairs();
    Random random = new Random(4);
    float[] users = new float[USERS * RANK];
    float[] items = new float[ITEMS * RANK];
    for (int at = 0; at < users.length; at++) {
      users[at] = random.nextFloat();
    }
    for (int at = 0; at < items.length; at++) {
      items[at] = random.nextFloat();
    }
    boolean[][] observed = new boolean[USERS][ITEMS];
    for (int row = 0; row < train.size(); row++) {
      observed[train.userAt(row)][train.itemAt(row)] = true;
    }
    double l2 = 0.01 * 0.1 / 1.01 * train.size() / (train.size() + 0.01 * USERS * ITEMS);
    double[] degrees = new double[USERS + ITEMS];
    double expected = 0;
    for (int user = 0; user < USERS; user++) {
      for (int item = 0; item < ITEMS; item++) {
        double score = 0;
        for (int d = 0; d < RANK; d++) {
          score += users[user * RANK + d] * items[item * RANK + d] / 1.01;
        }
        expected += 0.01 * score * score;
        if (observed[user][item]) {
          expected += (1 - score) * (1 - score);
          degrees[user]++;
          degrees[USERS + item]++;
        }
      }
    }
    for (int at = 0; at < users.length; at++) {
      expected += l2 * (degrees[at / RANK] + 0.01 * ITEMS) * users[at] * users[at] / 1.01;
    }
    for (int at = 0; at < items.length; at++) {
      expected += l2 * (degrees[USERS + at / RANK] + 0.01 * USERS) * items[at] * items[at] / 1.01;
    }
    assertThat(new AlsRun(train, RANK, 1).objective(new SparkPeer.Factors(RANK, users, items)))
        .isCloseTo(expected, within(1e-6 * expected));
  }
}
