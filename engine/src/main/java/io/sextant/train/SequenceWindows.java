package io.sextant.train;

import io.sextant.data.Interactions;

/**
 * The examples of a sequence model: rows {@code first..last} of a user, of which all but the first
 * are targets.
 *
 * @param users the user of each
 * @param positions how many targets there are in all
 */
@SuppressWarnings("ArrayRecordComponent") // Windows are lent, not compared.
record SequenceWindows(int[] users, int[] firsts, int[] lasts, int positions) {

  /** Windows of at most this many targets. */
  static SequenceWindows of(Interactions interactions, int length) {
    int count = 0;
    for (int user = 0; user < interactions.numUsers(); user++) {
      count += (Math.max(0, interactions.degree(user) - 1) + length - 1) / length;
    }
    int[] users = new int[count];
    int[] firsts = new int[count];
    int[] lasts = new int[count];
    int positions = 0;
    int at = 0;
    for (int user = 0; user < interactions.numUsers(); user++) {
      int start = interactions.start(user);
      // From the end, so that the latest target has the longest history.
      for (int last = interactions.end(user) - 1; last > start; last -= length) {
        users[at] = user;
        firsts[at] = Math.max(start, last - length);
        lasts[at] = last;
        positions += lasts[at] - firsts[at];
        at++;
      }
    }
    return new SequenceWindows(users, firsts, lasts, positions);
  }

  /** How many there are. */
  int size() {
    return users.length;
  }

  /** How many targets an example has. */
  int length(int example) {
    return lasts[example] - firsts[example];
  }

  /** By what the sum over an example's targets is multiplied to give a mean over positions. */
  float perPosition() {
    return (float) size() / positions;
  }
}
