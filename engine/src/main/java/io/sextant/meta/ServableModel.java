package io.sextant.meta;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import io.sextant.store.StoredStrategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Devices;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What of a bundle makes the lists of a service: its policy over the strategies that it mixes, or
 * one strategy alone. No tensor crosses this border.
 *
 * <p>Items can be added after loading, in places behind those of the bundle; see {@link #place}.
 * Every search may find any place: what is not to be found must be excluded.
 *
 * <p>Thread safety: safe; {@link #close} after all calls have returned.
 */
public interface ServableModel extends AutoCloseable {

  /** The name under which the policy goes among strategies. */
  String POLICY = "policy";

  /**
   * Loads what is to make lists. The bundle is read and can be closed afterwards.
   *
   * @param device as {@link Devices#parse} knows them
   * @param strategy a strategy of the bundle; null for the policy, or the last strategy of a bundle
   *     that has none
   * @param spare for how many added items there is to be room
   * @throws InvalidInputException if a part cannot be restored, or holds numbers that are none;
   *     then nothing native stays behind
   */
  static ServableModel load(
      ModelBundle bundle, String device, @Nullable String strategy, int spare) {
    return load(bundle, device, strategy, spare, ExactIndex::with);
  }

  /**
   * The same with an index for the search.
   *
   * @param index what builds it, given the exact search of the model
   */
  static ServableModel load(
      ModelBundle bundle,
      String device,
      @Nullable String strategy,
      int spare,
      Function<TopK, IndexBuilder> index) {
    Device where = Devices.parse(device);
    StoredPolicy policy = strategy == null ? bundle.policy().orElse(null) : null;
    if (policy != null) {
      return PolicyModel.load(bundle, policy, where, spare, index);
    }
    List<StoredStrategy> strategies = bundle.strategies();
    if (strategies.isEmpty()) {
      throw new InvalidInputException(
          bundle.directory() + ": has no strategies, so it cannot recommend");
    }
    StoredStrategy chosen =
        strategy == null ? strategies.get(strategies.size() - 1) : bundle.strategy(strategy);
    return StrategyModel.load(chosen, where, spare, index);
  }

  /** The strategy's name, or {@link #POLICY}. */
  String name();

  /** The policy's version, if a policy makes the lists. */
  Optional<String> policyVersion();

  /** How many items the bundle has, I: their places are 0 to I - 1. */
  int numItems();

  /**
   * Requests whose lists have the same number here may be ranked together for the greatest of their
   * k: each list then begins as it would alone.
   */
  int group(int k);

  /** The best k items of each user. */
  RankedLists rank(List<UserState> users, int k, ExcludedItems excluded);

  /** The same with what each strategy adds to each score. */
  MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded);

  /** The same with what decided, for a log of decisions. */
  default DecidedLists rankForLog(List<UserState> users, int k, ExcludedItems excluded) {
    return DecidedLists.plain(rank(users, k, excluded));
  }

  /**
   * Items that are like given ones: those that the strategies recommend to a user who was never
   * seen and has done nothing but with these items. Strategies that look at no history take no
   * part.
   *
   * @param items for each list the items, the most important last
   */
  RankedLists similar(List<int[]> items, int k, ExcludedItems excluded);

  /**
   * Why the items are recommended.
   *
   * @param items places
   * @param excluded what must not be a candidate: the same as in the list that is explained
   */
  List<Explanation> explain(UserState user, int[] items, ExcludedItems excluded);

  /**
   * Adds an item, which scores as the weighted mean of others.
   *
   * @param slot from 0 to {@code spare} - 1, free; the item's place is I + slot
   * @param kin places of items of the bundle
   * @param weights their shares, which sum to 1
   */
  void place(int slot, int[] kin, float[] weights);

  /** How many numbers {@link #directions} gives for an item; 0 if the model has no vectors. */
  int directionWidth();

  /**
   * Unit vectors whose inner products say how alike items are: the strategies' item vectors, less
   * their mean and scaled so that each strategy counts alike.
   *
   * @param items places
   * @return (items * width)
   */
  float[] directions(int[] items);

  /** Frees the model. */
  @Override
  void close();
}
