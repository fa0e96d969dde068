package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaTrainer;
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
 */
record PolicyFit(@Nullable MetaPolicy policy, List<Strategy> strategies, List<String> warnings)
    implements AutoCloseable {

  /** No policy was asked for. */
  static PolicyFit none(List<Strategy> strategies) {
    return new PolicyFit(null, strategies, List.of());
  }

  /** Fits strategies to the early events and a policy over them to the slice. */
  static PolicyFit of(
      MetaOptions options,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      Fitted.@Nullable Checkpoints checkpoints) {
    Dataset early = data.withInteractions(parts.early());
    // What came after the slice may say when to stop, but not what to learn.
    try (Fitted fitted =
            Fitted.fit(
                strategies, device, new Fitted.Lessons(early, early, parts.late()), checkpoints);
        TopK topK = new TopK()) {
      List<String> warnings = new ArrayList<>(fitted.pool().warnings());
      List<String> names = fitted.pool().names();
      try {
        MetaPolicy policy =
            new MetaTrainer(options, line -> System.err.println("policy: " + line))
                .fit(fitted.pool(), topK, parts.early(), parts.early(), parts.slice());
        return new PolicyFit(
            policy, strategies.stream().filter(s -> names.contains(s.name())).toList(), warnings);
      } catch (InvalidInputException e) {
        warnings.add("there is no policy: " + e.getMessage());
        return new PolicyFit(null, strategies, warnings);
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
