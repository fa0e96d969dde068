package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.TopKOptions.Method;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** All ways to search against sorting everything. */
class TopKTest {

  private static final long SMALLEST = 1 << 20;

  private long scopesBefore;

  @BeforeEach
  void countScopes() {
    scopesBefore = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    assertThat(Scope.liveScopes()).isEqualTo(scopesBefore);
  }

  private static TopK topK(Method method, int threads, long temporaryBytes) {
    return new TopK(
        TopKOptions.builder()
            .method(method)
            .threads(threads)
            .temporaryBytes(temporaryBytes)
            .build());
  }

  private static RankedLists search(
      TopK topK, float[] queries, float[] items, int d, int k, int[][] excluded) {
    return search(topK, queries, items, d, k, ExcludedItems.of(excluded));
  }

  private static RankedLists search(
      TopK topK, float[] queries, float[] items, int d, int k, ExcludedItems excluded) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray q = HostArrays.floats(scope.manager(), queries, queries.length / d, d);
            NDArray v = HostArrays.floats(scope.manager(), items, items.length / d, d);
            int arrays = scope.manager().getManagedArrays().size();
            RankedLists lists = topK.search(q, v, k, excluded);
            assertThat(scope.manager().getManagedArrays()).as("arrays left behind").hasSize(arrays);
            return lists;
          }
        });
  }

  /** Sorts all eligible items by score and index. The scores must be exact in float. */
  private static void check(
      RankedLists lists,
      float[] queries,
      float[] items,
      int d,
      int k,
      int[][] excluded,
      String what) {
    int numItems = items.length / d;
    int numLists = queries.length / d;
    assertThat(lists.k()).isEqualTo(k);
    assertThat(lists.size()).isEqualTo(numLists);
    for (int list = 0; list < numLists; list++) {
      float[] scores = new float[numItems];
      for (int item = 0; item < numItems; item++) {
        double sum = 0;
        for (int x = 0; x < d; x++) {
          sum += (double) queries[list * d + x] * items[item * d + x];
        }
        scores[item] = (float) sum + 0f;
      }
      boolean[] out = new boolean[numItems];
      for (int item : excluded[list]) {
        if (item >= 0 && item < numItems) {
          out[item] = true;
        }
      }
      int[] expected =
          IntStream.range(0, numItems)
              .filter(item -> !out[item] && !Float.isNaN(scores[item]))
              .boxed()
              .sorted(
                  Comparator.<Integer>comparingDouble(item -> -scores[item])
                      .thenComparingInt(item -> item))
              .limit(k)
              .mapToInt(item -> item)
              .toArray();
      String where = what + ", list " + list;
      assertThat(lists.itemsOf(list)).as(where).isEqualTo(expected);
      float[] expectedScores = new float[expected.length];
      for (int i = 0; i < expected.length; i++) {
        expectedScores[i] = scores[expected[i]];
      }
      assertThat(lists.scoresOf(list)).as(where).isEqualTo(expectedScores);
      if (expected.length < k) {
        assertThat(lists.items()[list * k + expected.length]).as(where).isEqualTo(-1);
        assertThat(lists.scores()[list * k + expected.length])
            .as(where)
            .isEqualTo(Float.NEGATIVE_INFINITY);
      }
    }
  }

  /** Small integers: every product is exact in any order of summation, and ties abound. */
  private static float[] integers(Random random, int length, int bound) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextInt(2 * bound + 1) - bound;
    }
    return values;
  }

  private static int[][] excluded(Random random, int lists, int numItems) {
    int[][] rows = new int[lists][];
    for (int list = 0; list < lists; list++) {
      rows[list] =
          switch (random.nextInt(4)) {
            case 0 -> new int[0];
            case 1 -> random.ints(30, -3, numItems + 3).sorted().toArray();
            case 2 -> IntStream.range(0, numItems).filter(i -> random.nextInt(3) > 0).toArray();
            default -> random.ints(3, 0, numItems).sorted().distinct().toArray();
          };
    }
    return rows;
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void agreesWithSortingEverything(Method method) {
    int seed = 0;
    for (int numItems : new int[] {1, 207, 702, 9001}) {
      for (int numLists : new int[] {1, 7, 300}) {
        for (int d : new int[] {1, 3, 64}) {
          for (int k : new int[] {1, 10, numItems, numItems + 5}) {
            if ((long) numLists * Math.min(k, numItems) > 200_000
                || (long) numLists * numItems * (d + 20) > 60_000_000) {
              continue; // the oracle would take minutes
            }
            Random random = new Random(++seed);
            float[] queries = integers(random, numLists * d, 1 + seed % 40);
            float[] items = integers(random, numItems * d, 1 + seed % 40);
            int[][] excluded = excluded(random, numLists, numItems);
            try (TopK topK = topK(method, 1 + seed % 3, SMALLEST << (seed % 2))) {
              check(
                  search(topK, queries, items, d, k, excluded),
                  queries,
                  items,
                  d,
                  k,
                  excluded,
                  "I %d, B %d, D %d, k %d, seed %d".formatted(numItems, numLists, d, k, seed));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void masksExcludeLikeRows(Method method) {
    for (int seed = 1; seed <= 12; seed++) {
      Random random = new Random(seed);
      int numItems = seed % 3 == 0 ? 63 + seed : 4001 + seed;
      float[] queries = integers(random, 9 * 5, 20);
      float[] items = integers(random, numItems * 5, 20);
      int[][] excluded = excluded(random, 9, numItems);
      excluded[4] = IntStream.range(0, numItems).toArray();
      excluded[5] = IntStream.range(1, numItems).toArray();
      ExcludedItems split = splitAtRandom(random, excluded, numItems);
      try (TopK topK = topK(method, 2, SMALLEST)) {
        check(
            search(topK, queries, items, 5, 20, split),
            queries,
            items,
            5,
            20,
            excluded,
            "seed " + seed);
      }
    }
  }

  /** Moves some of the items into masks, leaves some in the rows, and some are in both. */
  private static ExcludedItems splitAtRandom(Random random, int[][] excluded, int numItems) {
    int[][] rows = new int[excluded.length][];
    long[][] masks = new long[excluded.length][];
    for (int list = 0; list < rows.length; list++) {
      long[] mask = new long[random.nextBoolean() ? numItems / 64 + 2 : numItems / 128];
      rows[list] =
          Arrays.stream(excluded[list])
              .filter(
                  item -> {
                    boolean fits = item >= 0 && item / 64 < mask.length && random.nextInt(3) > 0;
                    if (fits) {
                      mask[item / 64] |= 1L << item;
                    }
                    return !fits || random.nextInt(3) == 0;
                  })
              .toArray();
      masks[list] = mask;
    }
    return new ExcludedItems() {
      @Override
      public int[] of(int list) {
        return rows[list];
      }

      @Override
      public long[] mask(int list) {
        return masks[list];
      }
    };
  }

  @Test
  void bothMethodsAgreeOnManyTiles() {
    // More lists and items than a tile of either method; exact products, so no rounding differs.
    Random random = new Random(99);
    int numLists = 1100;
    int numItems = 20_011;
    int d = 20;
    float[] queries = integers(random, numLists * d, 1000);
    float[] items = integers(random, numItems * d, 500);
    int[][] excluded = excluded(random, numLists, 60);
    try (TopK blas = topK(Method.BLAS, 2, 256 << 20);
        TopK host = topK(Method.HOST, 2, 256 << 20);
        TopK device = topK(Method.DEVICE, 1, 16 << 20)) {
      RankedLists lists = search(blas, queries, items, d, 50, excluded);
      for (TopK other : List.of(host, device)) {
        RankedLists same = search(other, queries, items, d, 50, excluded);
        assertThat(lists.items()).isEqualTo(same.items());
        assertThat(lists.scores()).isEqualTo(same.scores());
      }
      int[] some = {0, 517, 1099};
      for (int list : some) {
        RankedLists one =
            new RankedLists(50, lists.itemsOf(list), lists.scoresOf(list), new int[] {50});
        check(
            one,
            Arrays.copyOfRange(queries, list * d, (list + 1) * d),
            items,
            d,
            50,
            new int[][] {excluded[list]},
            "row " + list);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void equalScoresAndSignedZeros(Method method) {
    int numItems = 5000;
    float[] items = new float[numItems];
    try (TopK topK = topK(method, 2, SMALLEST)) {
      for (float query : new float[] {0, 1, -1}) {
        for (float value : new float[] {0f, -0f, 2f, -3f}) {
          Arrays.fill(items, value);
          for (int i = 0; i < numItems; i += 3) {
            items[i] = value == 0 ? -value : value; // 0.0 beside -0.0
          }
          int[][] excluded = {{0, 2, 7}};
          check(
              search(topK, new float[] {query}, items, 1, 9, excluded),
              new float[] {query},
              items,
              1,
              9,
              excluded,
              "query " + query + ", value " + value);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void orderedScoresAreTheWorstCaseOfASelection(Method method) {
    int numItems = 9001;
    float[] items = new float[numItems];
    int[][] excluded = {{}, {}};
    float[] queries = {1, -1};
    for (int i = 0; i < numItems; i++) {
      items[i] = i - 4000;
    }
    try (TopK topK = topK(method, 2, SMALLEST)) {
      for (int k : new int[] {1, 100, 5000}) {
        check(
            search(topK, queries, items, 1, k, excluded), queries, items, 1, k, excluded, "k " + k);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void infinitiesAreRanked(Method method) {
    int numItems = 3000;
    Random random = new Random(5);
    float[] items = integers(random, numItems, 100);
    items[7] = Float.POSITIVE_INFINITY;
    items[2999] = Float.POSITIVE_INFINITY;
    items[1] = Float.NEGATIVE_INFINITY;
    float[] queries = {1, -1};
    try (TopK topK = topK(method, 2, SMALLEST)) {
      for (int k : new int[] {1, 5, numItems}) {
        int[][] excluded = {{7}, {3, 4}};
        check(
            search(topK, queries, items, 1, k, excluded), queries, items, 1, k, excluded, "k " + k);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void nanIsNeverRankedAndNeverHidden(Method method) {
    int numItems = 3000;
    float[] items = new float[numItems];
    for (int i = 0; i < numItems; i++) {
      items[i] = (i * 7919) % numItems; // distinct: no tie sends the row to the host
    }
    items[5] = Float.NaN;
    items[17] = Float.intBitsToFloat(0xffc00000);
    float[] queries = {2};
    int[][] none = {{}};
    try (TopK topK = topK(method, 2, SMALLEST)) {
      check(search(topK, queries, items, 1, 20, none), queries, items, 1, 20, none, "NaN");
      assertThatThrownBy(() -> search(topK, queries, items, 1, numItems, none))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("list 0")
          .hasMessageContaining("2998 of 3000");
      // Excluded, they are no loss.
      int[][] both = {{5, 17}};
      check(search(topK, queries, items, 1, numItems, both), queries, items, 1, numItems, both, "");
      assertThatThrownBy(() -> search(topK, new float[] {Float.NaN}, items, 1, 1, none))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("NaN");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void everythingExcluded(Method method) {
    int[] all = IntStream.range(0, 702).toArray();
    float[] items = integers(new Random(1), 702, 5);
    try (TopK topK = topK(method, 2, SMALLEST)) {
      RankedLists lists = search(topK, new float[] {1, 1}, items, 1, 3, new int[][] {all, {}});
      assertThat(lists.itemsOf(0)).isEmpty();
      assertThat(lists.itemsOf(1)).hasSize(3);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void realScoresOfRealSizesDifferByRoundingOnly(Method method) {
    Random random = new Random(8);
    int d = 64;
    int numItems = 9001;
    int numLists = 300;
    float[] queries = new float[numLists * d];
    float[] items = new float[numItems * d];
    for (int i = 0; i < queries.length; i++) {
      queries[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < items.length; i++) {
      items[i] = (float) random.nextGaussian();
    }
    try (TopK topK = topK(method, 2, 8 << 20)) {
      RankedLists lists = search(topK, queries, items, d, 10, new int[numLists][0]);
      for (int list = 0; list < numLists; list++) {
        double[] exact = new double[numItems];
        for (int item = 0; item < numItems; item++) {
          for (int x = 0; x < d; x++) {
            exact[item] += (double) queries[list * d + x] * items[item * d + x];
          }
        }
        double[] sorted = exact.clone();
        Arrays.sort(sorted);
        int[] found = lists.itemsOf(list);
        for (int i = 0; i < 10; i++) {
          // 64 products below 20, each sum rounded to 2^-24 of at most 60: 64 * 60 * 2^-24 = 2e-4.
          assertThat(exact[found[i]])
              .as("list %d, place %d", list, i)
              .isBetween(sorted[numItems - 1 - i] - 4e-4, sorted[numItems - 1 - i] + 4e-4);
          assertThat(lists.scoresOf(list)[i])
              .isBetween((float) exact[found[i]] - 2e-4f, (float) exact[found[i]] + 2e-4f);
        }
      }
    }
  }

  /** Threads overtake each other from band to band, and each has candidates of its own. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 40, 300})
  void threadsThatShareListsKeepTheLowerOfEqualItems(int numLists) {
    int numItems = 20_000;
    Random random = new Random(numLists);
    float[] queries = new float[numLists];
    float[] items = new float[numItems];
    Arrays.fill(queries, 1);
    int[][] excluded = excluded(random, numLists, 60);
    try (TopK topK = topK(Method.BLAS, 8, SMALLEST)) {
      for (int repeat = 0; repeat < 8; repeat++) {
        for (int i = 0; i < numItems; i++) {
          items[i] = random.nextInt(1 + repeat);
        }
        RankedLists lists = search(topK, queries, items, 1, 700, excluded);
        for (int list : new int[] {0, numLists / 2, numLists - 1}) {
          RankedLists one =
              new RankedLists(700, lists.itemsOf(list), lists.scoresOf(list), new int[] {700});
          check(
              one,
              new float[] {1},
              items,
              1,
              700,
              new int[][] {excluded[list]},
              "repeat " + repeat);
        }
      }
    }
  }

  /** The best lie side by side where a sample takes most of them, so that it promises too much. */
  @ParameterizedTest
  @ValueSource(ints = {40, 99, 100, 101, 3000})
  void aSampleThatMisleadsCostsNoItem(int best) {
    int numItems = 40_000;
    int numLists = 150;
    Random random = new Random(best);
    float[] items = integers(random, numItems, 100);
    for (int i = 0; i < best; i++) {
      items[i] = 1000 + random.nextInt(3);
    }
    float[] queries = new float[numLists];
    int[][] excluded = excluded(random, numLists, 60);
    for (int list = 0; list < numLists; list++) {
      queries[list] = list % 3 == 2 ? -1 : 1 + list % 2;
      if (list % 5 == 0) {
        excluded[list] = IntStream.range(0, best).toArray();
      }
    }
    excluded[7] = IntStream.range(50, numItems).toArray();
    try (TopK topK = topK(Method.BLAS, 3, 256 << 20)) {
      RankedLists lists = search(topK, queries, items, 1, 100, excluded);
      for (int list : new int[] {0, 1, 2, 5, 7, 8, 127, 128, 149}) {
        RankedLists one =
            new RankedLists(
                100,
                Arrays.copyOfRange(lists.items(), list * 100, list * 100 + 100),
                Arrays.copyOfRange(lists.scores(), list * 100, list * 100 + 100),
                new int[] {lists.itemsOf(list).length});
        check(
            one,
            new float[] {queries[list]},
            items,
            1,
            100,
            new int[][] {excluded[list]},
            "list " + list);
      }
    }
  }

  @Test
  void listsTooLongForCandidatesOfEachThreadAreFoundAnotherWay() {
    int numItems = 130_000;
    float[] items = integers(new Random(2), numItems, 1000);
    float[] queries = {1, 2, -1};
    int[][] none = {{}, {}, {}};
    try (TopK topK = topK(Method.BLAS, 32, SMALLEST)) {
      RankedLists lists = search(topK, queries, items, 1, numItems, none);
      check(lists, queries, items, 1, numItems, none, "all items");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"BLAS", "HOST"})
  void manyThreadsMaySearchAtOnce(Method method) throws Exception {
    Random random = new Random(3);
    float[] queries = integers(random, 90 * 17, 9);
    float[] items = integers(random, 3000 * 17, 9);
    int[][] excluded = excluded(random, 90, 3000);
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try (TopK topK = topK(method, 3, SMALLEST)) {
      RankedLists expected = search(topK, queries, items, 17, 40, excluded);
      List<Callable<RankedLists>> calls = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        calls.add(() -> search(topK, queries, items, 17, 40, excluded));
      }
      for (Future<RankedLists> future : callers.invokeAll(calls)) {
        assertThat(future.get().items()).isEqualTo(expected.items());
      }
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void nothingToDo() {
    try (TopK topK = new TopK()) {
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              NDArray some = scope.manager().zeros(new Shape(3, 4), DataType.FLOAT32);
              NDArray none = scope.manager().zeros(new Shape(0, 4), DataType.FLOAT32);
              assertThat(topK.search(none, some, 5).size()).isZero();
              RankedLists empty = topK.search(some, none, 5);
              assertThat(empty.lengths()).containsExactly(0, 0, 0);
            }
          });
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (TopK topK = new TopK()) {
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(Device.cpu())) {
              NDArray a = scope.manager().zeros(new Shape(3, 4), DataType.FLOAT32);
              NDArray b = scope.manager().zeros(new Shape(3, 5), DataType.FLOAT32);
              NDArray flat = scope.manager().zeros(new Shape(4), DataType.FLOAT32);
              NDArray doubles = scope.manager().zeros(new Shape(3, 4), DataType.FLOAT64);
              refused(() -> topK.search(a, a, 0), "k must be >= 1 but was 0");
              refused(() -> topK.search(a, a, -3), "-3");
              refused(() -> topK.search(a, b, 1), "(3, 5)");
              refused(() -> topK.search(flat, a, 1), "queries must be a matrix");
              refused(() -> topK.search(a, doubles, 1), "items must be");
              refused(() -> topK.search(a, a, Integer.MAX_VALUE), "more than an array can hold");
              refused(
                  () -> topK.search(a, a, 1, list -> new int[] {2, 1}),
                  "excluded items of list 0 must be ascending but item 1 follows 2");
            }
          });
    }
    refused(() -> TopKOptions.builder().threads(0).build(), "threads");
    refused(() -> TopKOptions.builder().temporaryBytes(5).build(), "temporaryBytes");
  }

  private static void refused(Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }
}
