package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A pool of strategies mixed by a policy network.
 *
 * <p>Stage 1 weighs the strategies for each user and retrieves the best N candidates with one inner
 * product ({@link FusedScorer}); stage 2 orders them again with weights that depend on user and
 * item. In both the weights are a bounded tilt around fitted global weights:
 *
 * <pre>
 *   w_m = b_m exp(kappa n / (n + n0) (2 y_m - 1))
 * </pre>
 *
 * with y in (0, 1) the outputs of the policy network and n the length of the user's history. A user
 * without history gets the global weights.
 *
 * <p>Thread safety: safe; {@link #close} after all calls have returned.
 */
public final class MetaStrategy implements AutoCloseable {

  private final FusedScorer scorer;
  private final MetaOptions options;
  private final PolicyFeatures features;
  private final StageOne global;
  private final StageOne gate;
  private final StageOne control;
  private final StageTwo stageTwo;

  /**
   * Lays a policy over a pool.
   *
   * @param scorer of the pool; owned from here on
   * @param policy lent
   */
  MetaStrategy(FusedScorer scorer, PolicyParts policy) {
    this.scorer = scorer;
    options = policy.options();
    features = new PolicyFeatures(policy.facts(), policy.strategies());
    global = policy.global();
    gate = policy.gate();
    control = policy.control();
    stageTwo = policy.stageTwo();
  }

  /**
   * The best k items of each user.
   *
   * @param excluded what must not appear in which list
   */
  public RankedLists rank(List<UserState> users, int k, ExcludedItems excluded) {
    return rank(Mixer.POLICY, users, k, excluded);
  }

  /** The best k items of each user by one of the mixers. */
  public RankedLists rank(Mixer mixer, List<UserState> users, int k, ExcludedItems excluded) {
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(scorer.pool().device())) {
            PoolScores scores = scorer.score(request, users);
            return rank(request, mixer, users, scores, k, excluded);
          }
        });
  }

  /**
   * The best k items of each user, with what each strategy adds to each score.
   *
   * @param excluded what must not appear in which list
   */
  public MixedLists rankWithParts(List<UserState> users, int k, ExcludedItems excluded) {
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(scorer.pool().device())) {
            PoolScores scores = scorer.score(request, users);
            Rescoring rescoring = rescore(request, gate, users, scores, k, excluded, true);
            int[] lengths = users.stream().mapToInt(u -> u.history().length).toArray();
            return MixedLists.of(
                order(rescoring, k),
                scorer.pool().names(),
                rescoring.evidence(),
                stageTwo.parts(request, rescoring, lengths));
          }
        });
  }

  /**
   * The best k items of each user, with the strategies' standardised scores, the user's features
   * and the weights of stage 1.
   *
   * @param excluded what must not appear in which list
   */
  public DecidedLists rankForLog(List<UserState> users, int k, ExcludedItems excluded) {
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(scorer.pool().device())) {
            PoolScores scores = scorer.score(request, users);
            Rescoring rescoring = rescore(request, gate, users, scores, k, excluded, true);
            return DecidedLists.of(
                order(rescoring, k), rescoring.evidence(), rescoring.before(), rescoring.weights());
          }
        });
  }

  /** The same where the scores are there already: a report ranks by several mixers. */
  RankedLists rank(
      Scope request,
      Mixer mixer,
      List<UserState> users,
      PoolScores scores,
      int k,
      ExcludedItems excluded) {
    return switch (mixer) {
      case UNIFORM -> {
        float[] weights = new float[scores.means().length];
        Arrays.fill(weights, StageOne.Z_SCALE);
        yield scorer.rank(request, scores, weights, k, excluded);
      }
      case CONTROL -> stageOne(request, control, users, scores, k, excluded);
      case USER_GATE -> stageOne(request, gate, users, scores, k, excluded);
      case GLOBAL -> order(rescore(request, global, users, scores, k, excluded, false), k);
      case POLICY -> order(rescore(request, gate, users, scores, k, excluded, true), k);
    };
  }

  /**
   * Explains the user's best k items by both stages, best first. Takes some ten milliseconds an
   * item.
   *
   * @param excluded what must not appear in the list, which has the number 0
   */
  public List<Explanation> explain(UserState user, int k, ExcludedItems excluded) {
    return explain(user, k, excluded, rescoring -> order(rescoring, k).itemsOf(0));
  }

  /**
   * Explains the scores of these items for a user, also of items that are no candidates.
   *
   * @param excluded what must not be a candidate: the same as in the list that is explained
   * @throws InvalidInputException if an item is not in the catalogue
   */
  public List<Explanation> explain(UserState user, int[] items, ExcludedItems excluded) {
    for (int item : items) {
      if (item < 0 || item >= scorer.numPlaces()) {
        throw new InvalidInputException(
            "item %d cannot be explained: the catalogue has items 0 to %d"
                .formatted(item, scorer.numPlaces() - 1));
      }
    }
    return explain(user, 1, excluded, rescoring -> items);
  }

  private List<Explanation> explain(
      UserState user, int k, ExcludedItems excluded, Function<Rescoring, int[]> items) {
    Explainer explainer = new Explainer(scorer, features, gate, stageTwo);
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(scorer.pool().device())) {
            PoolScores scores = scorer.score(request, List.of(user));
            Rescoring rescoring = rescore(request, gate, List.of(user), scores, k, excluded, true);
            return explainer.explain(request, user, scores, rescoring, items.apply(rescoring));
          }
        });
  }

  FusedScorer scorer() {
    return scorer;
  }

  /** How many candidates stage 2 orders for lists of k: lists with the same number agree. */
  int candidates(int k) {
    return Math.max(k, options.candidates());
  }

  /** Weights (M) over standardised scores that are the same for all users. */
  float[] globalWeights() {
    return global.baseline().clone();
  }

  private RankedLists stageOne(
      Scope request,
      StageOne stage,
      List<UserState> users,
      PoolScores scores,
      int k,
      ExcludedItems excluded) {
    float[] weights =
        stage.weights(request, users, features.users(users, scores), options.halfTrust());
    return scorer.rank(request, scores, weights, k, excluded);
  }

  /** Scores the candidates of stage 1, at least k, by stage 2. */
  private Rescoring rescore(
      Scope request,
      StageOne stage,
      List<UserState> users,
      PoolScores scores,
      int k,
      ExcludedItems excluded,
      boolean policy) {
    float[] before = features.users(users, scores);
    float[] weights = stage.weights(request, users, before, options.halfTrust());
    int n = candidates(k);
    RankedLists candidates = scorer.rank(request, scores, weights, n, excluded);
    Evidence evidence = evidence(request, scorer, scores, candidates);
    float[] normalised = stageTwo.normalisation().apply(evidence);
    float[] baseline = stageTwo.baselineScores(evidence, normalised);
    if (!policy || stageTwo.policies().isEmpty()) {
      return new Rescoring(weights, before, evidence, normalised, null, baseline);
    }
    MixData data =
        stageTwo.data(
            features,
            evidence,
            normalised,
            before,
            StageOne.confidence(users, options.halfTrust()));
    int[] lengths = users.stream().mapToInt(u -> u.history().length).toArray();
    int[] all = IntStream.range(0, users.size()).toArray();
    float[] scored =
        stageTwo.blend(evidence, baseline, stageTwo.policyScores(request, data, all), lengths);
    return new Rescoring(weights, before, evidence, normalised, data, scored);
  }

  static Evidence evidence(
      Scope request, FusedScorer scorer, PoolScores scores, RankedLists candidates) {
    return new Evidence(
        candidates.k(),
        scorer.pool().size(),
        candidates.lengths(),
        candidates.items(),
        scorer.raw(request, scores, candidates.items()),
        scores.means(),
        scores.deviations());
  }

  /** Orders candidates by new scores; ties by item index. */
  private static RankedLists order(Rescoring rescoring, int k) {
    Evidence evidence = rescoring.evidence();
    float[] scores = rescoring.scores();
    int users = evidence.numUsers();
    int n = evidence.numCandidates();
    int[] items = new int[users * k];
    float[] ordered = new float[users * k];
    int[] lengths = new int[users];
    Arrays.fill(items, -1);
    Arrays.fill(ordered, Float.NEGATIVE_INFINITY);
    for (int u = 0; u < users; u++) {
      int user = u;
      Integer[] places = new Integer[evidence.length(u)];
      Arrays.setAll(places, c -> c);
      Arrays.sort(
          places,
          (a, b) -> {
            int byScore = Float.compare(scores[user * n + b], scores[user * n + a]);
            return byScore != 0
                ? byScore
                : Integer.compare(evidence.item(user, a), evidence.item(user, b));
          });
      lengths[u] = Math.min(k, places.length);
      for (int i = 0; i < lengths[u]; i++) {
        items[u * k + i] = evidence.item(u, places[i]);
        ordered[u * k + i] = scores[u * n + places[i]];
      }
    }
    return new RankedLists(k, items, ordered, lengths);
  }

  /** Frees the fused item vectors; policy and pool are lent. */
  @Override
  public void close() {
    scorer.close();
  }
}
