package io.sextant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EventPartsTest {

  /** User u has u events, of the items 0 to u - 1. */
  private static Interactions triangle(int users) {
    IdIndex ids = IdIndex.of(IntStream.range(0, users).mapToObj(i -> "x" + i).toList());
    Interactions.Builder builder = Interactions.builder(ids, ids);
    for (int user = 0; user < users; user++) {
      for (int item = 0; item < user; item++) {
        builder.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
      }
    }
    return builder.build();
  }

  @Test
  void inOrderTheLastEventIsLateAndTheOneBeforeItTheSlice() {
    EventParts parts = EventParts.of(triangle(6), true, 1);
    assertThat(parts.early().historyOf(5)).containsExactly(0, 1, 2);
    assertThat(parts.slice().historyOf(5)).containsExactly(3);
    assertThat(parts.late().historyOf(5)).containsExactly(4);
    assertThat(parts.learned().historyOf(5)).containsExactly(0, 1, 2, 3);
    assertThat(parts.slice().historyOf(2)).as("too few to give any away").isEmpty();
    assertThat(parts.learned().historyOf(2)).containsExactly(0, 1);
  }

  @Test
  void withoutOrderTheyAreRandomTenths() {
    Interactions all = triangle(41);
    EventParts parts = EventParts.of(all, false, 3);
    for (int user = 5; user < 41; user++) {
      assertThat(parts.slice().degree(user)).as("user %d", user).isEqualTo(Math.round(user / 10f));
    }
    for (int user = 0; user < 41; user++) {
      int u = user;
      int[] together =
          Stream.of(parts.early(), parts.slice(), parts.late())
              .flatMapToInt(part -> Arrays.stream(part.historyOf(u)))
              .sorted()
              .toArray();
      assertThat(together).as("user %d", user).isEqualTo(all.historyOf(user));
    }
    List<Integer> lasts = IntStream.range(10, 41).map(u -> u - 1).boxed().toList();
    List<Integer> slice =
        IntStream.range(10, 41).map(u -> parts.slice().historyOf(u)[0]).boxed().toList();
    assertThat(slice).isNotEqualTo(lasts);
    assertThat(EventParts.of(all, false, 4).slice().historyOf(40))
        .isNotEqualTo(parts.slice().historyOf(40));
  }

  @Test
  void everyRowsPartIsTold() {
    Interactions all = triangle(41);
    for (boolean ordered : new boolean[] {true, false}) {
      EventParts parts = EventParts.of(all, ordered, 3);
      byte[] partOfRow = EventParts.partOfRow(all, ordered, 3);
      List<Interactions> told = List.of(parts.early(), parts.slice(), parts.late());
      for (int part = 0; part < told.size(); part++) {
        byte which = (byte) part;
        assertThat(all.filter(row -> partOfRow[row] == which).contentHash())
            .as("part %d, ordered %s", part, ordered)
            .isEqualTo(told.get(part).contentHash());
      }
    }
  }
}
