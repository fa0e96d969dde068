package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.Event;
import io.sextant.EventType;
import io.sextant.InteractionFeatures;
import io.sextant.RankedLists;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.data.Split;
import io.sextant.data.Splitter;
import io.sextant.meta.MetaOptions;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.MetaTrainer;
import io.sextant.meta.Mixer;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.LowPass;
import io.sextant.strategy.Popularity;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.UserState;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Users who are served by a pool of dense and sparse strategies and by a policy over it. Half of
 * them, those with short histories, take what is popular, the others what follows what they had
 * last, so that a policy has something to learn. Not thread-safe.
 */
final class Mixing implements AutoCloseable {

  private static final int EVENTS = 16;

  private final StrategyPool pool;
  private final TopK topK = new TopK();
  private final MetaPolicy policy;
  private final MetaStrategy meta;
  private final List<UserState> users = new ArrayList<>();
  private final ExcludedItems seen;
  private final int candidates;

  /**
   * Fits.
   *
   * @param items size of the catalogue; half as many users are learned from
   * @param batch users who are served at a time
   * @param candidates N, how many items stage 2 scores
   */
  Mixing(int items, int batch, int candidates, Device device) {
    this.candidates = candidates;
    Split split = Splitter.leaveOneOut().split(walks(items / 2, items));
    Dataset train = Dataset.of(split.train());
    List<Strategy> strategies =
        List.of(
            Popularity.allTime(),
            SessionTransitions.wide(),
            ItemNeighbours.cosine().ordered(),
            Als.builder().factors(64).epochs(3).build(),
            LowPass.builder().factors(64).build());
    pool = StrategyPool.fit(strategies, strategy -> FitContext.of(device, train));
    MetaOptions options = MetaOptions.builder().candidates(candidates).maxUsers(8000).build();
    policy =
        new MetaTrainer(options, line -> System.err.println("policy: " + line))
            .fit(pool, topK, split.train(), split.train(), split.validation());
    requireNetworks();
    meta = policy.over(pool, topK);
    int[][] histories = new int[batch][];
    for (int i = 0; i < batch; i++) {
      int user = i * (split.train().numUsers() / batch);
      users.add(new UserState(user, split.train().historyOf(user)));
      histories[i] = split.train().seenOf(user);
    }
    seen = ExcludedItems.of(histories);
  }

  private static Interactions walks(int numUsers, int numItems) {
    Interactions.Builder rows =
        Interactions.builder(
            SextantTraining.ids("u", numUsers), SextantTraining.ids("i", numItems));
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(11);
    for (int user = 0; user < numUsers; user++) {
      boolean follows = user % 2 == 0;
      int item = popular(random, numItems);
      for (int event = 0; event < (follows ? EVENTS : EVENTS / 2); event++) {
        rows.add(
            user, item, EventType.CLICK, Float.NaN, 1, Event.NO_TIME, InteractionFeatures.UNKNOWN);
        item =
            follows && random.nextInt(4) > 0 ? (item + 101) % numItems : popular(random, numItems);
      }
    }
    return rows.build();
  }

  /** Low items are drawn far more often. */
  private static int popular(RandomGenerator random, int numItems) {
    return (int) (numItems * Math.pow(random.nextDouble(), 4));
  }

  /** A policy that is no better than fixed weights has no networks, and would cost nothing. */
  private void requireNetworks() {
    for (String part : List.of("gate.network", "stage-two.0.network")) {
      if (policy.tensors().stream().noneMatch(tensor -> tensor.spec().name().startsWith(part))) {
        throw new IllegalStateException(
            "the policy has no network in %s: there is nothing to measure (it has %s)"
                .formatted(part, policy.tensors().stream().map(t -> t.spec().name()).toList()));
      }
    }
  }

  int batch() {
    return users.size();
  }

  /** Stage 1 with the same weights for everybody. */
  RankedLists fixed() {
    return meta.rank(Mixer.UNIFORM, users, candidates, seen);
  }

  /** Stage 1 with the policy's gates. */
  RankedLists gated() {
    return meta.rank(Mixer.USER_GATE, users, candidates, seen);
  }

  /** Both stages. */
  RankedLists rescored() {
    return meta.rank(Mixer.POLICY, users, candidates, seen);
  }

  @Override
  public void close() {
    meta.close();
    policy.close();
    pool.close();
    topK.close();
  }
}
