package io.sextant.meta;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.StoredPolicy;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import java.util.List;

/**
 * A fitted policy, apart from the strategies that it mixes: it can be laid over the same strategies
 * fitted again to more data, and saved in a bundle beside them.
 *
 * <p>Thread safety: safe; {@link #close} frees the networks, after the meta-strategies that use
 * them were closed.
 */
public final class MetaPolicy implements AutoCloseable {

  private final Scope scope;
  private final PolicyParts parts;
  private final String version;

  MetaPolicy(Scope scope, PolicyParts parts) {
    this(scope, parts, PolicyFormat.version(parts));
  }

  private MetaPolicy(Scope scope, PolicyParts parts, String version) {
    this.scope = scope;
    this.parts = parts;
    this.version = version;
  }

  /**
   * Restores a policy from a bundle. The caller closes it.
   *
   * @param device where its networks compute
   * @throws InvalidInputException if configuration or tensors cannot be those of a policy; then
   *     nothing native stays behind
   */
  public static MetaPolicy load(StoredPolicy stored, Device device) {
    Scope scope = Scope.open(device);
    try {
      return new MetaPolicy(scope, PolicyFormat.load(scope, stored), stored.version());
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /**
   * The id by which decisions and metrics name this policy: twelve hexadecimal digits that depend
   * on all that it consists of, or the id under which it was saved.
   */
  public String version() {
    return version;
  }

  /** The names of the strategies that it mixes, in order. */
  public List<String> strategies() {
    return parts.strategies();
  }

  /** The configuration from which, with {@link #tensors}, the policy can be loaded: JSON. */
  public String configJson() {
    return PolicyFormat.configJson(parts);
  }

  /** The weights, to be written while the policy is open. */
  public List<TensorSource> tensors() {
    return PolicyFormat.tensors(parts);
  }

  /**
   * The same policy for strategies that were fitted again. It shares the networks: closing either
   * frees them.
   *
   * @param train what the strategies were fitted to: popularity of items comes from it
   */
  public MetaPolicy refitted(Interactions train) {
    return new MetaPolicy(scope, parts.withFacts(ItemFacts.of(train)));
  }

  /**
   * Mixes this pool. The pool and the searcher are lent.
   *
   * @throws InvalidInputException if the pool has other strategies, another order or another number
   *     of items
   */
  public MetaStrategy over(StrategyPool pool, TopK topK) {
    return over(pool, topK, parts.facts(), 0, ExactIndex.with(topK));
  }

  /**
   * Mixes this pool and searches the mixture with an index.
   *
   * @param builder of the index over all strategies' vectors side by side; what it finds only
   *     nearly are the candidates, whose scores are right
   */
  public MetaStrategy over(StrategyPool pool, TopK topK, IndexBuilder builder) {
    return over(pool, topK, parts.facts(), 0, builder);
  }

  /**
   * Mixes a pool that was fitted again.
   *
   * @param train what it was fitted to
   */
  public MetaStrategy over(StrategyPool pool, TopK topK, Interactions train) {
    return over(pool, topK, ItemFacts.of(train), 0, ExactIndex.with(topK));
  }

  /**
   * Mixes this pool, with room for items that are added later.
   *
   * @param spare how many
   */
  MetaStrategy over(StrategyPool pool, TopK topK, int spare, IndexBuilder builder) {
    return over(pool, topK, parts.facts(), spare, builder);
  }

  private MetaStrategy over(
      StrategyPool pool, TopK topK, ItemFacts facts, int spare, IndexBuilder builder) {
    if (!pool.names().equals(parts.strategies())) {
      throw new InvalidInputException(
          "the policy mixes %s but the pool has %s: give it those, in this order"
              .formatted(parts.strategies(), pool.names()));
    }
    if (facts.logPopularity().length != pool.numItems()) {
      throw new InvalidInputException(
          "the policy knows %d items but the pool scores %d: they are of different data"
              .formatted(facts.logPopularity().length, pool.numItems()));
    }
    return new MetaStrategy(
        new FusedScorer(pool, topK, spare, builder), parts.withFacts(facts.withSpare(spare)));
  }

  @Override
  public void close() {
    scope.close();
  }
}
