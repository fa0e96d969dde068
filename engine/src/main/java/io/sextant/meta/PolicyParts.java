package io.sextant.meta;

import java.util.List;

/**
 * What a fitted policy consists of.
 *
 * <p>Thread safety: immutable; the networks are freed by the policy that owns them.
 *
 * @param options with which it was fitted
 * @param strategies names of the strategies that it mixes, in the pool's order
 * @param facts of the items
 * @param global weights that are the same for all users
 * @param gate weights by user
 * @param control the same without user features
 * @param stageTwo weights by user and item
 */
record PolicyParts(
    MetaOptions options,
    List<String> strategies,
    ItemFacts facts,
    StageOne global,
    StageOne gate,
    StageOne control,
    StageTwo stageTwo) {

  PolicyParts {
    strategies = List.copyOf(strategies);
  }

  PolicyParts withFacts(ItemFacts others) {
    return new PolicyParts(options, strategies, others, global, gate, control, stageTwo);
  }
}
