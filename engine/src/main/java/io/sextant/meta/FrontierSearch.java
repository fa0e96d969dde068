package io.sextant.meta;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Greedy backward elimination: from the whole pool the strategy goes next whose loss of quality is
 * the smallest for the time that it takes, until one is left.
 *
 * <p>Who goes is decided on the users whom weights are fitted to; the qualities that are reported
 * are those of the others. A strategy's loss is measured after the remaining weights were adapted
 * by coordinate search, and once it is gone they are fitted from scratch.
 *
 * <p>Time: M full fits of global weights and M^2 / 2 coordinate searches.
 */
final class FrontierSearch {

  /** Losses below this are chance: of such strategies the costliest goes. */
  private static final double NO_LOSS = 1e-5;

  private static final double NO_COST = 1e-6;

  private final Slice fitted;
  private final Slice held;
  private final List<String> names;
  private final PoolCost costs;
  private final int k;
  private final long seed;

  /**
   * A search.
   *
   * @param fitted what weights are fitted to
   * @param held what they are judged by
   * @param names of the strategies
   */
  FrontierSearch(Slice fitted, Slice held, List<String> names, PoolCost costs, int k, long seed) {
    this.fitted = fitted;
    this.held = held;
    this.names = names;
    this.costs = costs;
    this.k = k;
    this.seed = seed;
  }

  /** Users with what they did afterwards. */
  record Slice(Evidence evidence, Judgements judgements) {}

  CostFrontier run() {
    Set<CostFrontier.Point> points = new LinkedHashSet<>();
    int[] kept = IntStream.range(0, names.size()).toArray();
    while (true) {
      Mixture mixture = fit(kept);
      points.add(point(kept, mixture.weights()));
      if (kept.length == 1) {
        break;
      }
      kept = without(kept, mostExpendable(kept, mixture));
    }
    for (int m = 0; m < names.size(); m++) {
      points.add(point(new int[] {m}, new float[] {1}));
    }
    return new CostFrontier(List.copyOf(points));
  }

  /** Weights of some strategies, with what they were fitted to. */
  private record Mixture(Evidence evidence, float[] normalised, float[] weights, double ndcg) {}

  private Mixture fit(int[] kept) {
    Evidence evidence = fitted.evidence().only(kept);
    float[] normalised = Normalisation.Z.apply(evidence);
    float[] weights =
        kept.length == 1
            ? new float[] {1}
            : GlobalWeights.fit(evidence, normalised, fitted.judgements(), k, seed);
    double ndcg =
        fitted
            .judgements()
            .meanNdcg(evidence, GlobalWeights.scores(evidence, normalised, weights), k);
    return new Mixture(evidence, normalised, weights, ndcg);
  }

  private CostFrontier.Point point(int[] kept, float[] weights) {
    Evidence evidence = held.evidence().only(kept);
    float[] scores = GlobalWeights.scores(evidence, Normalisation.Z.apply(evidence), weights);
    List<String> strategies = Arrays.stream(kept).mapToObj(names::get).toList();
    return new CostFrontier.Point(
        strategies, costs.of(strategies), held.judgements().meanNdcg(evidence, scores, k));
  }

  /** The index in {@code kept} of the strategy that is missed least for its time. */
  private int mostExpendable(int[] kept, Mixture mixture) {
    int least = 0;
    double leastLoss = Double.POSITIVE_INFINITY;
    for (int i = 0; i < kept.length; i++) {
      double loss = Math.max(NO_LOSS, mixture.ndcg() - ndcgWithout(i, mixture));
      double millis = costs.of(List.of(names.get(kept[i]))) - costs.selection();
      double perMilli = loss / Math.max(NO_COST, millis);
      if (perMilli < leastLoss) {
        leastLoss = perMilli;
        least = i;
      }
    }
    return least;
  }

  private double ndcgWithout(int strategy, Mixture mixture) {
    float[] start = mixture.weights().clone();
    start[strategy] = 0;
    float greatest = 0;
    for (float weight : start) {
      greatest = Math.max(greatest, weight);
    }
    for (int m = 0; m < start.length; m++) {
      // The search multiplies: a weight that it is to find again must not be zero.
      start[m] = m == strategy ? 0 : greatest == 0 ? 1 : Math.max(start[m], 0.01f * greatest);
    }
    float[] adapted =
        GlobalWeights.search(
            mixture.evidence(), mixture.normalised(), fitted.judgements(), k, start);
    return fitted
        .judgements()
        .meanNdcg(
            mixture.evidence(),
            GlobalWeights.scores(mixture.evidence(), mixture.normalised(), adapted),
            k);
  }

  private static int[] without(int[] values, int index) {
    List<Integer> rest = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      if (i != index) {
        rest.add(values[i]);
      }
    }
    return rest.stream().mapToInt(Integer::intValue).toArray();
  }
}
