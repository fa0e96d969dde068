package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.meta.CostFrontier;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A policy, and the strategies to be fitted again to all events for it.
 *
 * @param policy null if there is none
 * @param strategies those that the policy mixes; all of the recipe if there is no policy
 * @param warnings what was left out, and why
 * @param frontier what parts of the strategies give for what cost, if there was a budget
 */
record PolicyFit(
    @Nullable MetaPolicy policy,
    List<Strategy> strategies,
    List<String> warnings,
    @Nullable CostFrontier frontier)
    implements AutoCloseable {

  /** No policy was asked for. */
  static PolicyFit none(List<Strategy> strategies) {
    return new PolicyFit(null, strategies, List.of(), null);
  }

  /**
   * Fits strategies to the early events and a policy over them to the slice.
   *
   * @param budgetMillis what retrieval may cost for 1,000 users; null for no limit. With a limit
   *     the policy mixes the best part of the strategies that is within it
   */
  static PolicyFit of(
      MetaOptions options,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      Fitted.@Nullable Checkpoints checkpoints,
      @Nullable Double budgetMillis) {
    return of(
        options,
        strategies,
        device,
        data,
        parts,
        WeightFit.none(data, parts),
        checkpoints,
        budgetMillis);
  }

  /**
   * The same, of strategies some of which learn from weighted events.
   *
   * @param weights of the same data and parts
   */
  static PolicyFit of(
      MetaOptions options,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      WeightFit weights,
      Fitted.@Nullable Checkpoints checkpoints,
      @Nullable Double budgetMillis) {
    // What came after the slice may say when to stop, but not what to learn.
    try (Fitted fitted = Fitted.fit(strategies, device, weights::beforeSlice, checkpoints);
        TopK topK = new TopK()) {
      List<String> warnings = new ArrayList<>(fitted.pool().warnings());
      MetaTrainer trainer = new MetaTrainer(options, line -> System.err.println("policy: " + line));
      Interactions known = parts.early();
      CostFrontier frontier = null;
      try {
        StrategyPool pool = fitted.pool();
        if (budgetMillis != null) {
          frontier = Frontiers.of(trainer, pool, topK, known, known, parts.slice(), options.seed());
          Frontiers.print(frontier, budgetMillis);
          pool = pool.only(frontier.within(budgetMillis).strategies());
        }
        MetaPolicy policy = trainer.fit(pool, topK, known, known, parts.slice());
        List<String> names = pool.names();
        return new PolicyFit(
            policy,
            strategies.stream().filter(s -> names.contains(s.name())).toList(),
            warnings,
            frontier);
      } catch (InvalidInputException e) {
        if (budgetMillis != null) {
          throw e; // Without a policy nothing would keep to the budget.
        }
        warnings.add("there is no policy: " + e.getMessage());
        return new PolicyFit(null, strategies, warnings, null);
      }
    }
  }

  /**
   * The policy for strategies that were fitted again, if all of its strategies are among them.
   *
   * @param all the events that they learned from
   * @param said hears why there is none
   */
  @Nullable MetaPolicy over(Fitted again, Dataset all, Set<String> said) {
    if (policy == null) {
      return null;
    }
    if (!again.pool().names().equals(policy.strategies())) {
      said.add(
          "there is no policy: it mixes %s, but of these only %s could be fitted to all events"
              .formatted(policy.strategies(), again.pool().names()));
      return null;
    }
    return policy.refitted(all.interactions());
  }

  @Override
  public void close() {
    if (policy != null) {
      policy.close();
    }
  }
}
