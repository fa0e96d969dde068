package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ClickFeaturesTest {

  private static final int ITEMS = 30;
  private static final long DAY = 86_400_000;

  /** Two users of train a b c; the third has a b, then validation d and test e. */
  private static final ClickData SMALL =
      new ClickData(
          5,
          new int[][] {{0, 1, 2}, {0, 1, 2}, {0, 1, 3, 4}},
          new long[0][],
          new int[] {3, 3, 2},
          new int[][] {{0}, {0, 1}, {1}, {}, {2}});

  @Test
  void featuresOfAnOrderAreThoseComputedByHand() {
    // What follows (a, b) for the third user: the others have a b c twice.
    ClickExamples asked =
        new ClickExamples(new int[] {2, 2}, new int[] {2, 2}, new int[] {2, 3}, new float[] {0, 1});
    ClickFeatures.Matrix matrix = ClickFeatures.of(SMALL, List.of(asked)).get(0);
    assertThat(feature(matrix, 0, "logCount")).isCloseTo((float) Math.log(3), within(1e-6f));
    assertThat(feature(matrix, 0, "maxCosine")).isEqualTo(1);
    assertThat(feature(matrix, 0, "meanCosine")).isEqualTo(1);
    assertThat(feature(matrix, 0, "shareTogether")).isEqualTo(1);
    assertThat(feature(matrix, 0, "logTogether")).isCloseTo((float) Math.log(5), within(1e-6f));
    // b is followed by c alone, at distance one, weight 6, in two histories.
    assertThat(feature(matrix, 0, "transitionShare")).isEqualTo(1);
    assertThat(feature(matrix, 0, "logTransitions")).isCloseTo((float) Math.log(13), within(1e-6f));
    // And 0.7 of the weight 3 of a, two places before.
    assertThat(feature(matrix, 0, "logRecentTransitions"))
        .isCloseTo((float) Math.log(1 + 12 + 0.7 * 6), within(1e-6f));
    // c has attribute 1, which b has and a has not.
    assertThat(feature(matrix, 0, "attributeShare")).isEqualTo(0.5f);
    double common = Math.log(7 / 5.0);
    assertThat(feature(matrix, 0, "lastAttributeOverlap"))
        .isCloseTo((float) (common / (2 * common)), within(1e-6f));
    assertThat(feature(matrix, 0, "maxAttributeOverlap"))
        .isEqualTo(feature(matrix, 0, "lastAttributeOverlap"));
    assertThat(feature(matrix, 0, "logDaysSinceLast")).isNaN();
    // Of d nobody else knows anything.
    for (String zero : List.of("logCount", "maxCosine", "logTogether", "transitionShare")) {
      assertThat(feature(matrix, 1, zero)).as(zero).isZero();
    }
    for (String missing : List.of("walk", "attributeShare", "meanAttributeLift")) {
      assertThat(feature(matrix, 1, missing)).as(missing).isNaN();
    }
    assertThat(matrix.users()[0]).isCloseTo((float) Math.log(3), within(1e-6f));
    assertThat(matrix.users()[1]).isCloseTo((float) Math.log(3), within(1e-6f));
    assertThat(matrix.users()[2]).isEqualTo(1);
  }

  @Test
  void featuresOfTimesAreThoseComputedByHand() {
    ClickData data =
        new ClickData(
            3,
            new int[][] {{0, 1}, {0, 1}, {0, 2, 1}},
            new long[][] {{0, 10 * DAY}, {5 * DAY, 40 * DAY}, {20 * DAY, 30 * DAY, 40 * DAY}},
            new int[] {2, 2, 1},
            new int[3][0]);
    ClickExamples asked =
        new ClickExamples(new int[] {2, 2}, new int[] {2, 2}, new int[] {1, 2}, new float[] {1, 0});
    ClickFeatures.Matrix matrix = ClickFeatures.of(data, List.of(asked)).get(0);
    // The event of day 40 is of the same moment, and item 2 is not of train: neither counts.
    assertThat(feature(matrix, 0, "logCount")).isCloseTo((float) Math.log(2), within(1e-6f));
    assertThat(feature(matrix, 0, "logCount30")).isCloseTo((float) Math.log(1.5), within(1e-6f));
    assertThat(feature(matrix, 0, "logDaysSinceFirst"))
        .isCloseTo((float) Math.log(31), within(1e-6f));
    assertThat(feature(matrix, 0, "logDaysSinceLast"))
        .isCloseTo((float) Math.log(31), within(1e-6f));
    // a occurred three times before day 40, b once, together once.
    assertThat(feature(matrix, 0, "maxCosine"))
        .isCloseTo((float) Math.pow(1 / 3.0, 0.25), within(1e-6f));
    assertThat(feature(matrix, 0, "lastCosine")).isZero();
    assertThat(feature(matrix, 1, "logCount")).isZero();
    assertThat(feature(matrix, 1, "logDaysSinceFirst")).isNaN();
    int idle = ClickFeatures.USER.indexOf("logIdleDays");
    assertThat(matrix.users()[idle]).isCloseTo((float) Math.log(11), within(1e-6f));
    assertThat(matrix.users()[idle + 1]).isCloseTo((float) Math.log(21), within(1e-6f));
  }

  /** Whatever a user does from an example on must not be seen in its features. */
  @Test
  void withoutTimesTheOwnFutureIsNotSeen() {
    Random random = new Random(5);
    ClickData data = random(random, false);
    for (int trial = 0; trial < 40; trial++) {
      int user = random.nextInt(data.numUsers());
      int position = 1 + random.nextInt(data.items()[user].length - 1);
      int[][] changed = copy(data.items());
      for (int p = position; p < changed[user].length; p++) {
        changed[user][p] = random.nextInt(ITEMS);
      }
      ClickExamples asked = ask(user, position, random.nextInt(ITEMS));
      assertSame(data, with(data, changed), asked, "seed 5, trial " + trial);
    }
  }

  /** Whatever anybody does at the time of an example or later must not be seen in it. */
  @Test
  void withTimesNobodysFutureIsSeen() {
    Random random = new Random(6);
    ClickData data = random(random, true);
    for (int trial = 0; trial < 40; trial++) {
      int user = random.nextInt(data.numUsers());
      int position = 1 + random.nextInt(data.items()[user].length - 1);
      long now = data.times()[user][position];
      int[][] changed = copy(data.items());
      int changes = 0;
      for (int u = 0; u < changed.length; u++) {
        for (int p = 0; p < changed[u].length; p++) {
          boolean ownPast = u == user && p < position;
          if (data.times()[u][p] >= now && !ownPast) {
            changed[u][p] = random.nextInt(ITEMS);
            changes++;
          }
        }
      }
      assertThat(changes).isPositive();
      ClickExamples asked = ask(user, position, random.nextInt(ITEMS));
      assertSame(data, with(data, changed), asked, "seed 6, trial " + trial);
    }
  }

  /** What belongs to validation and test is never evidence for others. */
  @Test
  void laterPartsAreNoEvidence() {
    for (boolean timed : new boolean[] {false, true}) {
      Random random = new Random(7);
      ClickData data = random(random, timed);
      int[][] changed = copy(data.items());
      for (int u = 1; u < changed.length; u++) {
        for (int p = data.trainLength()[u]; p < changed[u].length; p++) {
          changed[u][p] = random.nextInt(ITEMS);
        }
      }
      ClickExamples asked = ask(0, data.items()[0].length - 1, 3);
      assertSame(data, with(data, changed), asked, "seed 7, timed " + timed);
    }
  }

  @Test
  void evidenceThatWasTakenAwayLeavesNothing() {
    Random random = new Random(8);
    ClickData data = random(random, false);
    ItemEvidence both = new ItemEvidence(ITEMS, data.attributes());
    ItemEvidence half = new ItemEvidence(ITEMS, data.attributes());
    for (int u = 0; u < data.numUsers(); u++) {
      for (int p = 0; p < data.items()[u].length; p++) {
        both.add(data.items()[u], p);
        if (u % 2 == 0) {
          half.add(data.items()[u], p);
        }
      }
    }
    for (int u = 1; u < data.numUsers(); u += 2) {
      for (int p = 0; p < data.items()[u].length; p++) {
        both.remove(data.items()[u], p);
      }
    }
    assertThat(both.events()).isEqualTo(half.events());
    for (int a = 0; a < ITEMS; a++) {
      assertThat(both.count(a)).as("seed 8, item %d", a).isEqualTo(half.count(a));
      assertThat(both.transitionsFrom(a)).isEqualTo(half.transitionsFrom(a));
      for (int b = 0; b < ITEMS; b++) {
        assertThat(both.cosine(a, b)).as("seed 8, items %d, %d", a, b).isEqualTo(half.cosine(a, b));
        assertThat(both.cosine(a, b)).isEqualTo(both.cosine(b, a));
        assertThat(both.transitions(a, b)).isEqualTo(half.transitions(a, b));
      }
    }
    for (int a = 0; a < 4; a++) {
      assertThat(both.attributeInformation(a)).isEqualTo(half.attributeInformation(a));
      for (int b = 0; b < 4; b++) {
        assertThat(both.attributeLift(a, b)).isEqualTo(half.attributeLift(a, b));
      }
    }
  }

  @Test
  void examplesAreEventsAndItemsWithoutOne() {
    ClickData data = random(new Random(9), false);
    for (ClickData.Part part : ClickData.Part.values()) {
      ClickExamples examples = ClickExamples.of(data, part, 1);
      int events = 0;
      for (int u = 0; u < data.numUsers(); u++) {
        events += part == ClickData.Part.TRAIN ? data.trainLength()[u] - 1 : 1;
      }
      assertThat(examples.size()).as("%s", part).isEqualTo(2 * events);
      for (int e = 0; e < examples.size(); e += 2) {
        int user = examples.users()[e];
        int position = examples.positions()[e];
        assertThat(data.partOf(user, position)).isEqualTo(part);
        assertThat(examples.items()[e]).isEqualTo(data.items()[user][position]);
        assertThat(examples.labels()[e]).isOne();
        assertThat(examples.users()[e + 1]).isEqualTo(user);
        assertThat(examples.positions()[e + 1]).isEqualTo(position);
        assertThat(examples.labels()[e + 1]).isZero();
        int[] known = Arrays.copyOf(data.items()[user], position + 1);
        assertThat(known).as("seed 9, %s", part).doesNotContain(examples.items()[e + 1]);
      }
      assertThat(ClickExamples.of(data, part, 1).items()).isEqualTo(examples.items());
      assertThat(ClickExamples.of(data, part, 2).items()).isNotEqualTo(examples.items());
    }
  }

  @Test
  void aUserWhoKnowsAllItemsIsRefused() {
    ClickData data =
        new ClickData(2, new int[][] {{0, 1}}, new long[0][], new int[] {2}, new int[2][0]);
    assertThatThrownBy(() -> ClickExamples.of(data, ClickData.Part.TRAIN, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("all 2 items");
  }

  private static float feature(ClickFeatures.Matrix matrix, int example, String name) {
    return matrix.items()[example * ClickFeatures.ITEM.size() + ClickFeatures.ITEM.indexOf(name)];
  }

  private static void assertSame(ClickData a, ClickData b, ClickExamples asked, String seed) {
    ClickFeatures.Matrix before = ClickFeatures.of(a, List.of(asked)).get(0);
    ClickFeatures.Matrix after = ClickFeatures.of(b, List.of(asked)).get(0);
    assertThat(after.users()).as(seed).isEqualTo(before.users());
    // Sums over hash tables are taken in another order.
    assertThat(after.items()).as(seed).containsExactly(before.items(), within(1e-5f));
  }

  private static ClickExamples ask(int user, int position, int item) {
    return new ClickExamples(
        new int[] {user}, new int[] {position}, new int[] {item}, new float[] {1});
  }

  private static ClickData with(ClickData data, int[][] items) {
    return new ClickData(ITEMS, items, data.times(), data.trainLength(), data.attributes());
  }

  private static int[][] copy(int[][] rows) {
    return Arrays.stream(rows).map(int[]::clone).toArray(int[][]::new);
  }

  private static ClickData random(Random random, boolean timed) {
    int users = 12;
    int[][] items = new int[users][];
    long[][] times = new long[timed ? users : 0][];
    int[] trainLength = new int[users];
    for (int u = 0; u < users; u++) {
      items[u] = random.ints(4 + random.nextInt(6), 0, ITEMS).toArray();
      trainLength[u] = items[u].length - 2;
      if (timed) {
        times[u] = random.longs(items[u].length, 0, 20).map(d -> d * DAY).sorted().toArray();
      }
    }
    int[][] attributes = new int[ITEMS][];
    for (int i = 0; i < ITEMS; i++) {
      attributes[i] = random.ints(random.nextInt(4), 0, 4).sorted().distinct().toArray();
    }
    // The largest attribute is there, so that the tables are as wide in every test.
    attributes[0] = new int[] {3};
    return new ClickData(ITEMS, items, times, trainLength, attributes);
  }
}
