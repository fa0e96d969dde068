package io.sextant.data;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * How similar two items of one user are: the cosine of the sets of their users.
 *
 * <p>Thread safety: none.
 */
final class ItemCosine {

  private final Interactions all;
  private final int[] counts;

  /** The users of item i, one for each row: usersOf[starts[i]] to usersOf[starts[i + 1] - 1]. */
  private final int[] starts;

  private final int[] usersOf;
  private final int[] mark;
  private int round;

  ItemCosine(Interactions all) {
    this.all = all;
    counts = all.itemCounts();
    starts = new int[counts.length + 1];
    for (int item = 0; item < counts.length; item++) {
      starts[item + 1] = starts[item] + counts[item];
    }
    usersOf = new int[all.size()];
    int[] next = starts.clone();
    for (int user = 0; user < all.numUsers(); user++) {
      for (int row = all.start(user); row < all.end(user); row++) {
        usersOf[next[all.itemAt(row)]++] = user;
      }
    }
    mark = new int[all.numUsers()];
  }

  /**
   * Reorders rows of one user: the first stays first, and the others follow by the similarity of
   * their items to its item; equally similar ones in the given order.
   *
   * @param start the user's first row
   * @param order positions of rows, counted from there
   */
  int[] nearestFirst(int start, int[] order) {
    int seed = all.itemAt(start + order[0]);
    round++;
    for (int at = starts[seed]; at < starts[seed + 1]; at++) {
      mark[usersOf[at]] = round;
    }
    double[] similarity = new double[order.length];
    similarity[0] = Double.POSITIVE_INFINITY;
    for (int i = 1; i < order.length; i++) {
      int item = all.itemAt(start + order[i]);
      int together = 0;
      for (int at = starts[item]; at < starts[item + 1]; at++) {
        together += mark[usersOf[at]] == round ? 1 : 0;
      }
      similarity[i] = together / Math.sqrt((double) counts[item]);
    }
    return IntStream.range(0, order.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -similarity[i]))
        .mapToInt(i -> order[i])
        .toArray();
  }
}
