package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.DeviceMemoryException;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The device's way with little memory, on the CPU. */
class DeviceSearcherTest {

  private long scopesBefore;

  @BeforeEach
  void countScopes() {
    scopesBefore = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    assertThat(Scope.liveScopes()).isEqualTo(scopesBefore);
  }

  /** What is searched, with scores that are exact in float32 in whatever order they are summed. */
  private record Case(
      float[] queries,
      float[] items,
      int d,
      int k,
      int[][] excluded,
      long @Nullable [][] masks,
      @Nullable SparseRows added) {

    int numLists() {
      return queries.length / d;
    }

    int numItems() {
      return items.length / d;
    }

    ExcludedItems exclusions() {
      return new ExcludedItems() {
        @Override
        public int[] of(int list) {
          return excluded[list];
        }

        @Override
        public long @Nullable [] mask(int list) {
          return masks == null ? null : masks[list];
        }
      };
    }

    boolean isExcluded(int list, int item) {
      long[] mask = masks == null ? null : masks[list];
      return Arrays.binarySearch(excluded[list], item) >= 0
          || (mask != null && item / 64 < mask.length && (mask[item / 64] >> item & 1) == 1);
    }

    float score(int list, int item) {
      float sum = 0;
      for (int x = 0; x < d; x++) {
        sum += queries[list * d + x] * items[item * d + x];
      }
      return sum + (added == null ? 0f : added.get(list, item)) + 0f;
    }

    /** By sorting everything. */
    int[] best(int list) {
      return IntStream.range(0, numItems())
          .filter(item -> !isExcluded(list, item) && !Float.isNaN(score(list, item)))
          .boxed()
          .sorted(
              Comparator.<Integer>comparingDouble(item -> -score(list, item))
                  .thenComparingInt(item -> item))
          .limit(k)
          .mapToInt(item -> item)
          .toArray();
    }

    void check(RankedLists lists, String what) {
      for (int list = 0; list < numLists(); list++) {
        int[] best = best(list);
        assertThat(lists.itemsOf(list)).as("%s, list %d", what, list).isEqualTo(best);
        for (int i = 0; i < best.length; i++) {
          assertThat(lists.scoresOf(list)[i])
              .as("%s, list %d, place %d", what, list, i)
              .isEqualTo(score(list, best[i]));
        }
      }
    }
  }

  private static Case random(long seed) {
    Random random = new Random(seed);
    int d = 1 + random.nextInt(6);
    int numLists = 1 + random.nextInt(40);
    int numItems = 1 + random.nextInt(seed % 2 == 0 ? 100 : 5000);
    int k = 1 + random.nextInt(seed % 3 == 0 ? numItems : 1 + numItems / 10);
    // From few different scores to many, and some queries that know nothing.
    int bound = 1 + random.nextInt(seed % 4 == 0 ? 2 : 500);
    float[] queries = integers(random, numLists * d, bound);
    Arrays.fill(queries, 0, d, 0f);
    float[] items = integers(random, numItems * d, bound);
    int[][] excluded = new int[numLists][];
    long[][] masks = seed % 5 < 2 ? null : new long[numLists][];
    long[] shared = random.longs((numItems + 63) / 64).toArray();
    int[] starts = new int[numLists + 1];
    List<Integer> sparse = new ArrayList<>();
    for (int list = 0; list < numLists; list++) {
      int rarely = 1 + random.nextInt(50);
      excluded[list] =
          IntStream.range(-2, numItems + 2).filter(item -> random.nextInt(rarely) == 0).toArray();
      if (masks != null) {
        masks[list] =
            switch (random.nextInt(3)) {
              case 0 -> null;
              case 1 -> shared;
              default -> random.longs(random.nextInt(numItems / 64 + 3)).toArray();
            };
      }
      int often = 1 + random.nextInt(100);
      for (int item = 0; item < numItems; item++) {
        if (random.nextInt(often) == 0) {
          sparse.add(item);
        }
      }
      starts[list + 1] = sparse.size();
    }
    float[] values = integers(random, sparse.size(), 3 * bound * bound);
    SparseRows added =
        seed % 3 == 1
            ? null
            : new SparseRows(starts, sparse.stream().mapToInt(i -> i).toArray(), values);
    return new Case(queries, items, d, k, excluded, masks, added);
  }

