package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.meta.Explanation;
import io.sextant.meta.MixedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategies;
import io.sextant.strategy.UserState;
import java.util.List;

/** One strategy alone: its score is its only part. */
record ServedStrategy(String name, FittedStrategy strategy, Ranker ranker) implements Served {

  static ServedStrategy open(ModelBundle bundle, String name, Device device) {
    FittedStrategy strategy = Strategies.load(bundle.strategy(name), device);
    // Last, because whoever fails above has nothing to close.
    return new ServedStrategy(name, strategy, new Ranker());
  }

  @Override
  public RankedLists rank(List<UserState> users, int k, ExcludedItems excluded) {
    return ranker.rank(strategy, users, k, excluded);
  }

  @Override
  public MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded) {
    RankedLists lists = rank(users, k, excluded);
    return new MixedLists(lists, List.of(name), lists.scores());
  }

  @Override
  public List<Explanation> explain(UserState user, int k, ExcludedItems excluded) {
    throw new InvalidInputException(
        "--explain tells how a policy mixes strategies, but strategy '%s' makes these lists alone: take a bundle whose recipe has [meta], and leave --strategy out"
            .formatted(name));
  }

  @Override
  public void close() {
    strategy.close();
    ranker.close();
  }
}
