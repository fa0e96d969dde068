package io.sextant.cli;

import ai.djl.Device;
import io.sextant.RankedLists;
import io.sextant.meta.Explanation;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.MixedLists;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.store.ModelBundle;
import io.sextant.store.StoredPolicy;
import io.sextant.strategy.UserState;
import java.util.List;

/** The strategies of a bundle, mixed by its policy. */
record ServedPolicy(StrategyPool pool, MetaPolicy policy, TopK topK, MetaStrategy meta)
    implements Served {

  static final String NAME = "policy";

  static ServedPolicy open(ModelBundle bundle, StoredPolicy stored, Device device) {
    MetaPolicy policy = MetaPolicy.load(stored, device);
    StrategyPool pool = null;
    TopK topK = new TopK();
    try {
      pool = StrategyPool.load(policy.strategies().stream().map(bundle::strategy).toList(), device);
      return new ServedPolicy(pool, policy, topK, policy.over(pool, topK));
    } catch (RuntimeException | Error e) {
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
    return NAME;
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
  public List<Explanation> explain(UserState user, int k, ExcludedItems excluded) {
    return meta.explain(user, k, excluded);
  }

  @Override
  public void close() {
    meta.close();
    policy.close();
    pool.close();
    topK.close();
  }
}