  private static float[] integers(Random random, int length, int bound) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextInt(2 * bound + 1) - bound;
    }
    return values;
  }

  private static RankedLists search(DeviceSearcher searcher, Case c) {
    return search(searcher, c, ItemRows::of);
  }

  private interface Rows {
    ItemRows of(NDArray items);
  }

  private static RankedLists search(DeviceSearcher searcher, Case c, Rows rows) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDManager manager = scope.manager();
            NDArray queries = HostArrays.floats(manager, c.queries, c.numLists(), c.d);
            NDArray items = HostArrays.floats(manager, c.items, c.numItems(), c.d);
            Search search =
                Search.of(queries, rows.of(items), Device.cpu(), c.k, c.exclusions(), c.added);
            try (Scope work = scope.child()) {
              searcher.search(search, work);
              assertThat(work.manager().getManagedArrays()).as("arrays left behind").isEmpty();
            }
            assertThat(manager.getManagedArrays()).as("arrays left behind").hasSize(2);
            return search.result();
          }
        });
  }

  /** The least that holds the lists of a case, and room for a few tiles. */
  private static long little(Case c, Random random) {
    long least =
        DevicePlan.leastBytes(
            DeviceScores.Form.ORDERED, 0, Math.min(c.k + 1, c.numItems()), c.masks != null);
    return least + random.nextInt(200_000);
  }

  @Test
  void agreesWithSortingEverythingInAnyMemory() {
    for (long seed = 1; seed <= 120; seed++) {
      Case c = random(seed);
      long bytes = little(c, new Random(seed));
      AtomicLong greatest = new AtomicLong();
      DeviceSearcher searcher =
          new DeviceSearcher(bytes, scores -> greatest.accumulateAndGet(scores, Math::max));
      c.check(search(searcher, c), "seed " + seed + ", bytes " + bytes);
      // At the very least the products and what top-k makes of them.
      assertThat(greatest.get() * 2 * Float.BYTES).isLessThan(bytes);
    }
  }

  @Test
  void infinitiesAndNanHaveTheirPlaces() {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      Case c = random(2 * seed + 1);
      float[] special = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0f, -0f, Float.MIN_VALUE
      };
      float[] items = new float[c.numItems()];
      for (int i = 0; i < items.length; i++) {
        items[i] = special[random.nextInt(special.length)];
      }
      float[] queries = {1, -1, 2};
      int[][] excluded = {c.excluded[0], {}, {}};
      Case odd = new Case(queries, items, 1, Math.max(1, items.length / 3), excluded, null, null);
      c = odd;
      c.check(search(new DeviceSearcher(little(c, random)), c), "seed " + seed);
    }
  }

  /** Each float32 beside its neighbours, all equal to others: what float64 must keep apart. */
  @Test
  void neighbouringFloatsAndTheirTiesKeepTheirOrder() {
    float[] centres = {
      0f, Float.MIN_VALUE, 1f, -1f, 2f, 1.9999999f, -3e38f, Float.MAX_VALUE, 1e-30f
    };
    int copies = 700;
    float[] items = new float[5 * centres.length * copies];
    for (int i = 0; i < items.length; i++) {
      float value = centres[i / 5 % centres.length];
      for (int step = 0; step < i % 5; step++) {
        value = Math.nextDown(value);
      }
      items[i] = Float.isInfinite(value) ? -Float.MAX_VALUE : value;
    }
    for (int k : new int[] {1, copies - 1, copies + 3, 9 * copies, 30 * copies + 11}) {
      Case c = new Case(new float[] {1, -1}, items, 1, k, new int[2][0], null, null);
      c.check(search(new DeviceSearcher(little(c, new Random(k))), c), "k " + k);
    }
  }

  @Test
  void onlyUndecidedListsAreSearchedAgain() {
    float[] items = new float[4000];
    for (int i = 0; i < items.length; i++) {
      items[i] = (i * 2741) % items.length;
    }
    float[] queries = {1, 0, -1, 3};
    Case c = new Case(queries, items, 1, 10, new int[4][0], null, null);
    List<Long> tiles = new ArrayList<>();
    c.check(search(new DeviceSearcher(1 << 20, tiles::add), c), "one tie");
    long plain = 4 * 4000;
    assertThat(tiles.stream().mapToLong(n -> n).sum()).isEqualTo(plain + 4000);
  }

  @Test
  void tooLittleMemoryForOneListIsRefused() {
    Case c = random(3);
    assertThatThrownBy(() -> search(new DeviceSearcher(300), c))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a list of " + c.k + " of " + c.numItems())
        .hasMessageContaining("on cpu but may use 300")
        .hasMessageContaining("raise temporaryBytes");
  }

  @Test
  void refusedMemoryHalvesTheTilesAndIsRemembered() {
    Case c = random(11);
    AtomicInteger refusals = new AtomicInteger();
    AtomicLong limit = new AtomicLong(2000);
    DeviceSearcher searcher =
        new DeviceSearcher(
            1 << 22,
            scores -> {
              if (scores > limit.get()) {
                refusals.incrementAndGet();
                throw new EngineException("CUDA out of memory. Tried to allocate 2.00 GiB");
              }
            });
    c.check(search(searcher, c), "with refusals");
    assertThat(refusals.get()).isPositive();
    assertThat(searcher.bytes(Device.cpu())).isLessThan(1 << 22);
    int before = refusals.get();
    c.check(search(searcher, c), "once more");
    assertThat(refusals.get()).isEqualTo(before);
    limit.set(0);
    assertThatThrownBy(() -> search(searcher, c))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageContaining("cpu has not enough free memory to search " + c.numItems() + " items")
        .hasMessageContaining("free memory there")
        .hasCauseInstanceOf(EngineException.class);
  }

  @Test
  void otherFailuresPassThrough() {
    DeviceSearcher searcher =
        new DeviceSearcher(
            1 << 22,
            scores -> {
              throw new EngineException("device-side assert");
            });
    assertThatThrownBy(() -> search(searcher, random(11)))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("device-side assert");
    assertThat(searcher.bytes(Device.cpu())).isEqualTo(1 << 22);
  }

  /** A refusal by libtorch itself: no machine has so much memory, so it fails at once. */
  @Test
  void libtorchRefusesMemoryInTheWayThatIsUnderstood() {
    Random random = new Random(13);
    float[] values = integers(random, 5000 * 2, 30);
    Case c = new Case(integers(random, 20, 30), values, 2, 5, new int[10][0], null, null);
    AtomicInteger made = new AtomicInteger();
    DeviceSearcher searcher = new DeviceSearcher(1 << 22, scores -> made.incrementAndGet());
    int most = 1500;
    c.check(search(searcher, c, items -> new Fails(items, most)), "rows refused");
    assertThat(searcher.bytes(Device.cpu())).isLessThan(1 << 22);
    assertThat(made.get()).isGreaterThan(3);
    assertThatThrownBy(() -> search(searcher, c, items -> new Fails(items, 0)))
        .isInstanceOf(DeviceMemoryException.class);
  }

  /** Rows that ask libtorch for an absurd array where too many are wanted at once. */
  private record Fails(NDArray items, int most) implements ItemRows {

    @Override
    public int size() {
      return (int) items.getShape().get(0);
    }

    @Override
    public int dimension() {
      return (int) items.getShape().get(1);
    }

    @Override
    public long bytesPerRow() {
      return 0;
    }

    @Override
    public NDArray rows(int from, int to, Scope scope) {
      if (to - from > most) {
        return scope.manager().create(new Shape(1L << 50), DataType.FLOAT32);
      }
      return Tiles.rows(items, from, to, scope);
    }
  }
}
