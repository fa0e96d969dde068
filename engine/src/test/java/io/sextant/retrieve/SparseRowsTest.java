package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SparseRowsTest {

  /** Whole numbers, so that sums are exact; several tiles and chunks; all counts of entries. */
  @ParameterizedTest
  @EnumSource(
      value = TopKOptions.Method.class,
      names = {"BLAS", "HOST", "DEVICE"})
  void addedScoresRankAsIfTheyWereInTheProduct(TopKOptions.Method method) {
    int lists = 70;
    int numItems = 9001;
    int k = 13;
    for (long seed = 1; seed <= 3; seed++) {
      Random random = new Random(seed);
      int[] starts = new int[lists + 1];
      float[] sparse = new float[lists * numItems];
      List<Integer> items = new ArrayList<>();
      List<Float> values = new ArrayList<>();
      for (int list = 0; list < lists; list++) {
        double share = list == 0 ? 0 : list == 1 ? 1 : random.nextDouble() * 0.3;
        for (int item = 0; item < numItems; item++) {
          if (random.nextDouble() < share) {
            float value = random.nextInt(41) - 20;
            sparse[list * numItems + item] = value;
            items.add(item);
            values.add(value);
          }
        }
        starts[list + 1] = items.size();
      }
      float[] flat = new float[values.size()];
      for (int i = 0; i < flat.length; i++) {
        flat[i] = values.get(i);
      }
      SparseRows added =
          new SparseRows(starts, items.stream().mapToInt(Integer::intValue).toArray(), flat);
      float[] queries = integers(random, lists * 3);
      float[] vectors = integers(random, numItems * 3);
      RankedLists actual = search(method, queries, vectors, lists, numItems, k, added);
      for (int list = 0; list < lists; list++) {
        float[] scores = new float[numItems];
        for (int item = 0; item < numItems; item++) {
          scores[item] = sparse[list * numItems + item];
          for (int d = 0; d < 3; d++) {
            scores[item] += queries[list * 3 + d] * vectors[item * 3 + d];
          }
        }
        int[] expected =
            IntStream.range(0, numItems)
                .boxed()
                .sorted((a, b) -> Float.compare(scores[b], scores[a]))
                .limit(k)
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(actual.itemsOf(list)).as("seed %d, list %d", seed, list).isEqualTo(expected);
        for (int i = 0; i < k; i++) {
          assertThat(actual.scoresOf(list)[i]).isEqualTo(scores[expected[i]]);
        }
      }
    }
  }

  @Test
  void rowsThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> new SparseRows(new int[] {0, 2}, new int[] {4, 4}, new float[2]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item 4 follows 4");
    assertThatThrownBy(() -> new SparseRows(new int[] {0, 1}, new int[] {4, 5}, new float[2]))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(
            () -> searchTwoItems(new SparseRows(new int[] {0, 1}, new int[] {2}, new float[1])))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("catalogue has 2");
    assertThatThrownBy(() -> searchTwoItems(SparseRows.empty(2)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("each of 1 queries but there are 2");
  }

  private static void searchTwoItems(SparseRows added) {
    search(TopKOptions.Method.HOST, new float[1], new float[2], 1, 2, 1, added);
  }

  private static RankedLists search(
      TopKOptions.Method method,
      float[] queries,
      float[] vectors,
      int lists,
      int numItems,
      int k,
      SparseRows added) {
    TopKOptions options =
        TopKOptions.builder().method(method).threads(2).temporaryBytes(1 << 20).build();
    return TensorThreads.call(
        () -> {
          try (TopK topK = new TopK(options);
              Scope scope = Scope.open(Device.cpu())) {
            return topK.search(
                HostArrays.floats(scope.manager(), queries, lists, queries.length / lists),
                HostArrays.floats(scope.manager(), vectors, numItems, vectors.length / numItems),
                k,
                ExcludedItems.NONE,
                added);
          }
        });
  }

  private static float[] integers(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(21) - 10;
    }
    return values;
  }
}
