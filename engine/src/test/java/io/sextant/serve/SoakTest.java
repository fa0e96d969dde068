package io.sextant.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.sextant.AttributeFilter;
import io.sextant.DeadlineExceededException;
import io.sextant.Eligibility;
import io.sextant.RankedLists;
import io.sextant.RecommendationRequest;
import io.sextant.Recommendations;
import io.sextant.meta.MetaPolicy;
import io.sextant.meta.MetaStrategy;
import io.sextant.meta.StrategyPool;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.store.ModelBundle;
import io.sextant.strategy.UserState;
import io.sextant.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many requests of every kind while models are swapped, events come in and items change: no wrong
 * list, no error but those that are asked for, and memory stays. {@code -Dsextant.soak.requests}
 * says how many; a hundred thousand unless told.
 */
class SoakTest {

  private static final int CALLERS = 8;
  private static final int SWAPS = 20;
  private static final int SAMPLED = 200;

  /** Resident memory may grow by this share after the warm-up. */
  private static final double GROWTH = 0.03;

  /** Its availability changes all the time, so sampled requests deny it. */
  private static final int FLICKERING = 0;

  @TempDir Path folder;

  private final AtomicLong done = new AtomicLong();
  private final AtomicLong checked = new AtomicLong();
  private final AtomicLong late = new AtomicLong();
  private final AtomicLong cancelled = new AtomicLong();
  private final Queue<Throwable> wrong = new ConcurrentLinkedQueue<>();
  private final Map<String, Direct> direct = new ConcurrentHashMap<>();

  /** A model ranked without a recommender. */
  private record Direct(
      Path bundle,
      MetaPolicy policy,
      StrategyPool pool,
      TopK topK,
      MetaStrategy meta,
      int[][] stored)
      implements AutoCloseable {

    static Direct of(Path directory) {
      try (ModelBundle bundle = ModelBundle.open(directory)) {
        MetaPolicy policy = MetaPolicy.load(bundle.policy().orElseThrow(), Device.cpu());
        StrategyPool pool =
            StrategyPool.load(
                policy.strategies().stream().map(bundle::strategy).toList(), Device.cpu());
        TopK topK = new TopK();
        int[][] stored =
            IntStream.range(0, ServedBundles.USERS)
                .mapToObj(user -> bundle.histories().orElseThrow().of(user))
                .toArray(int[][]::new);
        return new Direct(directory, policy, pool, topK, policy.over(pool, topK), stored);
      }
    }

    String id() {
      try (ModelBundle opened = ModelBundle.open(bundle)) {
        return opened.contentId();
      }
    }

    @Override
    public void close() {
      meta.close();
      policy.close();
      pool.close();
      topK.close();
    }
  }

  @Test
  @Tag("slow")
  void nothingGoesWrongAndMemoryStays() throws Exception {
    long requests = Long.getLong("sextant.soak.requests", 100_000);
    long scopes = Scope.liveScopes();
    List<Path> bundles = new ArrayList<>();
    for (int seed = 1; seed <= 2; seed++) {
      bundles.add(ServedBundles.policy(folder.resolve("m" + seed), seed));
      Direct model = Direct.of(bundles.get(seed - 1));
      direct.put(model.id(), model);
    }
    RecommenderOptions options =
        RecommenderOptions.builder().timeout(Duration.ofMinutes(2)).maxLiveUsers(500).build();
    long warm = 0;
    long end;
    try (Recommender recommender = Recommender.open(bundles.get(0), options)) {
      List<Thread> callers = new ArrayList<>();
      for (int caller = 0; caller < CALLERS; caller++) {
        Random random = new Random(caller);
        Thread thread = new Thread(() -> ask(recommender, random, requests));
        thread.start();
        callers.add(thread);
      }
      for (int swap = 1; swap <= SWAPS; swap++) {
        long until = requests * swap / (SWAPS + 1);
        while (done.get() < until && wrong.isEmpty()) {
          Thread.sleep(5);
        }
        recommender.swap(bundles.get(swap % 2));
        if (swap == SWAPS / 2) {
          warm = residentBytes();
        }
      }
      for (Thread caller : callers) {
        caller.join();
      }
      end = residentBytes();
    }
    direct.values().forEach(Direct::close);
    assertThat(wrong).isEmpty();
    assertThat(done.get()).isGreaterThanOrEqualTo(requests);
    assertThat(checked.get()).isGreaterThan(requests / SAMPLED / 2);
    assertThat(cancelled.get()).isPositive();
    assertThat(late.get()).isPositive();
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
    System.getLogger("soak")
        .log(
            System.Logger.Level.INFO,
            "%d requests, %d compared, %d late, %d cancelled, resident %d -> %d MiB"
                .formatted(
                    done.get(), checked.get(), late.get(), cancelled.get(), warm >> 20, end >> 20));
    assertThat((double) (end - warm) / warm).isLessThan(GROWTH);
  }

