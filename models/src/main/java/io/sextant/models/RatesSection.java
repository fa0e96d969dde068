package io.sextant.models;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.GuidedRates;
import io.sextant.strategy.GradientTrained;
import io.sextant.train.StepPolicyOptions;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code [rates]}: a policy learns the step sizes of the strategies that are trained by
 * gradients, for dense weights, user rows and item rows. It begins with those of the recipe, which
 * are kept where the learned ones rank held-back events worse. Each strategy is trained up to
 * {@code runs + 2} times for that.
 *
 * @param metaTypes events of these types judge; empty: of all types
 * @param minValue events with at least this value judge; null: whatever their value
 * @param metaShare of the pairs of user and item, from which the policy learns
 * @param guardShare of the pairs, by which it is judged
 * @param runs trainings beside which the policy learns, at most
 * @param windows how many steps the policy makes in an epoch
 * @param policyRate step size of the policy's own optimizer
 * @param hidden width of the policy's two first layers
 * @param metaBatchSize events that judge a step of the policy
 * @param maxLearningRate the rate of dense weights stays below
 * @param maxUserLearningRate the rate of user rows stays below
 * @param maxItemLearningRate the rate of item rows stays below
 */
public record RatesSection(
    Set<EventType> metaTypes,
    @Nullable Float minValue,
    double metaShare,
    double guardShare,
    int runs,
    int windows,
    float policyRate,
    int hidden,
    int metaBatchSize,
    float maxLearningRate,
    float maxUserLearningRate,
    float maxItemLearningRate) {

  /** Long lists tell two fits apart with fewer users. */
  private static final RankingMetric METRIC = RankingMetric.ndcg(100);

  static RatesSection defaults() {
    StepPolicyOptions policy = StepPolicyOptions.builder().build();
    return new RatesSection(
        Set.of(),
        null,
        0.05,
        0.05,
        6,
        policy.windows(),
        policy.policyRate(),
        policy.hidden(),
        policy.metaBatchSize(),
        policy.maxLearningRate(),
        policy.maxUserLearningRate(),
        policy.maxItemLearningRate());
  }

  public RatesSection {
    metaTypes = Set.copyOf(metaTypes);
    if (minValue != null && !Float.isFinite(minValue)) {
      throw new InvalidInputException("rates.minValue must be finite but was " + minValue);
    }
    if (!(metaShare > 0 && guardShare > 0 && metaShare + guardShare <= 0.9)) {
      throw new InvalidInputException(
          "rates.metaShare and rates.guardShare must be > 0 and at most 0.9 together but were %s and %s"
              .formatted(metaShare, guardShare));
    }
    if (runs <= 0) {
      throw new InvalidInputException("rates.runs must be > 0 but was " + runs);
    }
    // The builder of the policy's options says what is wrong with the others.
    policy(
        windows,
        policyRate,
        hidden,
        metaBatchSize,
        maxLearningRate,
        maxUserLearningRate,
        maxItemLearningRate,
        0);
  }

  /** Which rows may judge. */
  public IntPredicate trusted(Interactions rows) {
    return WeightsSection.trusted(rows, metaTypes, minValue);
  }

  /** How the rates of a strategy are learned and judged. */
  public GuidedRates training(GradientTrained strategy, long seed) {
    return new GuidedRates(
        policy(
            windows,
            policyRate,
            hidden,
            metaBatchSize,
            maxLearningRate,
            maxUserLearningRate,
            maxItemLearningRate,
            seed),
        runs,
        GuidedRates.ratesOf(strategy.training()),
        METRIC);
  }

  private static StepPolicyOptions policy(
      int windows,
      float policyRate,
      int hidden,
      int metaBatchSize,
      float maxLearningRate,
      float maxUserLearningRate,
      float maxItemLearningRate,
      long seed) {
    return StepPolicyOptions.builder()
        .objectives(false)
        .windows(windows)
        .policyRate(policyRate)
        .hidden(hidden)
        .metaBatchSize(metaBatchSize)
        .maxLearningRate(maxLearningRate)
        .maxUserLearningRate(maxUserLearningRate)
        .maxItemLearningRate(maxItemLearningRate)
        .seed(seed)
        .build();
  }
}
