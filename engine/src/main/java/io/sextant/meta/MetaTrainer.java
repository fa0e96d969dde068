package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.data.Interactions;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.UserState;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingOptions;
import io.sextant.train.Validation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fits the policy of a meta-strategy to a slice of data that the pool's strategies have not seen.
 *
 * <p>Steps: global weights over standardised scores; the user gate of stage 1 and its control
 * without features; the candidates that stage 1 then gives; the normalisation and global weights of
 * stage 2; its policy networks. A part of the slice's users is held out: it stops the networks,
 * chooses the normalisation, and decides how much of the policy each group of users gets.
 *
 * <p>Thread safety: one fit at a time.
 */
public final class MetaTrainer {

  private static final int BATCH = 512;
  private static final int POOL_CAPACITY = 300;
  private static final int GROUPS = 4;

  /** Shares of the greatest strength. */
  private static final float[] STRENGTHS = {1, 0.75f, 0.5f, 0.25f, 0};

  private static final float USER_LIMIT = 4;
  private static final float ITEM_LIMIT = 6;
  private static final float WEIGHT_DECAY = 1e-4f;
  private static final int USERS_A_STEP = 64;
  private static final int FRONTIER_USERS = 6000;

  private final MetaOptions options;
  private final Consumer<String> log;

  /**
   * A trainer.
   *
   * @param log hears a line for each step that is done
   */
  public MetaTrainer(MetaOptions options, Consumer<String> log) {
    this.options = options;
    this.log = log;
  }

  /**
   * Fits a policy.
   *
   * @param pool fitted to data without the truth; lent, also to the result
   * @param topK lent, also to the result
   * @param train what the pool was fitted to: popularity of items comes from it
   * @param history what users are known by at the time of the truth
   * @param truth what they did afterwards
   */
  public MetaPolicy fit(
      StrategyPool pool, TopK topK, Interactions train, Interactions history, Interactions truth) {
    int[] users = usersOf(truth);
    return TensorThreads.call(() -> new Run(pool, topK, train, history, truth, users).fit());
  }

  /**
   * What parts of the pool would give for what cost: the choice for a compute budget. Takes M fits
   * of global weights and collects evidence of at most 6,000 users.
   *
   * @param pool as for {@link #fit}, and so the others
   * @param costs of the pool's strategies
   */
  public CostFrontier frontier(
      StrategyPool pool,
      TopK topK,
      Interactions train,
      Interactions history,
      Interactions truth,
      PoolCost costs) {
    int[] users = usersOf(truth);
    int[] chosen = Arrays.copyOf(users, Math.min(users.length, FRONTIER_USERS));
    return TensorThreads.call(
        () -> new Run(pool, topK, train, history, truth, chosen).frontier(costs));
  }

  /**
   * Fits a policy over the part of the pool that is best within a budget.
   *
   * @param budgetMillis what retrieval may cost for 1,000 users, in the unit of the costs
   * @return to be laid over the pool with {@link StrategyPool#only only} the policy's strategies
   * @throws InvalidInputException if no part of the pool is that cheap
   */
  public MetaPolicy fitWithin(
      double budgetMillis,
      PoolCost costs,
      StrategyPool pool,
      TopK topK,
      Interactions train,
      Interactions history,
      Interactions truth) {
    CostFrontier.Point best =
        frontier(pool, topK, train, history, truth, costs).within(budgetMillis);
    say(
        "within %.3f ms for 1,000 users: %s, %.3f ms",
        budgetMillis, best.strategies(), best.millis());
    return fit(pool.only(best.strategies()), topK, train, history, truth);
  }

  private int[] usersOf(Interactions truth) {
    int[] users = sample(Ranker.usersWith(truth));
    if (users.length < 10) {
      throw new InvalidInputException(
          "a policy needs at least 10 users in the meta slice but there are %d: leave more data out of training"
              .formatted(users.length));
    }
    return users;
  }

  private int[] sample(int[] users) {
    int[] shuffled = users.clone();
    new CounterRandom(options.seed(), "meta-users", 0).shuffle(shuffled);
    return Arrays.copyOf(shuffled, Math.min(shuffled.length, options.maxUsers()));
  }

