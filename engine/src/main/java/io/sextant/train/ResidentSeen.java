package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.Runs;
import io.sextant.tensor.Scope;

/**
 * The distinct items of every user on the device, ascending: those of user u are at {@code
 * starts[u]} to {@code starts[u + 1] - 1}.
 *
 * <p>Thread safety: immutable.
 *
 * @param starts (U + 1,) int64
 * @param items (n + 1,) int64; a number above all items is behind the last
 * @param longest how many items a user has at most
 */
record ResidentSeen(NDArray starts, NDArray items, int longest) {

  /** So that a bisection never reads past the end. */
  private static final int NO_ITEM = Integer.MAX_VALUE;

  /** Puts them on the session's device. */
  static ResidentSeen of(Scope session, SeenItems seen, int numUsers) {
    int longest = 0;
    int[] starts = new int[numUsers + 1];
    for (int user = 0; user < numUsers; user++) {
      longest = Math.max(longest, seen.end(user) - seen.start(user));
      starts[user + 1] = seen.end(user);
    }
    int[] items = new int[starts[numUsers] + 1];
    for (int i = 0; i < items.length - 1; i++) {
      items[i] = seen.itemAt(i);
    }
    items[items.length - 1] = NO_ITEM;
    return new ResidentSeen(
        HostArrays.longs(session.manager(), starts, starts.length),
        HostArrays.longs(session.manager(), items, items.length),
        longest);
  }

  /**
   * Every item of every user, user after user.
   *
   * @param users (B,) int64, each with at least one item
   * @param total E, how many items they have together
   */
  Pairs ofUsers(Scope step, NDArray users, long total) {
    NDArray begin = step.adopt(starts.gather(users, 0));
    NDArray end = step.adopt(starts.gather(users.add(Numbers.of(step.manager(), 1)), 0));
    Runs runs = Runs.of(begin, end.sub(begin), total, step);
    return new Pairs(runs.owners(), step.adopt(items.gather(runs.numbers(), 0)));
  }

  /**
   * Examples and items.
   *
   * @param examples (E,) int64, numbers within the batch
   * @param items (E,) int64
   */
  record Pairs(NDArray examples, NDArray items) {}
}
