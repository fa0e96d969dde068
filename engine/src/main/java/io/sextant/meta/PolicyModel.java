package io.sextant.meta;

import ai.djl.Device;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import io.sextant.strategy.UserState;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The strategies of a bundle, mixed by its policy.
 *
 * <p>Thread safety: as {@link ServableModel}.
 */
record PolicyModel(MetaPolicy policy, StrategyPool pool, TopK topK, MetaStrategy meta)
    implements ServableModel {

  static PolicyModel load(
      ModelBundle bundle,
      StoredPolicy stored,
      Device device,
      int spare,
      Function<TopK, IndexBuilder> index) {
    MetaPolicy policy = MetaPolicy.load(stored, device);
    StrategyPool pool = null;
    MetaStrategy meta = null;
    TopK topK = new TopK();
    try {
      pool = StrategyPool.load(policy.strategies().stream().map(bundle::strategy).toList(), device);
      meta = policy.over(pool, topK, spare, index.apply(topK));
      meta.scorer().requireFinite();
      return new PolicyModel(policy, pool, topK, meta);
    } catch (RuntimeException | Error e) {
      if (meta != null) {
        meta.close();
      }
      policy.close();
      topK.close();
      if (pool != null) {
        pool.close();
      }
      throw e;
    }
  }

  @Override
  public String name() {
    return POLICY;
  }

  @Override
  public Optional<String> policyVersion() {
    return Optional.of(policy.version());
  }

  @Override
  public int numItems() {
    return pool.numItems();
  }

  @Override
  public int group(int k) {
    return meta.candidates(k);
  }

  @Override
  public RankedLists rank(List<UserState> users, int k, ExcludedItems excluded) {
    return meta.rank(users, k, excluded);
  }

  @Override
  public MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded) {
    return meta.rankWithParts(users, k, excluded);
  }

  @Override
  public DecidedLists rankForLog(List<UserState> users, int k, ExcludedItems excluded) {
    return meta.rankForLog(users, k, excluded);
  }

  @Override
  public RankedLists similar(List<int[]> items, int k, ExcludedItems excluded) {
    return new SimilarItems(meta.scorer(), meta.globalWeights()).search(items, k, excluded);
  }

  @Override
  public List<Explanation> explain(UserState user, int[] items, ExcludedItems excluded) {
    return meta.explain(user, items, excluded);
  }

  @Override
  public void place(int slot, int[] kin, float[] weights) {
    meta.scorer().place(slot, new AddedItems.Kin(kin, weights));
  }

  @Override
  public int directionWidth() {
    return meta.scorer().directionWidth();
  }

  @Override
  public float[] directions(int[] items) {
    return meta.scorer().directions(items);
  }

  @Override
  public void close() {
    meta.close();
    policy.close();
    pool.close();
    topK.close();
  }
}
