package io.sextant.meta;

import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.data.IdIndex;
import io.sextant.data.Interactions;
import io.sextant.store.TensorSource;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ScoreSums;
import io.sextant.strategy.SparseScores;
import io.sextant.strategy.UserState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A strategy whose scores a test gives: (I) for a user. Counts how often it was closed. */
record KnownScores(int numItems, Function<UserState, float[]> scores, AtomicInteger closed)
    implements FittedStrategy, SparseScores {

  static StrategyPool.Member member(
      String name, int numItems, Function<UserState, float[]> scores) {
    return new StrategyPool.Member(name, new KnownScores(numItems, scores, new AtomicInteger()), 0);
  }

  /** Rows of weight 1 in the order given: one array of items for each user. */
  static Interactions sequences(int numItems, int[][] users) {
    Interactions.Builder rows = Interactions.builder(ids("u", users.length), ids("i", numItems));
    for (int user = 0; user < users.length; user++) {
      for (int item : users[user]) {
        rows.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
      }
    }
    return rows.build();
  }

  private static IdIndex ids(String prefix, int count) {
    return IdIndex.of(IntStream.range(0, count).mapToObj(i -> prefix + i).toList());
  }

  @Override
  public String type() {
    return "known";
  }

  @Override
  public Optional<SparseScores> sparse() {
    return Optional.of(this);
  }

  @Override
  public void score(UserState user, ScoreSums into) {
    float[] values = scores.apply(user);
    for (int item = 0; item < numItems; item++) {
      if (values[item] != 0) {
        into.add(item, values[item]);
      }
    }
  }

  @Override
  public String configJson() {
    return "{}";
  }

  @Override
  public List<TensorSource> tensors() {
    return List.of();
  }

  @Override
  public void close() {
    closed.incrementAndGet();
  }
}
