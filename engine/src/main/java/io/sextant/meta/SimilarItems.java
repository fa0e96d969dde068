package io.sextant.meta;

import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Items that are like given ones, by the strategies for which it matters what a user did.
 *
 * <p>Thread safety: immutable.
 *
 * @param scorer lent
 * @param weights (M) of the standardised scores
 */
record SimilarItems(FusedScorer scorer, float[] weights) {

  /** Mean and deviation of a strategy that looks at no history differ by rounding at most. */
  private static final float ROUNDING = 1e-5f;

  /** For each list of items those that the strategies add to such a history. */
  RankedLists search(List<int[]> items, int k, ExcludedItems excluded) {
    List<UserState> users = new ArrayList<>();
    items.forEach(history -> users.add(UserState.unseen(history)));
    // The last one has done nothing: who scores all others as this one looks at no history.
    users.add(UserState.unseen());
    ExcludedItems withLast =
        new ExcludedItems() {
          @Override
          public int[] of(int list) {
            return list < items.size() ? excluded.of(list) : NONE.of(list);
          }

          @Override
          public long @Nullable [] mask(int list) {
            return list < items.size() ? excluded.mask(list) : null;
          }
        };
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(scorer.pool().device())) {
            PoolScores scores = scorer.score(request, users);
            float[] chosen = chosen(scores, items.size());
            RankedLists lists = scorer.rank(request, scores, chosen, k, withLast);
            return withoutLast(lists, chosen);
          }
        });
  }

  private float[] chosen(PoolScores scores, int lists) {
    int numStrategies = weights.length;
    float[] chosen = new float[(lists + 1) * numStrategies];
    for (int i = 0; i < lists * numStrategies; i++) {
      int nothing = lists * numStrategies + i % numStrategies;
      boolean same =
          isSame(scores.means()[i], scores.means()[nothing])
              && isSame(scores.deviations()[i], scores.deviations()[nothing]);
      chosen[i] = same ? 0 : weights[i % numStrategies];
    }
    return chosen;
  }

  private static boolean isSame(float a, float b) {
    return Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b));
  }

  /** Drops the last list, and empties those of which no strategy says anything. */
  private RankedLists withoutLast(RankedLists lists, float[] chosen) {
    int size = lists.size() - 1;
    int room = size * lists.k();
    int[] found = new int[room];
    float[] values = new float[room];
    int[] lengths = new int[size];
    System.arraycopy(lists.items(), 0, found, 0, room);
    System.arraycopy(lists.scores(), 0, values, 0, room);
    for (int list = 0; list < size; list++) {
      for (int m = 0; m < weights.length; m++) {
        if (chosen[list * weights.length + m] != 0) {
          lengths[list] = lists.lengths()[list];
        }
      }
    }
    return new RankedLists(lists.k(), found, values, lengths);
  }
}
