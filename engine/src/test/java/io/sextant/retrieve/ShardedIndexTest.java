package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import io.sextant.DeviceMemoryException;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.SextantException;
import io.sextant.retrieve.TopKOptions.Method;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Parts on several devices, all of them the CPU, against all items on one. */
class ShardedIndexTest {

  private static final int D = 4;

  private final TopK topK =
      new TopK(
          TopKOptions.builder().method(Method.DEVICE).threads(1).temporaryBytes(1 << 20).build());
  private long scopesBefore;

  @BeforeEach
  void countScopes() {
    scopesBefore = Scope.liveScopes();
  }

  @AfterEach
  void noScopeIsLeft() {
    topK.close();
    assertThat(Scope.liveScopes()).isEqualTo(scopesBefore);
  }

  private static List<Device> devices(int n) {
    return Collections.nCopies(n, Device.cpu());
  }

  /** What is done with queries and items, on a tensor thread. */
  private interface Body {
    void run(NDArray queries, NDArray items);
  }

  private static void with(float[] queries, float[] items, Body body) {
    TensorThreads.run(
        () -> {
          try (Scope scope = Scope.open(Device.cpu())) {
            NDArray q = HostArrays.floats(scope.manager(), queries, queries.length / D, D);
            NDArray v = HostArrays.floats(scope.manager(), items, items.length / D, D);
            body.run(q, v);
            assertThat(scope.manager().getManagedArrays()).as("arrays left behind").hasSize(2);
          }
        });
  }

  private static IndexedItems items(NDArray vectors, int fixed) {
    float[] ones = new float[D];
    Arrays.fill(ones, 1);
    return new IndexedItems(vectors, fixed, ones);
  }

