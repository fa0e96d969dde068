package io.sextant.meta;

import io.sextant.InvalidInputException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * What quality parts of a pool give for what cost: the whole pool, pools from which one strategy
 * after the other was taken, and each strategy alone.
 *
 * <p>Quality is that of global weights, fitted again for each part, on users who neither these
 * weights nor the order of removal were fitted to. A policy that is trained for a part comes on
 * top.
 *
 * <p>Thread safety: immutable.
 *
 * @param points cheapest first; also those that a cheaper one beats
 */
public record CostFrontier(List<Point> points) {

  /**
   * A part of the pool.
   *
   * @param strategies names in the pool's order
   * @param millis what retrieval costs for 1,000 users, selection included
   * @param ndcg mean NDCG@k of the held-out users
   */
  public record Point(List<String> strategies, double millis, double ndcg) {

    public Point {
      strategies = List.copyOf(strategies);
    }
  }

  public CostFrontier {
    points =
        points.stream()
            .sorted(Comparator.comparingDouble(Point::millis).thenComparing(p -> -p.ndcg()))
            .toList();
    if (points.isEmpty()) {
      throw new InvalidInputException("a frontier needs at least one point");
    }
  }

  /**
   * The best part that costs no more than the budget; the cheapest of equally good ones.
   *
   * @param budgetMillis milliseconds for 1,000 users
   * @throws InvalidInputException if no part is that cheap
   */
  public Point within(double budgetMillis) {
    return points.stream()
        .filter(point -> point.millis() <= budgetMillis)
        .max(Comparator.comparingDouble(Point::ndcg).thenComparing(p -> -p.millis()))
        .orElseThrow(
            () ->
                new InvalidInputException(
                    String.format(
                        Locale.ROOT,
                        "no part of the pool fits a budget of %s ms for 1,000 users: the cheapest, %s, costs %.3f ms",
                        budgetMillis,
                        points.get(0).strategies(),
                        points.get(0).millis())));
  }
}
