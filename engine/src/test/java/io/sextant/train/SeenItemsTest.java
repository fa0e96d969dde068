package io.sextant.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.Interactions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SeenItemsTest {

  @Test
  void agreesWithASetForEachUser() {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      int users = 1 + random.nextInt(8);
      int items = 1 + random.nextInt(12);
      List<TreeSet<Integer>> expected = new ArrayList<>();
      for (int user = 0; user < users; user++) {
        expected.add(new TreeSet<>());
      }
      Interactions.Builder rows =
          Interactions.builder(Fixture.ids("u", users), Fixture.ids("i", items));
      // Few rows leave users without any, many bring items twice.
      for (int row = random.nextInt(60); row > 0; row--) {
        int user = random.nextInt(users);
        int item = random.nextInt(items);
        expected.get(user).add(item);
        rows.add(
            user,
            item,
            EventType.CLICK,
            Float.NaN,
            1,
            random.nextInt(1000),
            InteractionFeatures.UNKNOWN);
      }
      SeenItems seen = new SeenItems(rows.build());
      assertThat(seen.start(0)).as("seed %d", seed).isZero();
      for (int user = 0; user < users; user++) {
        List<Integer> actual = new ArrayList<>();
        for (int position = seen.start(user); position < seen.end(user); position++) {
          actual.add(seen.itemAt(position));
        }
        assertThat(actual)
            .as("seed %d, user %d, ascending and distinct", seed, user)
            .isEqualTo(List.copyOf(expected.get(user)));
        if (user > 0) {
          assertThat(seen.start(user)).as("seed %d", seed).isEqualTo(seen.end(user - 1));
        }
      }
    }
  }
}
