package io.sextant.strategy;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random interactions with repetitions, weights (some 0), idle users and unseen items. */
final class RandomEvents {

  private RandomEvents() {}

  static Interactions of(Random random, int numUsers, int numItems, int maxRows) {
    Interactions.Builder rows = Interactions.builder(ids("u", numUsers), ids("i", numItems));
    for (int user = 0; user < numUsers; user++) {
      int count = random.nextInt(maxRows + 1);
      for (int n = 0; n < count; n++) {
        // Low items are popular, the last one is never seen.
        int item = Math.min(random.nextInt(numItems - 1), random.nextInt(numItems - 1));
        float weight = random.nextInt(8) == 0 ? 0 : 0.5f + random.nextFloat();
        add(rows, user, item, weight);
      }
    }
    return rows.build();
  }

  /** Rows of weight 1 in the order given: one array of items for each user. */
  static Interactions sequences(int numItems, int[]... users) {
    Interactions.Builder rows = Interactions.builder(ids("u", users.length), ids("i", numItems));
    for (int user = 0; user < users.length; user++) {
      for (int item : users[user]) {
        add(rows, user, item, 1);
      }
    }
    return rows.build();
  }

  static void add(Interactions.Builder rows, int user, int item, float weight) {
    rows.add(
        user, item, EventType.CLICK, Float.NaN, weight, Event.NO_TIME, InteractionFeatures.UNKNOWN);
  }

  static IdIndex ids(String prefix, int count) {
    return IdIndex.of(names(prefix, count));
  }

  static List<String> names(String prefix, int count) {
    return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
  }

  /** Dense (U, I): the heaviest of the last {@code maxItems} rows of each pair. */
  static double[][] heaviest(Interactions events, int maxItems) {
    double[][] x = new double[events.numUsers()][events.numItems()];
    for (int user = 0; user < x.length; user++) {
      for (int row = events.start(user); row < events.end(user); row++) {
        if (row >= events.end(user) - maxItems) {
          int item = events.itemAt(row);
          x[user][item] = Math.max(x[user][item], events.weightAt(row));
        }
      }
    }
    return x;
  }

  static double rowSum(double[][] x, int row) {
    double sum = 0;
    for (double value : x[row]) {
      sum += value;
    }
    return sum;
  }

  static double columnSum(double[][] x, int column) {
    double sum = 0;
    for (double[] row : x) {
      sum += row[column];
    }
    return sum;
  }
}
