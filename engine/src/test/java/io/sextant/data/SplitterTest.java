package io.sextant.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SplitterTest {

  /** Rows are told apart by their value. */
  private static Interactions random(long seed, int range) {
    Random random = new Random(seed);
    int users = 1 + random.nextInt(15);
    Interactions.Builder builder =
        Interactions.builder(InteractionsTest.ids("u", users), InteractionsTest.ids("i", 8));
    int rows = random.nextInt(200);
    for (int i = 0; i < rows; i++) {
      builder.add(
          random.nextInt(users),
          random.nextInt(8),
          EventType.CLICK,
          i,
          1,
          random.nextInt(range),
          InteractionFeatures.UNKNOWN);
    }
    return builder.build();
  }

  private static List<Float> values(Interactions part) {
    List<Float> values = new ArrayList<>();
    for (int row = 0; row < part.size(); row++) {
      values.add(part.valueAt(row));
    }
    return values;
  }

  @Test
  void everySplitterPutsEachRowIntoOnePart() {
    for (long seed = 1; seed <= 50; seed++) {
      Interactions all = random(seed, 100);
      for (Splitter splitter :
          List.of(
              Splitter.globalTime(),
              Splitter.globalTime(0, 0),
              Splitter.globalTime(0.3, 0.6),
              Splitter.leaveOneOut(),
              Splitter.perUserRatio(0.1, 0.2, seed))) {
        Split split = splitter.split(all);
        List<Float> found = new ArrayList<>(values(split.train()));
        found.addAll(values(split.validation()));
        found.addAll(values(split.test()));
        assertThat(found)
            .as("%s, seed %d", splitter, seed)
            .containsExactlyInAnyOrderElementsOf(values(all));
        Interactions both = split.trainAndValidation();
        assertThat(both.size()).isEqualTo(split.train().size() + split.validation().size());
      }
    }
  }

  @Test
  void nothingOfTrainIsAsLateAsTest() {
    for (long seed = 1; seed <= 200; seed++) {
      // Few different times: cuts fall into ties.
      Interactions all = random(seed, 1 + (int) (seed % 12));
      Split split = Splitter.globalTime(0.2, 0.2).split(all);
      String what = "seed " + seed;
      if (split.validation().size() > 0) {
        assertThat(split.train().maxTime()).as(what).isLessThan(split.validation().minTime());
      }
      if (split.test().size() > 0) {
        assertThat(split.train().maxTime()).as(what).isLessThan(split.test().minTime());
        if (split.validation().size() > 0) {
          assertThat(split.validation().maxTime()).as(what).isLessThan(split.test().minTime());
        }
      }
      if (all.size() > 0) {
        assertThat(split.train().size()).as(what).isPositive();
      }
    }
  }

  @Test
  void globalCutTakesTheSharesItIsGiven() {
    Interactions.Builder builder =
        Interactions.builder(InteractionsTest.ids("u", 10), InteractionsTest.ids("i", 1));
    for (int t = 0; t < 100; t++) {
      builder.add(t % 10, 0, EventType.CLICK, t, 1, t, InteractionFeatures.UNKNOWN);
    }
    Split split = Splitter.globalTime(0.1, 0.2).split(builder.build());
    assertThat(split.train().maxTime()).isEqualTo(69);
    assertThat(split.validation().minTime()).isEqualTo(70);
    assertThat(split.validation().maxTime()).isEqualTo(79);
    assertThat(split.test().minTime()).isEqualTo(80);

    Split at = Splitter.globalTimeAt(10, 90).split(builder.build());
    assertThat(at.train().size()).isEqualTo(10);
    assertThat(at.validation().size()).isEqualTo(80);
    assertThat(at.test().size()).isEqualTo(10);
  }

  @Test
  void leaveOneOutTakesTheLastTwoOfThreeOrMore() {
    Interactions.Builder builder =
        Interactions.builder(InteractionsTest.ids("u", 4), InteractionsTest.ids("i", 9));
    InteractionFeatures none = InteractionFeatures.UNKNOWN;
    // u0: items 3, 1, 2 by time; u1: two rows; u2: three rows without times; u3: none.
    builder.add(0, 1, EventType.CLICK, 0, 1, 20, none);
    builder.add(0, 2, EventType.CLICK, 0, 1, 30, none);
    builder.add(0, 3, EventType.CLICK, 0, 1, 10, none);
    builder.add(1, 4, EventType.CLICK, 0, 1, 10, none);
    builder.add(1, 5, EventType.CLICK, 0, 1, 20, none);
    builder.add(2, 6, EventType.CLICK, 0, 1, Event.NO_TIME, none);
    builder.add(2, 7, EventType.CLICK, 0, 1, Event.NO_TIME, none);
    builder.add(2, 8, EventType.CLICK, 0, 1, Event.NO_TIME, none);
    Split split = Splitter.leaveOneOut().split(builder.build());

    assertThat(split.train().historyOf(0)).containsExactly(3);
    assertThat(split.validation().historyOf(0)).containsExactly(1);
    assertThat(split.test().historyOf(0)).containsExactly(2);
    assertThat(split.train().historyOf(1)).containsExactly(4, 5);
    assertThat(split.test().historyOf(1)).isEmpty();
    assertThat(split.train().historyOf(2)).containsExactly(6);
    assertThat(split.validation().historyOf(2)).containsExactly(7);
    assertThat(split.test().historyOf(2)).containsExactly(8);
  }

  @Test
  void ratioIsAFunctionOfTheSeed() {
    Interactions all = random(4, 100);
    assertThat(all.size()).isGreaterThan(50);
    Split one = Splitter.perUserRatio(0.2, 0.2, 1).split(all);
    assertThat(values(Splitter.perUserRatio(0.2, 0.2, 1).split(all).test()))
        .isEqualTo(values(one.test()));
    assertThat(values(Splitter.perUserRatio(0.2, 0.2, 2).split(all).test()))
        .isNotEqualTo(values(one.test()));
    for (int user = 0; user < all.numUsers(); user++) {
      int degree = all.degree(user);
      int held = Math.max(0, Math.min(degree - 1, (int) Math.round(degree * 0.4)));
      assertThat(one.train().degree(user)).isEqualTo(degree - held);
      assertThat(one.test().degree(user)).isEqualTo(Math.min(held, (int) Math.round(degree * 0.2)));
    }
  }

  @Test
  void ratioDrawsEveryPositionAlike() {
    // 2000 users with 10 rows each: a position is drawn 400 times at a share of 0.2. Bound: five
    // standard deviations of the count, 5 * sqrt(2000 * 0.2 * 0.8) = 90.
    Interactions.Builder builder =
        Interactions.builder(InteractionsTest.ids("u", 2000), InteractionsTest.ids("i", 10));
    for (int user = 0; user < 2000; user++) {
      for (int i = 0; i < 10; i++) {
        builder.add(user, i, EventType.CLICK, 0, 1, i, InteractionFeatures.UNKNOWN);
      }
    }
    int[] counts = Splitter.perUserRatio(0, 0.2, 99).split(builder.build()).test().itemCounts();
    for (int count : counts) {
      assertThat(count).isBetween(310, 490);
    }
  }

  @Test
  void refusesSharesAndTimesThatCannotBe() {
    for (double[] shares : new double[][] {{-0.1, 0}, {0.5, 0.5}, {Double.NaN, 0}, {0, 1}}) {
      assertThatThrownBy(() -> Splitter.globalTime(shares[0], shares[1]))
          .isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> Splitter.perUserRatio(shares[0], shares[1], 1))
          .isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> Splitter.globalTimeAt(2, 1)).isInstanceOf(InvalidInputException.class);
    Interactions noTimes =
        Interactions.builder(InteractionsTest.ids("u", 1), InteractionsTest.ids("i", 1))
            .add(0, 0, EventType.CLICK, 0, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN)
            .build();
    assertThatThrownBy(() -> Splitter.globalTime().split(noTimes))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("leave-one-out");
  }

  @Test
  void givenPartsMustShareTheirIds() {
    IdIndex users = InteractionsTest.ids("u", 2);
    Interactions one = Interactions.empty(users, InteractionsTest.ids("i", 2));
    Interactions two = Interactions.empty(users, InteractionsTest.ids("i", 3));
    assertThatThrownBy(() -> new Split(one, one, two))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("test part")
        .hasMessageContaining("3 items");
  }
}
