package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sextant.RankedLists;
import io.sextant.tensor.Scope;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every precision must do: its lists are the exact ones. */
abstract class CompactContract extends IndexContract {

  abstract CompactOptions options();

  @Override
  IndexBuilder builder() {
    return CompactIndex.with(topK, options());
  }

  @Override
  double recall() {
    return 1;
  }

  /** Compares places, where the scores differ by more than rounding. */
  static void check(ItemIndex index, Data data, Scope scope, int k) {
    int numQueries = data.queries().length / D;
    RankedLists lists = index.search(data.queries(scope), k, ExcludedItems.NONE);
    for (int list = 0; list < numQueries; list++) {
      int row = list;
      int[] best =
          IntStream.range(0, data.numItems())
              .boxed()
              .sorted(Comparator.comparingDouble(item -> -data.score(row, item)))
              .limit(k)
              .mapToInt(item -> item)
              .toArray();
      assertThat(lists.itemsOf(list)).as("list %d", list).isEqualTo(best);
    }
  }

  @Test
  void mostListsAreProven() {
    Data data = Data.random(11, 4001, 50);
    withIndex(
        data,
        4001,
        (index, items, scope) -> {
          check(index, data, scope, 10);
          assertThat(((CompactIndex) index).recomputed()).isLessThan(10);
        });
  }

  /** Items so near each other that what is stored cannot tell them apart. */
  @Test
  void whatCannotBeProvenIsComputedAgain() {
    Data data = Data.random(12, 4001, 20);
    for (int item = 1; item < 4001; item++) {
      for (int d = 0; d < D; d++) {
        float step = data.items()[item * D + d] * 1e-5f;
        data.items()[item * D + d] = data.items()[d] + step;
      }
    }
    withIndex(
        data,
        4001,
        (index, items, scope) -> {
          int[][] excluded = new int[20][];
          int[] starts = new int[21];
          int[] added = new int[20];
          float[] values = new float[20];
          for (int list = 0; list < 20; list++) {
            excluded[list] = new int[] {5 * list, 5 * list + 1};
            starts[list + 1] = list + 1;
            added[list] = 7 + list;
            // Every third list is decided by a sparse score, and still the others are not.
            values[list] = list % 3 == 0 ? 50 : 0;
          }
          SparseRows sparse = new SparseRows(starts, added, values);
          ExcludedItems out = ExcludedItems.of(excluded);
          RankedLists lists = index.search(data.queries(scope), 10, out, sparse);
          assertThat(((CompactIndex) index).recomputed()).isEqualTo(20);
          RankedLists exact = topK.search(data.queries(scope), items, 10, out, sparse);
          for (int list = 0; list < 20; list++) {
            assertThat(lists.scoresOf(list)[9]).isCloseTo(exact.scoresOf(list)[9], within(1e-5f));
          }
        });
  }

  @Test
  void refusesAnOverqueryOutOfRange() {
    assertThatThrownBy(() -> new CompactOptions(options().precision(), 0.5))
        .hasMessageContaining("overquery must lie in 1..1000 but was 0.5");
    assertThatThrownBy(() -> new CompactOptions(options().precision(), Double.NaN))
        .hasMessageContaining("overquery");
  }
}
