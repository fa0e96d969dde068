package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every index must do, against scores in double precision. */
abstract class IndexContract {

  static final int D = 20;
  private static final int ITEMS = 4001;
  private static final int QUERIES = 40;
  private static final int K = 20;

  /** Rounding of D products whose sum of sizes is below 100, and of the sum: 22 * 100 * 2^-24. */
  private static final double ROUNDING = 2e-4;

  final TopK topK = new TopK(TopKOptions.builder().threads(2).temporaryBytes(1 << 20).build());
  private long scopesBefore;

  abstract IndexBuilder builder();

  /** The share of the best k that must be found in catalogues that are not tiny. */
  abstract double recall();

  @BeforeEach
  void countScopes() {
    scopesBefore = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    topK.close();
    assertThat(Scope.liveScopes()).isEqualTo(scopesBefore);
  }

  /** What an index over some items is asked, on a tensor thread. */
  interface Body {
    void run(ItemIndex index, NDArray items, Scope scope);
  }

  void withIndex(Data data, int fixed, Body body) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray items = HostArrays.floats(scope.manager(), data.items, data.numItems(), D);
            float[] ones = new float[D];
            Arrays.fill(ones, 1);
            try (ItemIndex index = builder().build(new IndexedItems(items, fixed, ones))) {
              assertThat(index.numItems()).isEqualTo(data.numItems());
              body.run(index, items, scope);
            }
          }
        });
  }

  /** Vectors in clusters whose lengths differ, and queries. */
  record Data(float[] items, float[] queries) {

    static Data random(long seed, int numItems, int numQueries) {
      Random random = new Random(seed);
      float[] centres = normal(random, 30 * D);
      float[] items = normal(random, numItems * D);
      for (int item = 0; item < numItems; item++) {
        int centre = random.nextInt(30) * D;
        double length = Math.exp(random.nextGaussian() / 4);
        for (int d = 0; d < D; d++) {
          items[item * D + d] =
              (float) (length * (0.3 + centres[centre + d] + items[item * D + d] / 2));
        }
      }
      return new Data(items, normal(random, numQueries * D));
    }

    private static float[] normal(Random random, int n) {
      float[] values = new float[n];
      for (int i = 0; i < n; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return values;
    }

    int numItems() {
      return items.length / D;
    }

    double score(int query, int item) {
      double sum = 0;
      for (int d = 0; d < D; d++) {
        sum += (double) queries[query * D + d] * items[item * D + d];
      }
      return sum;
    }

    NDArray queries(Scope scope) {
      return HostArrays.floats(scope.manager(), queries, queries.length / D, D);
    }
  }

  /** The share of the best k that the lists hold; fails if anything else is wrong with them. */
  static double recall(
      RankedLists lists, Data data, int k, int[][] excluded, @Nullable SparseRows added) {
    int wanted = 0;
    int found = 0;
    for (int list = 0; list < lists.size(); list++) {
      int row = list;
      int[] out = excluded[list];
      double[] scores = new double[data.numItems()];
      Arrays.setAll(
          scores,
          item ->
              Arrays.binarySearch(out, item) >= 0
                  ? Double.NEGATIVE_INFINITY
                  : data.score(row, item) + (added == null ? 0 : added.get(row, item)));
      double[] sorted = scores.clone();
      Arrays.sort(sorted);
      int eligible = (int) Arrays.stream(scores).filter(Double::isFinite).count();
      int length = Math.min(k, eligible);
      int[] items = lists.itemsOf(list);
      float[] listed = lists.scoresOf(list);
      assertThat(items).as("list %d", list).hasSize(length).doesNotHaveDuplicates();
      double last = length == 0 ? 0 : sorted[scores.length - length];
      for (int i = 0; i < length; i++) {
        assertThat(scores[items[i]]).as("list %d, place %d", list, i).isFinite();
        assertThat((double) listed[i]).isCloseTo(scores[items[i]], within(ROUNDING));
        if (i > 0) {
          assertThat(listed[i]).as("list %d, place %d", list, i).isLessThanOrEqualTo(listed[i - 1]);
        }
        found += scores[items[i]] >= last - ROUNDING ? 1 : 0;
      }
      wanted += length;
    }
    return (double) found / wanted;
  }

  @Test
  void findsTheBest() {
    for (long seed = 1; seed <= 3; seed++) {
      Data data = Data.random(seed, ITEMS, QUERIES);
      int[][] none = new int[QUERIES][0];
      withIndex(
          data,
          ITEMS,
          (index, items, scope) -> {
            for (int k : new int[] {1, K, 100}) {
              RankedLists lists = index.search(data.queries(scope), k, ExcludedItems.NONE);
              assertThat(recall(lists, data, k, none, null))
                  .as("k %d", k)
                  .isGreaterThanOrEqualTo(recall());
            }
          });
    }
  }

  @Test
  void whatIsExcludedIsNotFound() {
    Data data = Data.random(4, ITEMS, QUERIES);
    Random random = new Random(4);
    int[][] excluded = new int[QUERIES][];
    for (int list = 0; list < QUERIES; list++) {
      // From a few to nearly all of the best items, and sometimes everything but three.
      int every = 1 + random.nextInt(5);
      excluded[list] =
          list % 8 == 7
              ? IntStream.range(3, ITEMS).toArray()
              : IntStream.range(0, ITEMS).filter(i -> i % every == 0).toArray();
    }
    excluded[0] = IntStream.range(0, ITEMS).toArray();
    withIndex(
        data,
        ITEMS,
        (index, items, scope) -> {
          RankedLists rows = index.search(data.queries(scope), K, ExcludedItems.of(excluded));
          assertThat(recall(rows, data, K, excluded, null)).isGreaterThanOrEqualTo(recall());
          RankedLists masks = index.search(data.queries(scope), K, masks(excluded));
          assertThat(masks.items()).isEqualTo(rows.items());
        });
  }

  private static ExcludedItems masks(int[][] excluded) {
    return new ExcludedItems() {
      @Override
      public int[] of(int list) {
        return new int[0];
      }

      @Override
      public long[] mask(int list) {
        long[] mask = new long[ITEMS / Long.SIZE + 2];
        for (int item : excluded[list]) {
          mask[item / Long.SIZE] |= 1L << item;
        }
        return mask;
      }
    };
  }

  @Test
  void sparseScoresAreMergedExactly() {
    Data data = Data.random(5, ITEMS, QUERIES);
    Random random = new Random(5);
    int[] starts = new int[QUERIES + 1];
    List<Integer> items = new ArrayList<>();
    List<Float> values = new ArrayList<>();
    int[][] excluded = new int[QUERIES][];
    for (int list = 0; list < QUERIES; list++) {
      int size = list % 5 == 0 ? ITEMS / 2 : random.nextInt(30);
      random
          .ints(0, ITEMS)
          .distinct()
          .limit(size)
          .sorted()
          .forEach(
              item -> {
                items.add(item);
                values.add((float) (8 * random.nextGaussian()));
              });
      starts[list + 1] = items.size();
      excluded[list] = random.ints(50, 0, ITEMS).distinct().sorted().toArray();
    }
    float[] sparse = new float[values.size()];
    for (int i = 0; i < sparse.length; i++) {
      sparse[i] = values.get(i);
    }
    SparseRows added =
        new SparseRows(starts, items.stream().mapToInt(Integer::intValue).toArray(), sparse);
    withIndex(
        data,
        ITEMS - 7,
        (index, vectors, scope) -> {
          RankedLists lists =
              index.search(data.queries(scope), K, ExcludedItems.of(excluded), added);
          assertThat(recall(lists, data, K, excluded, added)).isGreaterThanOrEqualTo(recall());
        });
  }

  @Test
  void itemsThatChangeAreFoundAsTheyAre() {
    Data data = Data.random(6, ITEMS, QUERIES);
    int fixed = ITEMS - 9;
    withIndex(
        data,
        fixed,
        (index, items, scope) -> {
          for (int item = fixed; item < ITEMS; item++) {
            // Good for query item - fixed.
            for (int d = 0; d < D; d++) {
              data.items[item * D + d] = 2 * data.queries[(item - fixed) * D + d];
            }
          }
          float[] tail = Arrays.copyOfRange(data.items, fixed * D, ITEMS * D);
          NDArray rows = HostArrays.floats(scope.manager(), tail, ITEMS - fixed, D);
          items.set(new NDIndex("{}:{}", fixed, ITEMS), rows);
          RankedLists lists = index.search(data.queries(scope), K, ExcludedItems.NONE);
          assertThat(recall(lists, data, K, new int[QUERIES][0], null))
              .isGreaterThanOrEqualTo(recall());
          for (int query = 0; query < ITEMS - fixed; query++) {
            assertThat(lists.itemsOf(query)).contains(fixed + query);
          }
        });
  }

  @Test
  void smallCataloguesAreSearchedExactly() {
    for (int numItems : new int[] {1, 2, 63, 64, 65}) {
      Data data = Data.random(numItems, numItems, 5);
      withIndex(
          data,
          numItems,
          (index, items, scope) -> {
            RankedLists lists = index.search(data.queries(scope), K, ExcludedItems.NONE);
            assertThat(recall(lists, data, K, new int[5][0], null)).isEqualTo(1);
          });
    }
  }

  @Test
  void equalScoresAreOrderedByItem() {
    Data data = new Data(new float[300 * D], Data.random(1, 1, 3).queries);
    withIndex(
        data,
        300,
        (index, items, scope) -> {
          RankedLists lists = index.search(data.queries(scope), 5, ExcludedItems.NONE);
          assertThat(lists.itemsOf(2)).containsExactly(0, 1, 2, 3, 4);
        });
  }

  @Test
  void nothingToDo() {
    Data none = new Data(new float[0], Data.random(1, 1, 3).queries);
    withIndex(
        none,
        0,
        (index, items, scope) ->
            assertThat(index.search(none.queries(scope), 5, ExcludedItems.NONE).lengths())
                .containsExactly(0, 0, 0));
    Data data = Data.random(2, 50, 0);
    withIndex(
        data,
        50,
        (index, items, scope) ->
            assertThat(index.search(data.queries(scope), 5, ExcludedItems.NONE).size()).isZero());
  }

  @Test
  void refusesWhatDoesNotFit() {
    Data data = Data.random(3, 700, 3);
    withIndex(
        data,
        700,
        (index, items, scope) -> {
          NDArray queries = data.queries(scope);
          NDArray narrow = HostArrays.floats(scope.manager(), new float[6], 3, 2);
          refused(() -> index.search(queries, 0, ExcludedItems.NONE), "k must be >= 1 but was 0");
          refused(() -> index.search(narrow, 1, ExcludedItems.NONE), "(3, 2)");
          refused(() -> index.search(queries, 1, list -> new int[] {2, 1}), "must be ascending");
          refused(
              () -> index.search(queries, 1, ExcludedItems.NONE, SparseRows.empty(2)),
              "a sparse row for each of 3 queries");
          float[] broken = data.queries.clone();
          broken[D + 1] = Float.NaN;
          NDArray nan = HostArrays.floats(scope.manager(), broken, 3, D);
          refused(() -> index.search(nan, 5, ExcludedItems.NONE), "list 1");
        });
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void leavesNoArrayBehindAndMayBeSharedByThreads() throws Exception {
    Data data = Data.random(7, ITEMS, QUERIES);
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try (Scope scope = Scope.open(Device.cpu())) {
      NDArray items =
          TensorThreads.call(
              () -> HostArrays.floats(scope.manager(), data.items, data.numItems(), D));
      NDArray queries = TensorThreads.call(() -> data.queries(scope));
      int arrays = scope.manager().getManagedArrays().size();
      try (ItemIndex index = builder().build(IndexedItems.of(items))) {
        RankedLists expected = index.search(queries, K, ExcludedItems.NONE);
        List<Callable<RankedLists>> calls = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          calls.add(() -> index.search(queries, K, ExcludedItems.NONE));
        }
        for (Future<RankedLists> future : callers.invokeAll(calls)) {
          assertThat(future.get().items()).isEqualTo(expected.items());
        }
      }
      assertThat(scope.manager().getManagedArrays()).as("arrays left behind").hasSize(arrays);
    } finally {
      callers.shutdownNow();
    }
  }
}
