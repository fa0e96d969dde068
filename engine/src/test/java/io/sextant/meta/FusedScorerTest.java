package io.sextant.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.RankedLists;
import io.sextant.retrieve.CompactIndex;
import io.sextant.retrieve.CompactOptions;
import io.sextant.retrieve.ExactIndex;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.GraphIndex;
import io.sextant.retrieve.GraphOptions;
import io.sextant.retrieve.IndexBuilder;
import io.sextant.retrieve.TopK;
import io.sextant.store.TensorSource;
import io.sextant.strategy.DenseScores;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.ScoreSums;
import io.sextant.strategy.SparseScores;
import io.sextant.strategy.UserState;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FusedScorerTest {

  private static final int USERS = 37;
  private static final int ITEMS = 211;

  private long scopes;

  @BeforeEach
  void countScopes() {
    scopes = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeftOpen() {
    assertThat(Scope.liveScopes()).isEqualTo(scopes);
  }

  /** Dense, sparse, both, one-dimensional, and one whose scores are all equal. */
  @Test
  void equalsTheMixtureComputedScoreByScore() {
    for (long seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      List<Fake> fakes =
          List.of(
              Fake.random(random, 8, 0),
              Fake.random(random, 0, 0.1),
              Fake.random(random, 5, 0.3),
              Fake.random(random, 1, 0),
              Fake.constant(),
              Fake.random(random, 0, 0));
      int numStrategies = fakes.size();
      float[] weights = new float[USERS * numStrategies];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = random.nextFloat();
      }
      int[][] excluded = new int[USERS][];
      for (int u = 0; u < USERS; u++) {
        excluded[u] = IntStream.range(0, ITEMS).filter(i -> random.nextInt(10) == 0).toArray();
      }
      double[][] naive = naive(fakes, weights);
      String where = "seed " + seed;
      withScorer(
          fakes,
          (scorer, scope) -> {
            PoolScores scores = scorer.score(scope, users());
            RankedLists lists = scorer.rank(scope, scores, weights, 15, ExcludedItems.of(excluded));
            for (int u = 0; u < USERS; u++) {
              double[] expected = naive[u].clone();
              for (int item : excluded[u]) {
                expected[item] = Double.NEGATIVE_INFINITY;
              }
              double[] best =
                  IntStream.range(0, ITEMS).mapToDouble(i -> expected[i]).sorted().toArray();
              for (int place = 0; place < 15; place++) {
                int item = lists.items()[u * 15 + place];
                // Float32 sums of at most 20 products of numbers near 1.
                assertThat((double) lists.scores()[u * 15 + place])
                    .as("%s, user %d, place %d", where, u, place)
                    .isCloseTo(expected[item], within(2e-4))
                    .isCloseTo(best[ITEMS - 1 - place], within(2e-4));
              }
            }
          });
    }
  }

  /** The list of one strategy alone, of a pool and of an added item, by index. */
  @Test
  void otherIndicesFindTheSameMixture() {
    Random random = new Random(21);
    List<Fake> pool =
        List.of(Fake.random(random, 8, 0.05), Fake.random(random, 0, 0.1), Fake.constant());
    CompactOptions int8 = CompactOptions.of(CompactOptions.Precision.INT8);
    // A catalogue so small that the graph is left aside: its recall is tested beside it.
    GraphOptions graph = GraphOptions.builder().threads(1).build();
    List<Function<TopK, IndexBuilder>> indices =
        List.of(topK -> CompactIndex.with(topK, int8), topK -> GraphIndex.with(graph));
    for (List<Fake> fakes : List.of(pool, pool.subList(0, 1), pool.subList(1, 2))) {
      float[] weights = new float[USERS * fakes.size()];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = random.nextFloat();
      }
      List<float[]> found = new ArrayList<>();
      for (Function<TopK, IndexBuilder> index :
          List.<Function<TopK, IndexBuilder>>of(ExactIndex::with, indices.get(0), indices.get(1))) {
        withScorer(
            fakes,
            2,
            index,
            (scorer, scope) -> {
              scorer.place(0, new AddedItems.Kin(new int[] {3, 5}, new float[] {0.75f, 0.25f}));
              PoolScores scores = scorer.score(scope, users());
              found.add(scorer.rank(scope, scores, weights, 15, ExcludedItems.NONE).scores());
              found.add(scorer.rankSingle(scope, scores, 0, 15, ExcludedItems.NONE).scores());
            });
      }
      for (int i = 2; i < found.size(); i++) {
        assertThat(found.get(i)).as("lists %d", i).containsExactly(found.get(i % 2), within(1e-4f));
      }
    }
  }

  @Test
  void rawScoresAndMomentsAreThoseOfTheStrategies() {
    Random random = new Random(7);
    List<Fake> fakes =
        List.of(
            Fake.random(random, 8, 0), Fake.random(random, 0, 0.1), Fake.random(random, 5, 0.3));
    int n = 9;
    int[] candidates = new int[USERS * n];
    for (int i = 0; i < candidates.length; i++) {
      candidates[i] = i % n == n - 1 ? -1 : random.nextInt(ITEMS);
    }
    withScorer(
        fakes,
        (scorer, scope) -> {
          PoolScores scores = scorer.score(scope, users());
          float[] raw = scorer.raw(scope, scores, candidates);
          for (int u = 0; u < USERS; u++) {
            for (int m = 0; m < fakes.size(); m++) {
              double[] all = fakes.get(m).scoresOf(u);
              double mean = IntStream.range(0, ITEMS).mapToDouble(i -> all[i]).average().orElse(0);
              double variance =
                  IntStream.range(0, ITEMS)
                      .mapToDouble(i -> (all[i] - mean) * (all[i] - mean))
                      .average()
                      .orElse(0);
              int i = u * fakes.size() + m;
              assertThat((double) scores.means()[i]).isCloseTo(mean, within(1e-5));
              assertThat((double) scores.deviations()[i])
                  .isCloseTo(Math.sqrt(variance), within(1e-4));
              for (int c = 0; c < n; c++) {
                int item = candidates[u * n + c];
                assertThat((double) raw[(u * n + c) * fakes.size() + m])
                    .isCloseTo(item < 0 ? 0 : all[item], within(1e-5));
              }
            }
          }
        });
  }

  @Test
  void aSingleStrategyRanksAsItWouldAlone() {
    Random random = new Random(11);
    List<Fake> fakes = List.of(Fake.random(random, 4, 0.2), Fake.random(random, 0, 0.5));
    withScorer(
        fakes,
        (scorer, scope) -> {
          PoolScores scores = scorer.score(scope, users());
          for (int m = 0; m < fakes.size(); m++) {
            RankedLists lists = scorer.rankSingle(scope, scores, m, 3, ExcludedItems.NONE);
            for (int u = 0; u < USERS; u++) {
              double[] all = fakes.get(m).scoresOf(u);
              double best = IntStream.range(0, ITEMS).mapToDouble(i -> all[i]).max().orElse(0);
              assertThat((double) lists.scores()[u * 3]).isCloseTo(best, within(1e-5));
            }
          }
        });
  }

  private interface Body {
    void run(FusedScorer scorer, Scope scope);
  }

  private static void withScorer(List<Fake> fakes, Body body) {
    withScorer(fakes, 0, ExactIndex::with, body);
  }

  private static void withScorer(
      List<Fake> fakes, int spare, Function<TopK, IndexBuilder> index, Body body) {
    TensorThreads.run(
        () -> {
          List<StrategyPool.Member> members = new ArrayList<>();
          for (Fake fake : fakes) {
            members.add(new StrategyPool.Member("s" + members.size(), fake.open(), 0));
          }
          try (StrategyPool pool = new StrategyPool(members);
              TopK topK = new TopK();
              FusedScorer scorer = new FusedScorer(pool, topK, spare, index.apply(topK));
              Scope scope = Scope.open(Device.cpu())) {
            body.run(scorer, scope);
          }
        });
  }

  private static List<UserState> users() {
    return IntStream.range(0, USERS).mapToObj(u -> new UserState(u, new int[0])).toList();
  }

  private static double[][] naive(List<Fake> fakes, float[] weights) {
    double[][] mixed = new double[USERS][ITEMS];
    for (int u = 0; u < USERS; u++) {
      for (int m = 0; m < fakes.size(); m++) {
        double[] scores = fakes.get(m).scoresOf(u);
        double mean = IntStream.range(0, ITEMS).mapToDouble(i -> scores[i]).average().orElse(0);
        double variance = 0;
        for (double score : scores) {
          variance += (score - mean) * (score - mean) / ITEMS;
        }
        if (variance < 1e-9) {
          continue;
        }
        for (int i = 0; i < ITEMS; i++) {
          mixed[u][i] += weights[u * fakes.size() + m] * (scores[i] - mean) / Math.sqrt(variance);
        }
      }
    }
    return mixed;
  }

  /** A strategy whose parts are tables of random numbers. */
  private record Fake(int width, float[] queries, float[] vectors, float[] sparse) {

    static Fake random(Random random, int width, double share) {
      float[] queries = new float[USERS * width];
      float[] vectors = new float[ITEMS * width];
      float[] sparse = new float[USERS * ITEMS];
      for (int i = 0; i < queries.length; i++) {
        queries[i] = (float) random.nextGaussian();
      }
      for (int i = 0; i < vectors.length; i++) {
        vectors[i] = (float) random.nextGaussian() + 0.3f;
      }
      for (int i = 0; i < sparse.length; i++) {
        sparse[i] = random.nextDouble() < share ? (float) random.nextGaussian() : 0;
      }
      return new Fake(width, queries, vectors, sparse);
    }

    static Fake constant() {
      float[] queries = new float[USERS];
      float[] vectors = new float[ITEMS];
      Arrays.fill(queries, 0.7f);
      Arrays.fill(vectors, 3.1f);
      return new Fake(1, queries, vectors, new float[USERS * ITEMS]);
    }

    double[] scoresOf(int user) {
      double[] scores = new double[ITEMS];
      for (int i = 0; i < ITEMS; i++) {
        scores[i] = sparse[user * ITEMS + i];
        for (int d = 0; d < width; d++) {
          scores[i] += (double) queries[user * width + d] * vectors[i * width + d];
        }
      }
      return scores;
    }

    FittedStrategy open() {
      Scope scope = Scope.open(Device.cpu());
      NDArray table = width == 0 ? null : HostArrays.floats(scope.manager(), vectors, ITEMS, width);
      return new Open(this, scope, table);
    }
  }

  private record Open(Fake fake, Scope scope, @Nullable NDArray table)
      implements FittedStrategy, DenseScores, SparseScores {

    @Override
    public String type() {
      return "fake";
    }

    @Override
    public int numItems() {
      return ITEMS;
    }

    @Override
    public Optional<DenseScores> dense() {
      return table == null ? Optional.empty() : Optional.of(this);
    }

    @Override
    public Optional<SparseScores> sparse() {
      return Optional.of(this);
    }

    @Override
    public NDArray itemVectors() {
      if (table == null) {
        throw new IllegalStateException("no dense part");
      }
      return table;
    }

    @Override
    public NDArray queries(Scope request, List<UserState> users) {
      float[] rows = new float[users.size() * fake.width()];
      for (int i = 0; i < users.size(); i++) {
        System.arraycopy(
            fake.queries(),
            users.get(i).userIndex() * fake.width(),
            rows,
            i * fake.width(),
            fake.width());
      }
      return HostArrays.floats(request.manager(), rows, users.size(), fake.width());
    }

    @Override
    public void score(UserState user, ScoreSums into) {
      for (int i = 0; i < ITEMS; i++) {
        float value = fake.sparse()[user.userIndex() * ITEMS + i];
        if (value != 0) {
          into.add(i, value);
        }
      }
    }

    @Override
    public String configJson() {
      return "{}";
    }

    @Override
    public List<TensorSource> tensors() {
      return List.of();
    }

    @Override
    public void close() {
      scope.close();
    }
  }
}