  /** One fit. Users are in random order: the first ones are fitted to, the last are held out. */
  private final class Run {
    private final StrategyPool pool;
    private final TopK topK;
    private final Interactions history;
    private final Interactions truth;
    private final int[] users;
    private final int[] fitUsers;
    private final int[] heldUsers;
    private final PolicyFeatures features;
    private final ItemFacts facts;

    Run(
        StrategyPool pool,
        TopK topK,
        Interactions train,
        Interactions history,
        Interactions truth,
        int[] users) {
      this.pool = pool;
      this.topK = topK;
      this.history = history;
      this.truth = truth;
      this.users = users;
      int held = Math.max(1, (int) Math.round(users.length * options.holdout()));
      fitUsers = range(0, users.length - held);
      heldUsers = range(users.length - held, users.length);
      facts = ItemFacts.of(train);
      features = new PolicyFeatures(facts, pool.names());
    }

    MetaPolicy fit() {
      Scope model = Scope.open(pool.device());
      try (FusedScorer scorer = new FusedScorer(pool, topK)) {
        float[] before = new float[users.length * features.userNames().size()];
        Evidence wide = collect(scorer, null, before);
        Judgements wideTruth = Judgements.of(wide, truths());
        float[] z = Normalisation.Z.apply(wide);
        float[] weights =
            GlobalWeights.fit(
                wide.select(fitUsers),
                rows(z, fitUsers, users.length),
                judgements(wideTruth, fitUsers),
                options.k(),
                options.seed());
        say("global weights over z: %s", describe(weights));
        StageOne global =
            new StageOne(
                weights,
                null,
                Standardiser.of(before, features.userNames().size(), USER_LIMIT),
                false);
        StageOne gate = gate(model, wide, z, wideTruth, before, weights, false);
        StageOne control = gate(model, wide, z, wideTruth, before, weights, true);
        Evidence narrow = collect(scorer, gate, before);
        StageTwo stageTwo = stageTwo(model, narrow, before);
        return new MetaPolicy(
            model, new PolicyParts(options, pool.names(), facts, global, gate, control, stageTwo));
      } catch (RuntimeException | Error e) {
        model.close();
        throw e;
      }
    }

    CostFrontier frontier(PoolCost costs) {
      try (FusedScorer scorer = new FusedScorer(pool, topK)) {
        Evidence wide =
            collect(scorer, null, new float[users.length * features.userNames().size()]);
        Judgements wideTruth = Judgements.of(wide, truths());
        return new FrontierSearch(
                new FrontierSearch.Slice(wide.select(fitUsers), judgements(wideTruth, fitUsers)),
                new FrontierSearch.Slice(wide.select(heldUsers), judgements(wideTruth, heldUsers)),
                pool.names(),
                costs,
                options.k(),
                options.seed())
            .run();
      }
    }

    private int[][] truths() {
      int[][] truths = new int[users.length][];
      for (int i = 0; i < users.length; i++) {
        truths[i] = truth.seenOf(users[i]);
      }
      return truths;
    }

