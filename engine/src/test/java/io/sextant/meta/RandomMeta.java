package io.sextant.meta;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.nn.NamedParameter;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserNeighbours;
import io.sextant.strategy.UserState;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Meta-strategies with random networks, so that every weight is tilted, over real strategies of all
 * kinds that were fitted to random events, and one that scores all items alike.
 */
final class RandomMeta implements AutoCloseable {

  static final int USERS = 70;
  static final int ITEMS = 60;
  static final int CANDIDATES = 25;
  static final float KAPPA = 1.5f;
  static final float HALF_TRUST = 1;

  private static final float[] STRENGTHS = {1, 0.5f, 0, 0.25f};
  private static final int[] EDGES = {2, 5, 8};

  final Interactions train;
  final StrategyPool pool;
  final StageTwo stageTwo;
  final MetaStrategy meta;
  private final TopK topK = new TopK();
  private final Scope model = Scope.open(Device.cpu());

  RandomMeta(long seed, Normalisation normalisation, int networks) {
    Random random = new Random(seed);
    train = events(random);
    pool = pool(train);
    ItemFacts facts = ItemFacts.of(train);
    PolicyFeatures features = new PolicyFeatures(facts, pool.names());
    float[] weights = new float[pool.size()];
    for (int m = 0; m < weights.length; m++) {
      // The second is one that the global weights have dropped.
      weights[m] = m == 1 ? 0 : 0.3f + random.nextFloat();
    }
    StageOne global = new StageOne(weights, null, identity(features.userNames().size(), 4), false);
    MixModel gate = network(random, features.userNames().size(), 1, false, weights);
    List<MixModel> policies = new ArrayList<>();
    for (int i = 0; i < networks; i++) {
      policies.add(
          network(
              random,
              features.userNamesWithCandidates().size(),
              features.itemNames().size(),
              true,
              weights));
    }
    stageTwo =
        new StageTwo(
            normalisation,
            weights,
            policies,
            identity(features.userNamesWithCandidates().size(), 4),
            identity(features.itemNames().size(), 6),
            EDGES,
            STRENGTHS);
    meta =
        new MetaStrategy(
            new FusedScorer(pool, topK),
            new PolicyParts(
                MetaOptions.builder().candidates(CANDIDATES).halfTrust(HALF_TRUST).build(),
                pool.names(),
                facts,
                global,
                new StageOne(weights, gate, identity(features.userNames().size(), 4), false),
                global,
                stageTwo));
  }

  /** Known users, users who were not there in training, and one without history. */
  List<UserState> users(Random random) {
    List<UserState> users = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int user = random.nextInt(USERS);
      users.add(new UserState(user, train.historyOf(user)));
      users.add(UserState.unseen(random.ints(1 + random.nextInt(10), 0, ITEMS).toArray()));
    }
    users.add(UserState.unseen());
    return users;
  }

  static int[] seen(UserState user) {
    return Arrays.stream(user.history()).sorted().distinct().toArray();
  }

  private MixModel network(
      Random random, int userWidth, int itemWidth, boolean itemAware, float[] weights) {
    MixModel network =
        new MixModel(
            model,
            new MixShape(userWidth, itemWidth, 8, itemAware, KAPPA, itemAware ? 2 : 0),
            weights,
            random.nextLong());
    TensorThreads.run(() -> randomise(network, random));
    return network;
  }

  static void randomise(MixModel network, Random random) {
    for (NamedParameter parameter : network.parameters()) {
      FloatBuffer memory = HostArrays.view(parameter.parameter().getArray());
      for (int i = 0; i < memory.capacity(); i++) {
        memory.put(i, 0.3f * (float) random.nextGaussian());
      }
    }
  }

  private static Standardiser identity(int width, float limit) {
    float[] ones = new float[width];
    Arrays.fill(ones, 1);
    return new Standardiser(new float[width], ones, limit);
  }

  static Interactions events(Random random) {
    int[][] users = new int[USERS][];
    for (int u = 0; u < USERS; u++) {
      users[u] =
          random
              .ints(random.nextInt(12), 0, ITEMS * ITEMS)
              // Low items are popular.
              .map(i -> Math.min(i / ITEMS, i % ITEMS))
              .toArray();
    }
    return KnownScores.sequences(ITEMS, users);
  }

  private static StrategyPool pool(Interactions train) {
    List<Strategy> strategies =
        List.of(
            SessionTransitions.builder().neighbours(20).build(),
            LowPass.builder().factors(6).neighbours(15).build(),
            UserNeighbours.builder().neighbours(30).build(),
            Popularity.late(),
            Als.builder().factors(4).epochs(3).build());
    List<StrategyPool.Member> members = new ArrayList<>();
    for (Strategy strategy : strategies) {
      FitContext context = FitContext.of(Device.cpu(), Dataset.of(train));
      members.add(new StrategyPool.Member(strategy.name(), strategy.fit(context), 0));
    }
    members.add(KnownScores.member("alike", ITEMS, user -> new float[ITEMS]));
    return new StrategyPool(members);
  }

  @Override
  public void close() {
    meta.close();
    model.close();
    pool.close();
    topK.close();
  }
}
