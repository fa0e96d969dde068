package io.sextant.cli;

import io.sextant.InvalidInputException;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The strategies of the protocols, with the settings of recipes, which were chosen on validation
 * parts.
 *
 * @param recipe where they come from
 * @param order in which they stand in a pool: the lists of published numbers depend on it a little
 */
record PoolSettings(Recipe recipe, List<String> order) {

  /** What dense data want otherwise than sparse data, chosen on a validation part of ML-1M. */
  private static final Map<String, String> DENSE =
      Map.ofEntries(
          Map.entry("itemNeighbours.rp3beta.sourceExponent", "0.6"),
          Map.entry("itemNeighbours.rp3beta.targetExponent", "0.8"),
          Map.entry("userNeighbours.neighbours", "200"),
          Map.entry("als.factors", "128"),
          Map.entry("als.l2", "0.01"),
          Map.entry("als.unobservedWeight", "0.1"),
          Map.entry("als.epochs", "12"),
          Map.entry("ease.l2", "1000"),
          Map.entry("ease.maxItems", "15000"),
          Map.entry("lowPass.factors", "64"),
          Map.entry("lowPass.filterWeight", "0.4"),
          Map.entry("twoTower.initStd", "0.05"),
          Map.entry("twoTower.dimension", "128"),
          Map.entry("twoTower.negatives", "256"),
          Map.entry("twoTower.excludeSeen", "false"),
          Map.entry("twoTower.epochs", "8"),
          Map.entry("twoTower.batchSize", "512"),
          Map.entry("twoTower.l2", "0.045"));

  /** For interactions without an order: recipe {@code social}. */
  static PoolSettings unordered(boolean dense) {
    return of(
        "social",
        dense ? DENSE : Map.of(),
        List.of(
            "popularity",
            "cosine",
            "rp3beta",
            "user-neighbours",
            "als",
            "ease",
            "low-pass",
            "two-tower"));
  }

  /** For histories in the order of time: recipe {@code ecommerce}. */
  static PoolSettings ordered() {
    return of(
        "ecommerce",
        Map.of(),
        List.of(
            "popularity",
            "late-popularity",
            "cosine",
            "transitions",
            "next",
            "rp3beta",
            "session-neighbours",
            "content",
            "als",
            "ease",
            "sequence"));
  }

  private static PoolSettings of(String name, Map<String, String> overrides, List<String> order) {
    return new PoolSettings(ModelZoo.parse(ModelZoo.text(name), name, overrides), order);
  }

  /**
   * Some of the strategies, in this order.
   *
   * @param wanted names; empty for all
   */
  List<Strategy> strategies(List<String> wanted, long seed) {
    Map<String, Strategy> byName = new LinkedHashMap<>();
    recipe.strategies(seed).forEach(strategy -> byName.put(strategy.name(), strategy));
    List<Strategy> strategies = new ArrayList<>();
    for (String name : wanted.isEmpty() ? order : wanted) {
      Strategy strategy = byName.get(name);
      if (strategy == null) {
        throw new InvalidInputException(
            "unknown strategy '%s'; known: %s".formatted(name, String.join(", ", order)));
      }
      strategies.add(strategy);
    }
    return strategies;
  }
}