    /**
     * Evidence of all users: of the union of the strategies' best items, or of the candidates of a
     * stage 1.
     *
     * @param before receives the users' features
     */
    private Evidence collect(FusedScorer scorer, @Nullable StageOne stage, float[] before) {
      int numStrategies = pool.size();
      int n =
          stage == null
              ? Math.min(POOL_CAPACITY, options.poolDepth() * numStrategies)
              : options.candidates();
      int[] lengths = new int[users.length];
      int[] items = new int[users.length * n];
      float[] raw = new float[items.length * numStrategies];
      float[] means = new float[users.length * numStrategies];
      float[] deviations = new float[means.length];
      int width = features.userNames().size();
      for (int start = 0; start < users.length; start += BATCH) {
        int size = Math.min(BATCH, users.length - start);
        List<UserState> states = states(start, size);
        int[][] seen = new int[size][];
        for (int i = 0; i < size; i++) {
          seen[i] = history.seenOf(users[start + i]);
        }
        try (Scope request = Scope.open(pool.device())) {
          PoolScores scores = scorer.score(request, states);
          float[] rows = features.users(states, scores);
          System.arraycopy(rows, 0, before, start * width, rows.length);
          RankedLists candidates =
              stage == null
                  ? union(request, scorer, scores, n, ExcludedItems.of(seen))
                  : scorer.rank(
                      request,
                      scores,
                      stage.weights(request, states, rows, options.halfTrust()),
                      n,
                      ExcludedItems.of(seen));
          System.arraycopy(candidates.lengths(), 0, lengths, start, size);
          System.arraycopy(candidates.items(), 0, items, start * n, size * n);
          float[] batch = scorer.raw(request, scores, candidates.items());
          System.arraycopy(batch, 0, raw, start * n * numStrategies, batch.length);
          System.arraycopy(scores.means(), 0, means, start * numStrategies, scores.means().length);
          System.arraycopy(
              scores.deviations(),
              0,
              deviations,
              start * numStrategies,
              scores.deviations().length);
        }
      }
      return new Evidence(n, numStrategies, lengths, items, raw, means, deviations);
    }

    private List<UserState> states(int start, int size) {
      List<UserState> states = new ArrayList<>(size);
      for (int i = start; i < start + size; i++) {
        states.add(new UserState(users[i], history.historyOf(users[i])));
      }
      return states;
    }

    /** The best of each strategy in turn, place by place, until there is no room left. */
    private RankedLists union(
        Scope request, FusedScorer scorer, PoolScores scores, int n, ExcludedItems excluded) {
      int numStrategies = pool.size();
      RankedLists[] singles = new RankedLists[numStrategies];
      int depth = Math.min(options.poolDepth(), pool.numItems());
      for (int m = 0; m < numStrategies; m++) {
        singles[m] = scorer.rankSingle(request, scores, m, depth, excluded);
      }
      int[] items = new int[scores.size() * n];
      int[] lengths = new int[scores.size()];
      Arrays.fill(items, -1);
      for (int u = 0; u < scores.size(); u++) {
        Set<Integer> chosen = new LinkedHashSet<>();
        for (int place = 0; place < depth && chosen.size() < n; place++) {
          for (int m = 0; m < numStrategies && chosen.size() < n; m++) {
            if (place < singles[m].lengths()[u]) {
              chosen.add(singles[m].items()[u * depth + place]);
            }
          }
        }
        for (int item : chosen) {
          items[u * n + lengths[u]++] = item;
        }
      }
      return new RankedLists(n, items, new float[items.length], lengths);
    }

    private StageOne gate(
        Scope model,
        Evidence wide,
        float[] z,
        Judgements wideTruth,
        float[] before,
        float[] weights,
        boolean blind) {
      int width = features.userNames().size();
      Standardiser standardiser =
          Standardiser.of(rows(before, fitUsers, users.length), width, USER_LIMIT);
      MixShape shape = MixShape.ofGate(features, options);
      MixModel network = new MixModel(model, shape, weights, options.seed() + (blind ? 1 : 0));
      StageOne stage = new StageOne(weights, network, standardiser, blind);
      float[] prepared = stage.prepared(before);
      float[] confidence = StageOne.confidence(states(0, users.length), options.halfTrust());
      MixData all = new MixData(wide, z, prepared, null, confidence);
      double[] gain = train(model, network, all, wideTruth, options.gateRate(), options.seed());
      say(
          "%s: held-out ndcg@%d %.5f -> %.5f",
          blind ? "control gate" : "user gate", options.k(), gain[0], gain[1]);
      return gain[1] > gain[0] ? stage : new StageOne(weights, null, standardiser, blind);
    }

