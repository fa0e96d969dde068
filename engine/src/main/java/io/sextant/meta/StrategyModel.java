package io.sextant.meta;

import ai.djl.Device;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.StoredStrategy;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * One strategy alone: its score is its only part.
 *
 * <p>Thread safety: as {@link ServableModel}.
 */
record StrategyModel(StrategyPool pool, TopK topK, FusedScorer scorer) implements ServableModel {

  static StrategyModel load(
      StoredStrategy stored, Device device, int spare, Function<TopK, IndexBuilder> index) {
    StrategyPool pool = StrategyPool.load(List.of(stored), device);
    FusedScorer scorer = null;
    TopK topK = new TopK();
    try {
      scorer = new FusedScorer(pool, topK, spare, index.apply(topK));
      scorer.requireFinite();
      return new StrategyModel(pool, topK, scorer);
    } catch (RuntimeException | Error e) {
      if (scorer != null) {
        scorer.close();
      }
      pool.close();
      topK.close();
      throw e;
    }
  }

  private StrategyPool.Member member() {
    return pool.members().get(0);
  }

  @Override
  public String name() {
    return member().name();
  }

  @Override
  public Optional<String> policyVersion() {
    return Optional.empty();
  }

  @Override
  public int numItems() {
    return pool.numItems();
  }

  @Override
  public int group(int k) {
    return 0;
  }

  @Override
  public RankedLists rank(List<UserState> users, int k, ExcludedItems excluded) {
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(pool.device())) {
            return scorer.rankSingle(request, scorer.score(request, users), 0, k, excluded);
          }
        });
  }

  @Override
  public MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded) {
    RankedLists lists = rank(users, k, excluded);
    return new MixedLists(lists, List.of(name()), lists.scores());
  }

  @Override
  public RankedLists similar(List<int[]> items, int k, ExcludedItems excluded) {
    return new SimilarItems(scorer, new float[] {1}).search(items, k, excluded);
  }

  @Override
  public List<Explanation> explain(UserState user, int[] items, ExcludedItems excluded) {
    FittedStrategy fitted = member().fitted();
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(pool.device())) {
            PoolScores scores = scorer.score(request, List.of(user));
            float[] raw = scorer.raw(request, scores, items);
            List<Explanation> explanations = new ArrayList<>(items.length);
            for (int i = 0; i < items.length; i++) {
              List<HistoryPart> history =
                  Explainer.history(user, scorer.historyParts(fitted, user, items[i]), 1);
              double rest = raw[i] - history.stream().mapToDouble(HistoryPart::value).sum();
              StrategyPart part =
                  new StrategyPart(
                      name(),
                      fitted.type(),
                      raw[i],
                      scores.means()[0],
                      scores.deviations()[0],
                      1,
                      raw[i],
                      history,
                      rest,
                      0,
                      0,
                      0);
              explanations.add(
                  new Explanation(items[i], false, raw[i], List.of(part), 0, List.of(), List.of()));
            }
            return explanations;
          }
        });
  }

  @Override
  public void place(int slot, int[] kin, float[] weights) {
    scorer.place(slot, new AddedItems.Kin(kin, weights));
  }

  @Override
  public int directionWidth() {
    return scorer.directionWidth();
  }

  @Override
  public float[] directions(int[] items) {
    return scorer.directions(items);
  }

  @Override
  public void close() {
    scorer.close();
    pool.close();
    topK.close();
  }
}
