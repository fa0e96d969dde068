package io.sextant.cli;

import io.sextant.data.Interactions;
import io.sextant.meta.CostFrontier;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.PoolCost;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.CounterRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What strategies cost on this machine, and what parts of a pool give for it. */
final class Frontiers {

  private static final int USERS = 512;

  private Frontiers() {}

  /** Milliseconds of each strategy for 1,000 users, measured on a sample of those in the truth. */
  static PoolCost costs(StrategyPool pool, Interactions history, Interactions truth, long seed) {
    int[] users = Ranker.usersWith(truth);
    new CounterRandom(seed, "cost-users", 0).shuffle(users);
    return PoolCost.measure(
        pool,
        Arrays.stream(users)
            .limit(USERS)
            .mapToObj(user -> new UserState(user, history.historyOf(user)))
            .toList());
  }

  static CostFrontier of(
      MetaTrainer trainer,
      StrategyPool pool,
      TopK topK,
      Interactions train,
      Interactions history,
      Interactions truth,
      long seed) {
    System.err.println("policy: measuring what each strategy costs");
    return trainer.frontier(pool, topK, train, history, truth, costs(pool, history, truth, seed));
  }

  static void print(CostFrontier frontier, double budgetMillis) {
    CostFrontier.Point chosen = frontier.within(budgetMillis);
    System.out.println("ms for 1,000 users, held-out ndcg, strategies (* within the budget):");
    for (CostFrontier.Point point : frontier.points()) {
      System.out.printf(
          Locale.ROOT,
          "%s %9.3f  %.4f  %s%n",
          point.equals(chosen) ? "*" : " ",
          point.millis(),
          point.ndcg(),
          String.join(", ", point.strategies()));
    }
  }

  static List<Map<String, Object>> json(CostFrontier frontier) {
    return frontier.points().stream()
        .map(
            point -> {
              Map<String, Object> entry = new LinkedHashMap<>();
              entry.put("millisPer1000Users", point.millis());
              entry.put("ndcg", point.ndcg());
              entry.put("strategies", point.strategies());
              return entry;
            })
        .toList();
  }
}