    private StageTwo stageTwo(Scope model, Evidence evidence, float[] before) {
      Judgements all = Judgements.of(evidence, truths());
      Evidence fit = evidence.select(fitUsers);
      Evidence held = evidence.select(heldUsers);
      Judgements fitTruth = judgements(all, fitUsers);
      Judgements heldTruth = judgements(all, heldUsers);
      Normalisation best = Normalisation.Z;
      float[] bestWeights = new float[0];
      float[] bestNormalised = new float[0];
      double bestValue = -1;
      for (Normalisation normalisation : Normalisation.values()) {
        float[] normalised = normalisation.apply(evidence);
        float[] weights =
            GlobalWeights.fit(
                fit,
                rows(normalised, fitUsers, users.length),
                fitTruth,
                options.k(),
                options.seed());
        double value =
            heldTruth.meanNdcg(
                held,
                GlobalWeights.scores(held, rows(normalised, heldUsers, users.length), weights),
                options.k());
        say(
            "global weights over %s: held-out ndcg@%d %.5f, %s",
            normalisation, options.k(), value, describe(weights));
        if (value > bestValue) {
          bestValue = value;
          best = normalisation;
          bestWeights = weights;
          bestNormalised = normalised;
        }
      }
      float[] rawUsers = features.usersWithCandidates(before, evidence);
      float[] baseline = GlobalWeights.scores(evidence, bestNormalised, bestWeights);
      float[] rawItems = features.items(evidence, baseline);
      int userWidth = features.userNamesWithCandidates().size();
      int itemWidth = features.itemNames().size();
      Standardiser userScale =
          Standardiser.of(rows(rawUsers, fitUsers, users.length), userWidth, USER_LIMIT);
      Standardiser itemScale =
          Standardiser.of(rows(rawItems, fitUsers, users.length), itemWidth, ITEM_LIMIT);
      float[] confidence = StageOne.confidence(states(0, users.length), options.halfTrust());
      MixData data =
          new MixData(
              evidence,
              bestNormalised,
              userScale.apply(rawUsers),
              itemScale.apply(rawItems),
              confidence);
      List<MixModel> policies = new ArrayList<>();
      for (int i = 0; i < options.networks(); i++) {
        MixShape shape = MixShape.ofPolicy(features, options);
        MixModel network = new MixModel(model, shape, bestWeights, options.seed() + 100 + i);
        double[] gain =
            train(model, network, data, all, options.policyRate(), options.seed() + 100 + i);
        say("policy %d: held-out ndcg@%d %.5f -> %.5f", i, options.k(), gain[0], gain[1]);
        if (gain[1] > gain[0]) {
          policies.add(network);
        }
      }
      StageTwo stage =
          new StageTwo(
              best,
              bestWeights,
              policies,
              userScale,
              itemScale,
              edges(),
              filled(options.strength()));
      return withStrengths(model, stage, data, held, heldTruth);
    }

    /**
     * Decides for each group of history lengths how much of the policy its users get: as much as
     * the options allow, unless held-out users of the group are worse off with it by more than a
     * standard error; then the part that is best for them.
     */
    private StageTwo withStrengths(
        Scope model, StageTwo stage, MixData data, Evidence evidence, Judgements heldTruth) {
      if (stage.policies().isEmpty()) {
        return stage;
      }
      float[] baseline =
          stage.baselineScores(evidence, rows(data.normalised(), heldUsers, users.length));
      float[] policy = stage.policyScores(model, data, heldUsers);
      int[] lengths = new int[heldUsers.length];
      for (int i = 0; i < lengths.length; i++) {
        lengths[i] = history.historyOf(users[heldUsers[i]]).length;
      }
      double[] without = heldTruth.ndcg(evidence, baseline, options.k());
      float[] chosen = filled(options.strength());
      for (int g = 0; g < GROUPS; g++) {
        double best = Double.NEGATIVE_INFINITY;
        for (float share : STRENGTHS) {
          float strength = share * options.strength();
          float[] same = filled(strength);
          double[] with =
              heldTruth.ndcg(
                  evidence,
                  stage.withStrengths(same).blend(evidence, baseline, policy, lengths),
                  options.k());
          MeanDifference gain = gain(stage, g, lengths, with, without);
          if (share == 1 && gain.mean() >= -gain.standardError()) {
            break;
          }
          if (gain.mean() > best) {
            best = gain.mean();
            chosen[g] = strength;
          }
        }
      }
      say(
          "strength of the policy by history length %s: %s",
          Arrays.toString(stage.edges()), Arrays.toString(chosen));
      return stage.withStrengths(chosen);
    }

