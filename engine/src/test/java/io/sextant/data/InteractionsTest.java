package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class InteractionsTest {

  private static final List<EventType> TYPES = List.of(EventType.values());

  @Test
  void factorsMultiplyWeightsAndNothingElse() {
    Random random = new Random(5);
    List<Row> rows = randomRows(random, 9, 11);
    Interactions built = build(rows, 9, 11);
    float[] factors = new float[built.size()];
    for (int row = 0; row < factors.length; row++) {
      factors[row] = random.nextInt(3) / 2f;
    }
    Interactions weighed = built.reweighted(factors);
    for (int row = 0; row < factors.length; row++) {
      assertThat(weighed.weightAt(row)).isEqualTo(built.weightAt(row) * factors[row]);
      assertThat(weighed.itemAt(row)).isEqualTo(built.itemAt(row));
      assertThat(weighed.userAt(row)).isEqualTo(built.userAt(row));
      assertThat(weighed.typeAt(row)).isEqualTo(built.typeAt(row));
      assertThat(weighed.timeAt(row)).isEqualTo(built.timeAt(row));
      assertThat(weighed.featuresAt(row)).isEqualTo(built.featuresAt(row));
      assertThat(Float.compare(weighed.valueAt(row), built.valueAt(row))).isZero();
    }
    float[] ones = new float[factors.length];
    Arrays.fill(ones, 1);
    assertThat(built.reweighted(ones).contentHash()).isEqualTo(built.contentHash());
    assertThatThrownBy(() -> built.reweighted(new float[1]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs a factor");
    for (float bad : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      ones[2] = bad;
      assertThatThrownBy(() -> built.reweighted(ones))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("interaction 2 must be finite and >= 0 but was " + bad);
    }
  }

  private record Row(
      int user,
      int item,
      EventType type,
      float value,
      float weight,
      long time,
      InteractionFeatures features) {}

  @Test
  void agreesWithAStableSortOfRows() {
    for (long seed = 1; seed <= 60; seed++) {
      Random random = new Random(seed);
      int numUsers = 1 + random.nextInt(12);
      int numItems = 1 + random.nextInt(20);
      List<Row> rows = randomRows(random, numUsers, numItems);
      Interactions built = build(rows, numUsers, numItems);
      List<Row> expected = new ArrayList<>(rows);
      expected.sort(Comparator.comparingInt(Row::user).thenComparingLong(Row::time));
      assertRows(built, expected, "seed " + seed);

      TreeSet<Integer> kept = new TreeSet<>();
      for (int row = 0; row < built.size(); row++) {
        if (random.nextBoolean()) {
          kept.add(row);
        }
      }
      Interactions filtered = built.filter(kept::contains);
      assertRows(filtered, kept.stream().map(expected::get).toList(), "filtered, seed " + seed);
      assertThat(filtered.users()).isSameAs(built.users());
      assertThat(filtered.items()).isSameAs(built.items());

      Interactions rest = built.filter(row -> !kept.contains(row));
      List<Row> joined = new ArrayList<>(kept.stream().map(expected::get).toList());
      IntStream.range(0, expected.size())
          .filter(row -> !kept.contains(row))
          .forEach(row -> joined.add(expected.get(row)));
      joined.sort(Comparator.comparingInt(Row::user).thenComparingLong(Row::time));
      assertRows(filtered.concat(rest), joined, "joined, seed " + seed);
    }
  }

  private static List<Row> randomRows(Random random, int numUsers, int numItems) {
    boolean times = random.nextInt(4) > 0;
    boolean values = random.nextBoolean();
    boolean weights = random.nextBoolean();
    boolean features = random.nextBoolean();
    int count = random.nextInt(400);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(
          new Row(
              random.nextInt(numUsers),
              random.nextInt(numItems),
              TYPES.get(random.nextInt(5)),
              values && random.nextInt(3) > 0 ? random.nextInt(5) : Float.NaN,
              weights && random.nextInt(3) > 0 ? random.nextInt(4) : 1f,
              times && random.nextInt(9) > 0 ? random.nextInt(40) : Event.NO_TIME,
              features && random.nextInt(3) > 0
                  ? new InteractionFeatures(
                      random.nextInt(9),
                      random.nextInt(5) - 1,
                      "d" + random.nextInt(3),
                      random.nextBoolean() ? "" : "mail")
                  : InteractionFeatures.UNKNOWN));
    }
    return rows;
  }

  private static Interactions build(List<Row> rows, int numUsers, int numItems) {
    Interactions.Builder builder = Interactions.builder(ids("u", numUsers), ids("i", numItems));
    for (Row r : rows) {
      builder.add(r.user(), r.item(), r.type(), r.value(), r.weight(), r.time(), r.features());
    }
    return builder.build();
  }

  static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }

  private static void assertRows(Interactions built, List<Row> expected, String what) {
    List<Row> found = new ArrayList<>();
    int[] userOfRow = built.userOfRow();
    int[] counts = new int[built.numItems()];
    for (int user = 0; user < built.numUsers(); user++) {
      List<Integer> history = new ArrayList<>();
      assertThat(built.degree(user)).isEqualTo(built.end(user) - built.start(user));
      for (int row = built.start(user); row < built.end(user); row++) {
        assertThat(built.userAt(row)).as(what).isEqualTo(user);
        assertThat(userOfRow[row]).as(what).isEqualTo(user);
        history.add(built.itemAt(row));
        counts[built.itemAt(row)]++;
        found.add(
            new Row(
                user,
                built.itemAt(row),
                built.typeAt(row),
                built.valueAt(row),
                built.weightAt(row),
                built.timeAt(row),
                built.featuresAt(row)));
      }
      assertThat(built.historyOf(user)).as(what).containsExactly(array(history));
      assertThat(built.seenOf(user)).as(what).containsExactly(array(new TreeSet<>(history)));
    }
    assertThat(found).as(what).isEqualTo(expected);
    assertThat(built.size()).isEqualTo(expected.size());
    assertThat(built.itemCounts()).as(what).containsExactly(counts);
    List<Long> times =
        expected.stream().map(Row::time).filter(time -> time != Event.NO_TIME).toList();
    assertThat(built.hasTimes())
        .as(what)
        .isEqualTo(!expected.isEmpty() && times.size() == expected.size());
    assertThat(built.minTime())
        .as(what)
        .isEqualTo(times.stream().min(Long::compare).orElse(Event.NO_TIME));
    assertThat(built.maxTime())
        .as(what)
        .isEqualTo(times.stream().max(Long::compare).orElse(Event.NO_TIME));
  }

  private static Integer[] array(Iterable<Integer> numbers) {
    List<Integer> list = new ArrayList<>();
    numbers.forEach(list::add);
    return list.toArray(Integer[]::new);
  }

  @Test
  void longHistoriesOfOneUserStayStable() {
    Random random = new Random(7);
    Interactions.Builder builder = Interactions.builder(ids("u", 1), ids("i", 5000));
    for (int i = 0; i < 5000; i++) {
      builder.add(
          0, i, EventType.VIEW, Float.NaN, 1, random.nextInt(50), InteractionFeatures.UNKNOWN);
    }
    Interactions built = builder.build();
    for (int row = 1; row < built.size(); row++) {
      assertThat(built.timeAt(row)).isGreaterThanOrEqualTo(built.timeAt(row - 1));
      if (built.timeAt(row) == built.timeAt(row - 1)) {
        assertThat(built.itemAt(row)).isGreaterThan(built.itemAt(row - 1));
      }
    }
  }

  @Test
  void aBuilderThatGoesOnDoesNotChangeWhatItBuilt() {
    Interactions.Builder builder = Interactions.builder(ids("u", 2), ids("i", 2));
    builder.add(0, 1, EventType.VIEW, 3, 2, 9, new InteractionFeatures(1, 0, "phone", "home"));
    Interactions before = builder.build();
    String hash = before.contentHash();
    builder.add(0, 0, EventType.CART, 4, 5, 1, new InteractionFeatures(2, 1, "tablet", "mail"));
    assertThat(before.size()).isEqualTo(1);
    assertThat(before.devices()).containsExactly("", "phone");
    assertThat(before.contentHash()).isEqualTo(hash);
    assertThat(builder.build().devices()).containsExactly("", "phone", "tablet");
  }

  @Test
  void theContentHashSeesEveryColumn() {
    Row row = new Row(0, 0, EventType.VIEW, 1, 1, 5, InteractionFeatures.UNKNOWN);
    List<Row> variants =
        List.of(
            row,
            new Row(1, 0, EventType.VIEW, 1, 1, 5, InteractionFeatures.UNKNOWN),
            new Row(0, 1, EventType.VIEW, 1, 1, 5, InteractionFeatures.UNKNOWN),
            new Row(0, 0, EventType.CART, 1, 1, 5, InteractionFeatures.UNKNOWN),
            new Row(0, 0, EventType.VIEW, 2, 1, 5, InteractionFeatures.UNKNOWN),
            new Row(0, 0, EventType.VIEW, 1, 2, 5, InteractionFeatures.UNKNOWN),
            new Row(0, 0, EventType.VIEW, 1, 1, 6, InteractionFeatures.UNKNOWN),
            new Row(0, 0, EventType.VIEW, 1, 1, 5, new InteractionFeatures(1, -1, "", "")),
            new Row(0, 0, EventType.VIEW, 1, 1, 5, new InteractionFeatures(1, 2, "", "")),
            new Row(0, 0, EventType.VIEW, 1, 1, 5, new InteractionFeatures(1, 2, "d", "")),
            new Row(0, 0, EventType.VIEW, 1, 1, 5, new InteractionFeatures(1, 2, "d", "s")));
    assertThat(variants.stream().map(v -> build(List.of(v), 2, 2).contentHash()).distinct())
        .hasSize(variants.size());
    assertThat(build(List.of(row), 2, 2).contentHash())
        .isEqualTo(build(List.of(row), 2, 2).contentHash());
  }

  @Test
  void refusesRowsThatCannotBe() {
    Interactions.Builder builder = Interactions.builder(ids("u", 2), ids("i", 3));
    InteractionFeatures none = InteractionFeatures.UNKNOWN;
    assertThatThrownBy(() -> builder.add(2, 0, EventType.VIEW, 0, 1, 0, none))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("user must be in 0..1 but was 2");
    assertThatThrownBy(() -> builder.add(0, -1, EventType.VIEW, 0, 1, 0, none))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item must be in 0..2 but was -1");
    assertThatThrownBy(() -> builder.add(0, 0, EventType.VIEW, Float.POSITIVE_INFINITY, 1, 0, none))
        .isInstanceOf(InvalidInputException.class);
    for (float weight : new float[] {Float.NaN, -1, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> builder.add(0, 0, EventType.VIEW, 0, weight, 0, none))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("weight");
    }
    assertThat(builder.size()).isZero();
    Interactions one = builder.build();
    assertThatThrownBy(() -> one.valueAt(0)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> one.concat(Interactions.empty(ids("x", 2), ids("i", 3))))
        .isInstanceOf(InvalidInputException.class);
  }
}
