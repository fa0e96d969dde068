package io.sextant.strategy;

import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.Validation;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Judges a strategy in training by the lists that it makes for a fixed sample of the users.
 *
 * <p>Thread safety: as {@link Validation}.
 */
final class RankingValidation implements Validation {

  private final Ranker ranker;
  private final Supplier<FittedStrategy> snapshot;
  private final Interactions train;
  private final Interactions truth;
  private final RankingMetric metric;
  private final int[] users;

  /**
   * @param snapshot the strategy as it is when asked; closed after each evaluation
   * @param maxUsers at most so many of the users with truth, drawn by the seed
   */
  RankingValidation(
      Ranker ranker,
      Supplier<FittedStrategy> snapshot,
      Interactions train,
      Interactions truth,
      RankingMetric metric,
      int maxUsers,
      long seed) {
    this.ranker = ranker;
    this.snapshot = snapshot;
    this.train = train;
    this.truth = truth;
    this.metric = metric;
    int[] all = Ranker.usersWith(truth);
    new CounterRandom(seed, "validation-users", 0).shuffle(all);
    users = Arrays.copyOf(all, Math.min(all.length, maxUsers));
  }

  @Override
  public Map<String, Double> evaluate() {
    try (FittedStrategy now = snapshot.get()) {
      MetricTable table = ranker.evaluate(now, train, truth, List.of(metric), users, true);
      return Map.of(objective(), table.mean(metric));
    }
  }

  @Override
  public String objective() {
    return metric.toString();
  }
}
