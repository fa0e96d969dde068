package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.data.Split;

/**
 * The sequences of a leave-one-out split, user by user, with the attributes of items.
 *
 * @param numItems how many items there are
 * @param items of each user, oldest first: those of train, then one of validation, then one of test
 * @param times of the same events, or empty if the data have only an order
 * @param trainLength how many of each user's events are of train
 * @param attributes of each item, numbers from 0; empty if nothing is known
 */
@SuppressWarnings("ArrayRecordComponent") // Data are lent, not compared.
record ClickData(
    int numItems, int[][] items, long[][] times, int[] trainLength, int[][] attributes) {

  /** The parts of the data, in the order of a user's events. */
  enum Part {
    TRAIN,
    VALIDATION,
    TEST
  }

  static ClickData of(Split split, int[][] attributes) {
    int users = split.train().numUsers();
    boolean timed =
        split.train().hasTimes() && split.validation().hasTimes() && split.test().hasTimes();
    int[][] items = new int[users][];
    long[][] times = new long[timed ? users : 0][];
    int[] trainLength = new int[users];
    for (int user = 0; user < users; user++) {
      int length = 0;
      for (Interactions part : parts(split)) {
        if (part != split.train() && part.degree(user) > 1) {
          throw new InvalidInputException(
              "user '%s' has %d events to be predicted: leave-one-out has one for each user"
                  .formatted(part.users().idOf(user), part.degree(user)));
        }
        length += part.degree(user);
      }
      items[user] = new int[length];
      if (timed) {
        times[user] = new long[length];
      }
      int at = 0;
      for (Interactions part : parts(split)) {
        for (int row = part.start(user); row < part.end(user); row++) {
          items[user][at] = part.itemAt(row);
          if (timed) {
            times[user][at] = part.timeAt(row);
          }
          at++;
        }
      }
      trainLength[user] = split.train().degree(user);
    }
    return new ClickData(split.train().numItems(), items, times, trainLength, attributes);
  }

  private static Interactions[] parts(Split split) {
    return new Interactions[] {split.train(), split.validation(), split.test()};
  }

  int numUsers() {
    return items.length;
  }

  boolean timed() {
    return times.length > 0;
  }

  /** The part of a user's event. */
  Part partOf(int user, int position) {
    int behind = position - trainLength[user];
    return behind < 0 ? Part.TRAIN : behind == 0 ? Part.VALIDATION : Part.TEST;
  }
}
