package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a policy does with a sample of users: how it weighs the strategies, what it adds to the best
 * item, and which features it goes by.
 *
 * <p>Thread safety: immutable.
 *
 * @param users how many were looked at
 * @param strategies in the pool's order
 * @param gateFeatures mean absolute effect of each feature on the tilts of stage 1, largest first;
 *     empty if stage 1 has no gate
 * @param scoreFeatures mean absolute effect of each feature on the score of the best item in stage
 *     2, largest first; empty if stage 2 has no policy
 */
public record PolicyProfile(
    int users,
    List<StrategyUse> strategies,
    List<FeatureUse> gateFeatures,
    List<FeatureUse> scoreFeatures) {

  private static final double[] QUANTILES = {0.05, 0.25, 0.5, 0.75, 0.95};

  public PolicyProfile {
    strategies = List.copyOf(strategies);
    gateFeatures = List.copyOf(gateFeatures);
    scoreFeatures = List.copyOf(scoreFeatures);
  }

  /**
   * How a strategy is used.
   *
   * @param strategy its name
   * @param weights its weight in stage 1 over users: the quantiles .05, .25, .5, .75 and .95
   * @param advantage mean of what it says for the best item rather than for others
   * @param tilt mean of what the policy changes in that
   */
  public record StrategyUse(String strategy, List<Double> weights, double advantage, double tilt) {

    public StrategyUse {
      weights = List.copyOf(weights);
    }
  }

  /** A feature with its mean absolute effect. */
  public record FeatureUse(String feature, double effect) {}

  /**
   * Looks at the best item of each user: some ten milliseconds a user.
   *
   * @param users a sample, each with what the user has seen as history: that is not recommended
   * @throws InvalidInputException if nobody has a candidate
   */
  public static PolicyProfile of(MetaStrategy meta, List<UserState> users) {
    List<Explanation> explanations = new ArrayList<>();
    for (UserState user : users) {
      int[] seen = Arrays.stream(user.history()).sorted().distinct().toArray();
      explanations.addAll(meta.explain(user, 1, ExcludedItems.of(new int[][] {seen})));
    }
    if (explanations.isEmpty()) {
      throw new InvalidInputException("a policy is looked at through users, but there are none");
    }
    int numStrategies = explanations.get(0).parts().size();
    List<StrategyUse> strategies = new ArrayList<>();
    for (int m = 0; m < numStrategies; m++) {
      int index = m;
      double[] weights =
          explanations.stream().mapToDouble(e -> e.parts().get(index).weight()).sorted().toArray();
      strategies.add(
          new StrategyUse(
              explanations.get(0).parts().get(m).strategy(),
              Arrays.stream(QUANTILES)
                  .mapToObj(q -> weights[(int) Math.round(q * (weights.length - 1))])
                  .toList(),
              explanations.stream()
                  .mapToDouble(e -> e.advantage(e.parts().get(index)))
                  .average()
                  .orElseThrow(),
              explanations.stream()
                  .mapToDouble(e -> e.parts().get(index).tilt())
                  .average()
                  .orElseThrow()));
    }
    return new PolicyProfile(
        explanations.size(),
        strategies,
        effects(explanations.stream().flatMap(e -> e.gate().stream()).toList()),
        effects(
            explanations.stream()
                .flatMap(e -> e.policy().stream())
                .filter(attribution -> attribution.output().equals(Attribution.SCORE))
                .toList()));
  }

  private static List<FeatureUse> effects(List<Attribution> attributions) {
    Map<String, Double> sums = new LinkedHashMap<>();
    for (Attribution attribution : attributions) {
      for (Attribution.FeatureEffect effect : attribution.effects()) {
        sums.merge(effect.feature(), Math.abs(effect.effect()), Double::sum);
      }
    }
    return sums.entrySet().stream()
        .map(sum -> new FeatureUse(sum.getKey(), sum.getValue() / attributions.size()))
        .sorted(Comparator.comparingDouble(FeatureUse::effect).reversed())
        .toList();
  }
}
