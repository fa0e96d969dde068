package io.sextant.feedback;

import io.sextant.InvalidInputException;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Rounds dealt to parts at random, so that each can be predicted from the others.
 *
 * <p>Thread safety: immutable.
 */
final class Folds {

  private final int[] order;
  private final int folds;

  /**
   * Deals rounds.
   *
   * @param folds how many parts, 2..rounds
   */
  Folds(int rounds, int folds, long seed) {
    if (folds < 2 || folds > rounds) {
      throw new InvalidInputException(
          "folds must lie in 2..%d (the number of rounds) but was %d".formatted(rounds, folds));
    }
    this.folds = folds;
    order = new int[rounds];
    Arrays.setAll(order, i -> i);
    new CounterRandom(seed, "folds", 0).shuffle(order);
  }

  /** The rounds of a part, ascending. */
  int[] of(int fold) {
    return chosen(fold, true);
  }

  /** All others, ascending: sums run in the order of the log, whatever the shuffle. */
  int[] others(int fold) {
    return chosen(fold, false);
  }

  private int[] chosen(int fold, boolean in) {
    return IntStream.range(0, order.length)
        .filter(i -> (i % folds == fold) == in)
        .map(i -> order[i])
        .sorted()
        .toArray();
  }
}
