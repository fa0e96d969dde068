package io.sextant.train;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;

/**
 * Interactions that are trusted, beside those that a model learns from, and draws from them to
 * judge one batch: a draw is a trusted row of a user of the batch, or of the item where the user
 * has none. A loss over ids depends on nothing else, so other rows would say nothing of the batch.
 *
 * <p>Thread safety: immutable.
 */
final class MetaRows {

  private final Interactions rows;
  private final int[] byUser;
  private final int[] byItem;
  private final int[] userStarts;
  private final int[] itemStarts;

  private MetaRows(
      Interactions rows, int[] byUser, int[] userStarts, int[] byItem, int[] itemStarts) {
    this.rows = rows;
    this.byUser = byUser;
    this.userStarts = userStarts;
    this.byItem = byItem;
    this.itemStarts = itemStarts;
  }

  /**
   * Checks trusted rows and puts them beside the others, which are kept with weight 0: as history,
   * and as items that are no negatives. What is trusted and stands among the others with weight 0,
   * because it was held back from them, is there once: a history must not give away what follows.
   *
   * @param name what messages call the trusted rows
   * @throws InvalidInputException if there are none, they contradict each other, or they share
   *     neither a user nor an item with the others
   */
  static MetaRows of(String name, Interactions train, Interactions trusted) {
    Interactions positive = trusted.filter(row -> trusted.weightAt(row) > 0);
    if (positive.size() == 0) {
      throw new InvalidInputException(
          "the %s has no interaction of positive weight: name interactions that can be trusted, such as purchases or high ratings, or train without example weights"
              .formatted(name));
    }
    if (!train.users().equals(trusted.users()) || !train.items().equals(trusted.items())) {
      throw new InvalidInputException(
          "the %s must have the users and items of the training interactions (%d, %d) but has others (%d, %d): read both with one cleaning run"
              .formatted(
                  name,
                  train.numUsers(),
                  train.numItems(),
                  trusted.numUsers(),
                  trusted.numItems()));
    }
    requireNoContradiction(name, trusted);
    requireOverlap(name, train, positive);
    Interactions others = withoutHeldBack(train, positive);
    Interactions both = others.reweighted(new float[others.size()]).concat(positive);
    int[] users = both.userOfRow();
    int[] chosen = new int[positive.size()];
    int[] userOf = new int[chosen.length];
    int[] itemOf = new int[chosen.length];
    int n = 0;
    for (int row = 0; row < both.size(); row++) {
      if (both.weightAt(row) > 0) {
        chosen[n] = row;
        userOf[n] = users[row];
        itemOf[n++] = both.itemAt(row);
      }
    }
    int[] userStarts = starts(userOf, both.numUsers());
    int[] itemStarts = starts(itemOf, both.numItems());
    return new MetaRows(
        both,
        grouped(chosen, userOf, userStarts),
        userStarts,
        grouped(chosen, itemOf, itemStarts),
        itemStarts);
  }

  /** The same pair both trusted and not, or rated in two ways, cannot judge anything. */
  private static void requireNoContradiction(String name, Interactions trusted) {
    int[] firstRow = new int[trusted.numItems()];
    Arrays.fill(firstRow, -1);
    for (int user = 0; user < trusted.numUsers(); user++) {
      for (int row = trusted.start(user); row < trusted.end(user); row++) {
        int item = trusted.itemAt(row);
        int first = firstRow[item];
        if (first >= trusted.start(user)) {
          boolean values =
              trusted.typeAt(first) == EventType.RATING
                  && trusted.typeAt(row) == EventType.RATING
                  && Float.compare(trusted.valueAt(first), trusted.valueAt(row)) != 0;
          boolean weights = trusted.weightAt(first) > 0 != trusted.weightAt(row) > 0;
          if (values || weights) {
            throw new InvalidInputException(
                "the %s contradicts itself: user '%s' and item '%s' occur with %s %s and %s; keep one of the two"
                    .formatted(
                        name,
                        trusted.users().idOf(user),
                        trusted.items().idOf(item),
                        values ? "value" : "weight",
                        values ? trusted.valueAt(first) : trusted.weightAt(first),
                        values ? trusted.valueAt(row) : trusted.weightAt(row)));
          }
        } else {
          firstRow[item] = row;
        }
      }
    }
  }

  private static void requireOverlap(String name, Interactions train, Interactions trusted) {
    int[] counts = train.itemCounts();
    for (int user = 0; user < trusted.numUsers(); user++) {
      for (int row = trusted.start(user); row < trusted.end(user); row++) {
        if (train.degree(user) > 0 || counts[trusted.itemAt(row)] > 0) {
          return;
        }
      }
    }
    throw new InvalidInputException(
        "the %s shares no user and no item with the training interactions, so it can judge none of them: take it from the same users or items"
            .formatted(name));
  }

  private static Interactions withoutHeldBack(Interactions train, Interactions trusted) {
    boolean[] heldBack = new boolean[train.size()];
    int[] trustedBy = new int[train.numItems()];
    Arrays.fill(trustedBy, -1);
    for (int user = 0; user < train.numUsers(); user++) {
      for (int row = trusted.start(user); row < trusted.end(user); row++) {
        trustedBy[trusted.itemAt(row)] = user;
      }
      for (int row = train.start(user); row < train.end(user); row++) {
        heldBack[row] = train.weightAt(row) == 0 && trustedBy[train.itemAt(row)] == user;
      }
    }
    return train.filter(row -> !heldBack[row]);
  }

  private static int[] starts(int[] groupOf, int groups) {
    int[] starts = new int[groups + 1];
    for (int group : groupOf) {
      starts[group + 1]++;
    }
    for (int group = 0; group < groups; group++) {
      starts[group + 1] += starts[group];
    }
    return starts;
  }

  private static int[] grouped(int[] rows, int[] groupOf, int[] starts) {
    int[] next = starts.clone();
    int[] grouped = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      grouped[next[groupOf[i]]++] = rows[i];
    }
    return grouped;
  }

  /** The trusted rows among the others, whose weight is 0. */
  Interactions interactions() {
    return rows;
  }

  /**
   * Draws rows that judge a batch, with replacement.
   *
   * @param train what the batch's rows are of
   * @param userOfRow the users of its rows
   * @param batch rows that the batch learns from
   * @param size how many draws; those whose user and item have no trusted row give none
   */
  int[] draw(Interactions train, int[] userOfRow, int[] batch, int size, CounterRandom random) {
    int[] drawn = new int[size];
    int n = 0;
    for (int d = 0; d < size; d++) {
      int row = batch[random.nextInt(batch.length)];
      int user = userOfRow[row];
      int item = train.itemAt(row);
      if (userStarts[user + 1] > userStarts[user]) {
        drawn[n++] =
            byUser[userStarts[user] + random.nextInt(userStarts[user + 1] - userStarts[user])];
      } else if (itemStarts[item + 1] > itemStarts[item]) {
        drawn[n++] =
            byItem[itemStarts[item] + random.nextInt(itemStarts[item + 1] - itemStarts[item])];
      }
    }
    return Arrays.copyOf(drawn, n);
  }
}