  private void ask(Recommender recommender, Random random, long requests) {
    try {
      while (done.incrementAndGet() <= requests && wrong.isEmpty()) {
        switch (random.nextInt(20)) {
          case 0 ->
              recommender.recordEvent(
                  "e" + random.nextInt(2000), "i" + random.nextInt(ServedBundles.ITEMS));
          case 1 -> recommender.setAvailable("i" + FLICKERING, random.nextBoolean());
          case 2 -> cancel(recommender, random);
          case 3 -> beLate(recommender, random);
          case 4 ->
              recommender.recommend(
                  RecommendationRequest.forUser("e" + random.nextInt(2000)).build());
          default -> compare(recommender, random);
        }
      }
    } catch (Throwable e) {
      wrong.add(e);
    }
  }

  private void cancel(Recommender recommender, Random random) {
    CompletableFuture<Recommendations> future =
        recommender.recommendAsync(RecommendationRequest.forUser("u" + random.nextInt(90)).build());
    if (future.cancel(true)) {
      cancelled.incrementAndGet();
    }
  }

  private void beLate(Recommender recommender, Random random) {
    try {
      recommender.recommend(
          RecommendationRequest.forUser("u" + random.nextInt(90))
              .timeout(Duration.ofNanos(1 + random.nextInt(300_000)))
              .build());
    } catch (DeadlineExceededException e) {
      late.incrementAndGet();
    }
  }

  /** Asks for a list, and compares every so many with the model that made it. */
  private void compare(Recommender recommender, Random random) {
    int user = random.nextInt(ServedBundles.USERS);
    boolean filtered = random.nextBoolean();
    Set<String> deny =
        Set.of("i" + FLICKERING, "i" + (1 + random.nextInt(ServedBundles.ITEMS - 1)));
    Eligibility eligibility = Eligibility.UNSEEN.without(deny);
    if (filtered) {
      eligibility = eligibility.and(AttributeFilter.in("category", "c1", "c3"));
    }
    RecommendationRequest request =
        RecommendationRequest.forUser("u" + user)
            .k(1 + random.nextInt(12))
            .eligibility(eligibility)
            .build();
    Recommendations found = recommender.recommend(request);
    Direct model = direct.get(found.modelVersion());
    if (model == null) {
      throw new AssertionError("a list of an unknown model: " + found);
    }
    if (random.nextInt(SAMPLED) > 0) {
      return;
    }
    int[] history = model.stored()[user];
    int[] excluded =
        IntStream.range(0, ServedBundles.ITEMS)
            .filter(
                item ->
                    deny.contains("i" + item)
                        || Arrays.stream(history).anyMatch(seen -> seen == item)
                        || (filtered && (item % 7 == 6 || (item % 5 != 1 && item % 5 != 3))))
            .toArray();
    RankedLists expected =
        model
            .meta()
            .rank(
                List.of(new UserState(user, history)),
                request.k(),
                ExcludedItems.of(new int[][] {excluded}));
    float[] scores = expected.scoresOf(0);
    if (scores.length != found.items().size()) {
      throw new AssertionError("%s: %s has another length".formatted(request, found));
    }
    for (int i = 0; i < scores.length; i++) {
      String id = found.items().get(i).itemId();
      float score = found.items().get(i).score();
      boolean same = Math.abs(score - scores[i]) <= 1e-5f * (1 + Math.abs(scores[i]));
      if (!same || Arrays.binarySearch(excluded, Integer.parseInt(id.substring(1))) >= 0) {
        throw new AssertionError("%s: wrong at place %d of %s".formatted(request, i, found));
      }
    }
    checked.incrementAndGet();
  }

  private static long residentBytes() throws Exception {
    System.gc();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IllegalStateException("/proc/self/status has no line VmRSS");
  }
}