    private MeanDifference gain(
        StageTwo stage, int group, int[] lengths, double[] with, double[] without) {
      double sum = 0;
      double squares = 0;
      int count = 0;
      for (int i = 0; i < lengths.length; i++) {
        if (stage.group(lengths[i]) == group) {
          double difference = with[i] - without[i];
          sum += difference;
          squares += difference * difference;
          count++;
        }
      }
      double mean = sum / Math.max(1, count);
      double variance = squares / Math.max(1, count) - mean * mean;
      return new MeanDifference(mean, Math.sqrt(Math.max(0, variance) / Math.max(1, count)));
    }

    /** History lengths at the quartiles of all users of the slice. */
    private int[] edges() {
      int[] lengths = new int[users.length];
      for (int i = 0; i < lengths.length; i++) {
        lengths[i] = history.historyOf(users[i]).length;
      }
      Arrays.sort(lengths);
      int[] edges = new int[GROUPS - 1];
      for (int g = 1; g < GROUPS; g++) {
        edges[g - 1] = lengths[g * (lengths.length - 1) / GROUPS];
      }
      return edges;
    }

    /** Trains a network; returns the held-out NDCG before and after. */
    private double[] train(
        Scope model, MixModel network, MixData data, Judgements judgements, float rate, long seed) {
      Evidence held = data.evidence().select(heldUsers);
      Judgements heldTruth = judgements(judgements, heldUsers);
      Validation validation =
          new Validation() {
            @Override
            public Map<String, Double> evaluate() {
              float[] scores = MixTask.scores(model, network, data, heldUsers);
              return Map.of("ndcg", heldTruth.meanNdcg(held, scores, options.k()));
            }

            @Override
            public String objective() {
              return "ndcg";
            }
          };
      double before = validation.evaluate().getOrDefault("ndcg", 0.0);
      MixTask task = new MixTask(network, data, judgements, fitUsers);
      if (task.numExamples() == 0) {
        return new double[] {before, before};
      }
      TrainingOptions training =
          TrainingOptions.builder()
              .epochs(options.epochs())
              .batchSize(USERS_A_STEP)
              .learningRate(rate)
              .weightDecay(WEIGHT_DECAY)
              .patience(options.patience())
              .seed(seed)
              .build();
      new Trainer(training, List.of(), TrainingListener.NONE, null).train(model, task, validation);
      return new double[] {before, validation.evaluate().getOrDefault("ndcg", 0.0)};
    }

    private String describe(float[] weights) {
      StringBuilder text = new StringBuilder();
      for (int m = 0; m < weights.length; m++) {
        text.append(
            String.format(
                Locale.ROOT, "%s%s %.2f", m == 0 ? "" : ", ", pool.names().get(m), weights[m]));
      }
      return text.toString();
    }
  }

  /** A mean over users with its standard error. */
  private record MeanDifference(double mean, double standardError) {}

  private void say(String format, Object... values) {
    log.accept(String.format(Locale.ROOT, format, values));
  }

  private static Judgements judgements(Judgements all, int[] users) {
    int[] relevant = new int[users.length];
    for (int i = 0; i < users.length; i++) {
      relevant[i] = all.relevant()[users[i]];
    }
    return new Judgements(
        all.numCandidates(), rows(all.labels(), users, all.relevant().length), relevant);
  }

  private static float[] rows(float[] values, int[] users, int count) {
    int width = values.length / count;
    float[] chosen = new float[users.length * width];
    for (int i = 0; i < users.length; i++) {
      System.arraycopy(values, users[i] * width, chosen, i * width, width);
    }
    return chosen;
  }

  private static int[] range(int from, int to) {
    int[] values = new int[to - from];
    Arrays.setAll(values, i -> from + i);
    return values;
  }

  /** The same strength for each group. */
  private static float[] filled(float strength) {
    float[] values = new float[GROUPS];
    Arrays.fill(values, strength);
    return values;
  }
}