  /** Small whole numbers: sums are exact whatever the cut, and ties abound. */
  private static float[] integers(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextInt(7) - 3;
    }
    return values;
  }

  private static ExcludedItems excluded(Random random, int lists, int numItems) {
    int[][] rows = new int[lists][];
    long[][] masks = new long[lists][];
    long[] shared = random.longs(numItems / 64 + 1).toArray();
    for (int list = 0; list < lists; list++) {
      rows[list] = random.ints(random.nextInt(40), -2, numItems + 2).sorted().toArray();
      masks[list] = list % 3 == 0 ? shared : list % 3 == 1 ? random.longs(3).toArray() : null;
    }
    return new ExcludedItems() {
      @Override
      public int[] of(int list) {
        return rows[list];
      }

      @Override
      public long @Nullable [] mask(int list) {
        return masks[list];
      }
    };
  }

  private static SparseRows added(Random random, int lists, int numItems) {
    int[] starts = new int[lists + 1];
    List<Integer> items = new ArrayList<>();
    for (int list = 0; list < lists; list++) {
      IntStream.range(0, numItems).filter(i -> random.nextInt(20) == 0).forEach(items::add);
      starts[list + 1] = items.size();
    }
    int[] indices = items.stream().mapToInt(i -> i).toArray();
    return new SparseRows(starts, indices, integers(random, indices.length));
  }

  private static void same(RankedLists actual, RankedLists expected, String what) {
    assertThat(actual.items()).as(what).isEqualTo(expected.items());
    assertThat(actual.scores()).as(what).isEqualTo(expected.scores());
    assertThat(actual.lengths()).as(what).isEqualTo(expected.lengths());
  }

  @Test
  void partsTogetherAreTheWhole() {
    for (int seed = 1; seed <= 40; seed++) {
      Random random = new Random(seed);
      int numItems = 1 + random.nextInt(seed % 4 == 0 ? 70 : 1500);
      int fixed = seed % 3 == 0 ? numItems : random.nextInt(numItems + 1);
      int lists = 1 + random.nextInt(12);
      int k = 1 + random.nextInt(seed % 5 == 0 ? numItems + 9 : 40);
      int parts = 1 + random.nextInt(5);
      String what = "seed " + seed;
      with(
          integers(random, lists * D),
          integers(random, numItems * D),
          (queries, vectors) -> {
            IndexedItems all = items(vectors, fixed);
            ExcludedItems out = excluded(random, lists, numItems);
            SparseRows added = added(random, lists, numItems);
            try (ItemIndex whole = ExactIndex.with(topK).build(all);
                ItemIndex exact = ShardedIndex.exact(topK, devices(parts)).build(all);
                ItemIndex half = compact(CompactOptions.Precision.FLOAT16, parts).build(all);
                ItemIndex bytes = compact(CompactOptions.Precision.INT8, parts).build(all)) {
              assertThat(exact.numItems()).isEqualTo(numItems);
              RankedLists expected = whole.search(queries, k, out, added);
              same(exact.search(queries, k, out, added), expected, what);
              same(half.search(queries, k, out, added), expected, what);
              same(bytes.search(queries, k, out, added), expected, what);
            }
          });
    }
  }

  private IndexBuilder compact(CompactOptions.Precision precision, int parts) {
    return ShardedIndex.compact(topK, CompactOptions.of(precision), devices(parts));
  }

  /** A part may have fewer scores that are numbers than a list is long, if others have more. */
  @Test
  void onlyTheWholeIsJudgedForNan() {
    float[] items = integers(new Random(1), 400 * D);
    Arrays.fill(items, 0, 190 * D, Float.NaN);
    with(
        integers(new Random(2), 3 * D),
        items,
        (queries, vectors) -> {
          IndexedItems all = items(vectors, 400);
          try (ItemIndex whole = ExactIndex.with(topK).build(all);
              ItemIndex index = ShardedIndex.exact(topK, devices(2)).build(all)) {
            same(
                index.search(queries, 50, ExcludedItems.NONE),
                whole.search(queries, 50, ExcludedItems.NONE),
                "NaN");
            for (ItemIndex any : List.of(whole, index)) {
              assertThatThrownBy(() -> any.search(queries, 300, ExcludedItems.NONE))
                  .isInstanceOf(InvalidInputException.class)
                  .hasMessageContaining("list 0: only 210 of 400 eligible items");
            }
          }
        });
  }

  /** All parts are inside of their search before one of them goes on. */
  @Test
  void partsAreSearchedAtTheSameTime() {
    CyclicBarrier barrier = new CyclicBarrier(3);
    Shard.Kind kind =
        (part, device) ->
            new Wrapped(
                new PlacedItems(topK, part, device),
                () -> {
                  try {
                    barrier.await(30, TimeUnit.SECONDS);
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                });
    with(
        integers(new Random(2), 3 * D),
        integers(new Random(1), 700 * D),
        (queries, vectors) -> {
          try (ItemIndex index =
              ShardedIndex.with(topK, devices(3), kind).build(items(vectors, 700))) {
            assertThat(index.search(queries, 5, ExcludedItems.NONE).lengths())
                .containsExactly(5, 5, 5);
          }
        });
  }

  @Test
  void aDeviceThatFailsFailsTheSearchAndNothingElse() {
    AtomicBoolean broken = new AtomicBoolean();
    List<RuntimeException> failures =
        List.of(
            new EngineException("CUDA error: unspecified launch failure"),
            new EngineException("CUDA out of memory. Tried to allocate 1 GiB"));
    for (RuntimeException failure : failures) {
      Shard.Kind kind =
          (part, device) ->
              new Wrapped(
                  new PlacedItems(topK, part, device),
                  () -> {
                    if (broken.get()) {
                      throw failure;
                    }
                  });
      with(
          integers(new Random(2), 3 * D),
          integers(new Random(1), 512 * D),
          (queries, vectors) -> {
            try (ItemIndex index =
                ShardedIndex.with(topK, devices(2), kind).build(items(vectors, 512))) {
              RankedLists before = index.search(queries, 5, ExcludedItems.NONE);
              broken.set(true);
              assertThatThrownBy(() -> index.search(queries, 5, ExcludedItems.NONE))
                  .isInstanceOf(SextantException.class)
                  .hasMessageContaining("items 0 to 255 could not be searched on cpu")
                  .hasCause(failure);
              broken.set(false);
              same(index.search(queries, 5, ExcludedItems.NONE), before, "mended");
            }
          });
    }
  }

  @Test
  void aPartThatCannotBePreparedIsNoIndex() {
    Shard.Kind kind =
        (part, device) -> {
          if (part.vectors().getFloat(0, 0) == 3) {
            throw new EngineException("CUDA out of memory. Tried to allocate 9 GiB");
          }
          return new PlacedItems(topK, part, device);
        };
    float[] values = new float[512 * D];
    values[256 * D] = 3;
    with(
        new float[D],
        values,
        (queries, vectors) ->
            assertThatThrownBy(
                    () -> ShardedIndex.with(topK, devices(2), kind).build(items(vectors, 512)))
                .isInstanceOf(DeviceMemoryException.class)
                .hasMessageContaining("items 256 to 511 could not be prepared on cpu")
                .hasMessageContaining("use more devices or store items in fewer bits"));
    assertThatThrownBy(() -> ShardedIndex.exact(topK, List.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at least one device");
  }

  @Test
  void manyThreadsMaySearchAtOnce() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(6);
    try (Scope scope = Scope.open(Device.cpu())) {
      Random random = new Random(3);
      NDArray vectors =
          TensorThreads.call(
              () -> HostArrays.floats(scope.manager(), integers(random, 900 * D), 900, D));
      NDArray queries =
          TensorThreads.call(
              () -> HostArrays.floats(scope.manager(), integers(random, 20 * D), 20, D));
      try (ItemIndex index = ShardedIndex.exact(topK, devices(3)).build(items(vectors, 850))) {
        RankedLists expected = index.search(queries, 10, ExcludedItems.NONE);
        List<Callable<RankedLists>> calls = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
          calls.add(() -> index.search(queries, 10, ExcludedItems.NONE));
        }
        for (Future<RankedLists> future : callers.invokeAll(calls)) {
          same(future.get(), expected, "at once");
        }
      }
    } finally {
      callers.shutdownNow();
    }
  }

  /** A part that does something before each search. */
  private record Wrapped(ShardIndex index, Runnable before) implements ShardIndex {

    @Override
    public RankedLists search(Search asked) {
      before.run();
      return index.search(asked);
    }

    @Override
    public void close() {
      index.close();
    }
  }
}
