package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.meta.Explanation;
import io.sextant.meta.MixedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import io.sextant.strategy.UserState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What of a bundle makes the lists: its policy over all strategies, or one strategy alone. */
interface Served extends AutoCloseable {

  /** The strategy's name, or {@code policy}. */
  String name();

  /** The best k items of each user. */
  RankedLists rank(List<UserState> users, int k, ExcludedItems excluded);

  /** The same with what each strategy adds to each score. */
  MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded);

  /**
   * Why the user's best k items are recommended, best first.
   *
   * @throws InvalidInputException if there is no mixture to explain
   */
  List<Explanation> explain(UserState user, int k, ExcludedItems excluded);

  @Override
  void close();

  /**
   * Loads what is to make lists.
   *
   * @param strategyName a strategy of the bundle; null for the policy, or the last strategy of a
   *     bundle that has none
   */
  static Served open(ModelBundle bundle, Device device, @Nullable String strategyName) {
    StoredPolicy policy = strategyName == null ? bundle.policy().orElse(null) : null;
    if (policy != null) {
      return ServedPolicy.open(bundle, policy, device);
    }
    String name =
        strategyName == null
            ? bundle.strategies().get(bundle.strategies().size() - 1).name()
            : strategyName;
    return ServedStrategy.open(bundle, name, device);
  }
}
