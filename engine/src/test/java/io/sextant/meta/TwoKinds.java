package io.sextant.meta;

import io.sextant.data.Interactions;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Users of two kinds. One strategy puts the truth of the first kind high and something wrong for
 * the second, the other does the opposite, and which kind a user is shows in the length of the
 * history alone.
 */
final class TwoKinds {

  static final int USERS = 900;
  static final int ITEMS = 120;

  /** The first users are for the policy, the others are fresh. */
  static final int META_USERS = 600;

  final Interactions history;
  private final int[] truth = new int[USERS];
  private final float[][] first = new float[USERS][ITEMS];
  private final float[][] second = new float[USERS][ITEMS];
  private final float[][] noise = new float[USERS][ITEMS];

  TwoKinds(long seed) {
    Random random = new Random(seed);
    int[][] histories = new int[USERS][];
    for (int u = 0; u < USERS; u++) {
      boolean isFirst = random.nextBoolean();
      int length = isFirst ? 2 + random.nextInt(2) : 9 + random.nextInt(6);
      histories[u] = random.ints(0, ITEMS).distinct().limit(length).toArray();
      int[] seen = Arrays.stream(histories[u]).sorted().toArray();
      int[] unseen =
          random
              .ints(0, ITEMS)
              .distinct()
              .filter(i -> Arrays.binarySearch(seen, i) < 0)
              .limit(2)
              .toArray();
      truth[u] = unseen[0];
      for (int i = 0; i < ITEMS; i++) {
        first[u][i] = (float) random.nextGaussian();
        second[u][i] = (float) random.nextGaussian();
        noise[u][i] = (float) random.nextGaussian();
      }
      first[u][isFirst ? unseen[0] : unseen[1]] = 4;
      second[u][isFirst ? unseen[1] : unseen[0]] = 4;
    }
    history = KnownScores.sequences(ITEMS, histories);
  }

  StrategyPool pool() {
    return new StrategyPool(List.of(member("first", first), member("second", second)));
  }

  /** With an exact copy of the first strategy and one that knows nothing. */
  StrategyPool widePool() {
    return new StrategyPool(
        List.of(
            member("first", first),
            member("noise", noise),
            member("copy", first),
            member("second", second)));
  }

  Interactions metaTruth() {
    return truth(0, META_USERS);
  }

  Interactions freshTruth() {
    return truth(META_USERS, USERS);
  }

  private Interactions truth(int from, int to) {
    List<int[]> rows = new ArrayList<>();
    for (int u = 0; u < USERS; u++) {
      rows.add(u >= from && u < to ? new int[] {truth[u]} : new int[0]);
    }
    return KnownScores.sequences(ITEMS, rows.toArray(int[][]::new));
  }

  private static StrategyPool.Member member(String name, float[][] table) {
    Function<UserState, float[]> scores =
        user -> user.userIndex() < 0 ? new float[ITEMS] : table[user.userIndex()];
    return KnownScores.member(name, ITEMS, scores);
  }
}
