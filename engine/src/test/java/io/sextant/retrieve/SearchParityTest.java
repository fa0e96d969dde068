package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.Parity;
import io.sextant.RankedLists;
import io.sextant.retrieve.TopKOptions.Method;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every way to search, on another device, against the scan on the CPU. */
class SearchParityTest {

  private static final int D = 24;
  private static final int ITEMS = 30_011;
  private static final int LISTS = 130;
  private static final int K = 50;

  @Test
  void anotherDeviceFindsTheSame() {
    assertSameLists(Parity.device());
  }

  @Test
  @Tag("gpu")
  void aGpuFindsTheSame() {
    assertSameLists(Devices.parse("cuda"));
  }

  private static void assertSameLists(Device device) {
    for (boolean whole : new boolean[] {true, false}) {
      Random random = new Random(whole ? 1 : 2);
      float[] queries = vectors(random, LISTS, whole);
      Arrays.fill(queries, 0, 3 * D, 0f); // of these all items are equal
      float[] items = vectors(random, ITEMS, whole);
      ExcludedItems excluded = excluded(random);
      SparseRows added = added(random);
      RankedLists expected;
      try (TopK topK = new TopK(TopKOptions.builder().method(Method.HOST).threads(2).build())) {
        expected = lists(ExactIndex.with(topK), Device.cpu(), queries, items, excluded, added);
      }
      for (long bytes : new long[] {2 << 20, 64 << 20}) {
        TopKOptions options =
            TopKOptions.builder().method(Method.DEVICE).threads(2).temporaryBytes(bytes).build();
        try (TopK topK = new TopK(options)) {
          RankedLists exact = lists(ExactIndex.with(topK), device, queries, items, excluded, added);
          if (whole) {
            // Sums of whole numbers are exact, so ties are ties everywhere.
            assertThat(exact.items()).isEqualTo(expected.items());
            assertThat(exact.scores()).isEqualTo(expected.scores());
          } else {
            Parity.assertSameLists(exact, expected, 1e-5);
          }
          for (CompactOptions.Precision precision : CompactOptions.Precision.values()) {
            IndexBuilder compact = CompactIndex.with(topK, CompactOptions.of(precision));
            Parity.assertSameLists(
                lists(compact, device, queries, items, excluded, added), expected, 1e-5);
          }
        }
      }
    }
  }

  private static RankedLists lists(
      IndexBuilder builder,
      Device device,
      float[] queries,
      float[] items,
      ExcludedItems excluded,
      SparseRows added) {
    return TensorThreads.call(
        () -> {
          try (Scope scope = Scope.open(device)) {
            NDArray vectors = HostArrays.floats(scope.manager(), items, ITEMS, D);
            NDArray asked = HostArrays.floats(scope.manager(), queries, LISTS, D);
            try (ItemIndex index = builder.build(IndexedItems.of(vectors))) {
              return index.search(asked, K, excluded, added);
            }
          }
        });
  }

  private static float[] vectors(Random random, int rows, boolean whole) {
    float[] values = new float[rows * D];
    for (int i = 0; i < values.length; i++) {
      values[i] = whole ? random.nextInt(7) - 3 : (float) random.nextGaussian();
    }
    return values;
  }

  private static ExcludedItems excluded(Random random) {
    int[][] rows = new int[LISTS][];
    for (int list = 0; list < LISTS; list++) {
      rows[list] = random.ints(100, 0, ITEMS).sorted().toArray();
    }
    long[] shared = random.longs(ITEMS / 64 + 1).toArray();
    return new ExcludedItems() {
      @Override
      public int[] of(int list) {
        return rows[list];
      }

      @Override
      public long @Nullable [] mask(int list) {
        return list % 4 == 0 ? shared : null;
      }
    };
  }

  private static SparseRows added(Random random) {
    int each = 40;
    int[] items = new int[LISTS * each];
    float[] values = new float[items.length];
    for (int list = 0; list < LISTS; list++) {
      int[] some = random.ints(0, ITEMS).distinct().limit(each).sorted().toArray();
      System.arraycopy(some, 0, items, list * each, each);
    }
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt(20) - 5;
    }
    return new SparseRows(
        IntStream.rangeClosed(0, LISTS).map(list -> list * each).toArray(), items, values);
  }
}
