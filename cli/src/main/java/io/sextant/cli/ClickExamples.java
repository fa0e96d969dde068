package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;

/**
 * What a click predictor is asked: whether a user's next item, after so many events, was this one.
 * Each event but a user's first gives two examples: the item of the event (label 1) and an item
 * drawn from all those that the user has no event with (label 0).
 *
 * @param users of each example
 * @param positions how many events of the user came before: the length of the known history
 * @param items what is asked about
 * @param labels 1 or 0; positive and negative of an event are neighbours, the positive first
 */
@SuppressWarnings("ArrayRecordComponent") // Examples are lent, not compared.
record ClickExamples(int[] users, int[] positions, int[] items, float[] labels) {

  /** The examples of one part; the negatives depend on (seed, part, user) alone. */
  static ClickExamples of(ClickData data, ClickData.Part part, long seed) {
    int most = 0;
    for (int[] items : data.items()) {
      most += 2 * items.length;
    }
    int[] users = new int[most];
    int[] positions = new int[most];
    int[] items = new int[most];
    float[] labels = new float[most];
    int n = 0;
    for (int user = 0; user < data.numUsers(); user++) {
      int[] sequence = data.items()[user];
      int[] seen = seen(data, user, part);
      CounterRandom random = new CounterRandom(seed, "click-negatives-" + part, user);
      for (int position = 1; position < sequence.length; position++) {
        if (data.partOf(user, position) != part) {
          continue;
        }
        for (int label = 1; label >= 0; label--) {
          users[n] = user;
          positions[n] = position;
          items[n] = label == 1 ? sequence[position] : draw(data.numItems(), seen, random);
          labels[n] = label;
          n++;
        }
      }
    }
    return new ClickExamples(
        Arrays.copyOf(users, n),
        Arrays.copyOf(positions, n),
        Arrays.copyOf(items, n),
        Arrays.copyOf(labels, n));
  }

  int size() {
    return users.length;
  }

  /** The distinct items that a user has events with, later parts left out, ascending. */
  private static int[] seen(ClickData data, int user, ClickData.Part part) {
    int[] items = data.items()[user];
    int length = Math.min(items.length, data.trainLength()[user] + part.ordinal());
    return Arrays.stream(items, 0, length).sorted().distinct().toArray();
  }

  private static int draw(int numItems, int[] seen, CounterRandom random) {
    if (seen.length >= numItems) {
      throw new InvalidInputException(
          "a user has events with all %d items: there is no item to be the negative"
              .formatted(numItems));
    }
    int item = random.nextInt(numItems);
    while (Arrays.binarySearch(seen, item) >= 0) {
      item = random.nextInt(numItems);
    }
    return item;
  }
}
