package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * A fitted policy, apart from the strategies that it mixes: it can be laid over the same strategies
 * fitted again to more data.
 *
 * <p>Thread safety: safe; {@link #close} frees the networks, after the meta-strategies that use
 * them were closed.
 */
public final class MetaPolicy implements AutoCloseable {

  private final Scope scope;
  private final MetaOptions options;
  private final List<String> strategies;
  private final ItemFacts facts;
  private final StageOne global;
  private final StageOne gate;
  private final StageOne control;
  private final StageTwo stageTwo;

  MetaPolicy(
      Scope scope,
      MetaOptions options,
      List<String> strategies,
      ItemFacts facts,
      StageOne global,
      StageOne gate,
      StageOne control,
      StageTwo stageTwo) {
    this.scope = scope;
    this.options = options;
    this.strategies = strategies;
    this.facts = facts;
    this.global = global;
    this.gate = gate;
    this.control = control;
    this.stageTwo = stageTwo;
  }

  /** The names of the strategies that it mixes, in order. */
  public List<String> strategies() {
    return strategies;
  }

  /** Mixes this pool. The pool and the searcher are lent. */
  public MetaStrategy over(StrategyPool pool, TopK topK) {
    return over(pool, topK, facts);
  }

  /**
   * Mixes a pool that was fitted again.
   *
   * @param train what it was fitted to
   */
  public MetaStrategy over(StrategyPool pool, TopK topK, Interactions train) {
    return over(pool, topK, ItemFacts.of(train));
  }

  private MetaStrategy over(StrategyPool pool, TopK topK, ItemFacts itemFacts) {
    if (!pool.names().equals(strategies)) {
      throw new InvalidInputException(
          "the policy mixes %s but the pool has %s".formatted(strategies, pool.names()));
    }
    return new MetaStrategy(
        new FusedScorer(pool, topK),
        options,
        new PolicyFeatures(itemFacts, strategies),
        global,
        gate,
        control,
        stageTwo);
  }

  @Override
  public void close() {
    scope.close();
  }
}
