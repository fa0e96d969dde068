package io.sextant.retrieve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import org.junit.jupiter.api.Test;

class GraphIndexTest extends IndexContract {

  @Override
  IndexBuilder builder() {
    // Narrow, so that catalogues of the contract are walked and not compared whole.
    return GraphIndex.with(options(1, 140));
  }

  @Override
  double recall() {
    return 0.9;
  }

  private static GraphOptions options(int threads, int searchWidth) {
    return GraphOptions.builder()
        .degree(16)
        .buildWidth(100)
        .searchWidth(searchWidth)
        .threads(threads)
        .build();
  }

  @Test
  void oneThreadBuildsTheSameGraphAgain() {
    Data data = Data.random(8, 5000, 60);
    int[][] first = new int[1][];
    for (int turn = 0; turn < 2; turn++) {
      withIndex(
          data,
          5000,
          (index, items, scope) -> {
            RankedLists lists = index.search(data.queries(scope), 100, ExcludedItems.NONE);
            if (first[0] == null) {
              first[0] = lists.items();
              // Something is missed, or the second list would be the same whatever the graph.
              assertThat(recall(lists, data, 100, new int[60][0], null)).isLessThan(1);
            } else {
              assertThat(lists.items()).isEqualTo(first[0]);
            }
          });
    }
  }

  @Test
  void aWiderSearchFindsMore() {
    Data data = Data.random(9, 6000, 60);
    double[] recalls = new double[2];
    withIndex(
        data,
        6000,
        (index, items, scope) -> {
          for (int i = 0; i < 2; i++) {
            GraphIndex other = ((GraphIndex) index).atWidth(i == 0 ? 10 : 300);
            RankedLists lists = other.search(data.queries(scope), 10, ExcludedItems.NONE);
            recalls[i] = recall(lists, data, 10, new int[60][0], null);
            other.close(); // lends all it has
          }
        });
    assertThat(recalls[1]).isGreaterThan(recalls[0]).isGreaterThan(0.95);
  }

  @Test
  void refusesVectorsThatAreNoNumbersAndOptionsOutOfRange() {
    Data data = Data.random(3, 700, 3);
    data.items()[5 * D + 3] = Float.POSITIVE_INFINITY;
    assertThatThrownBy(() -> withIndex(data, 700, (index, items, scope) -> {}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("item 5");
    assertThatThrownBy(() -> GraphOptions.builder().degree(1).build())
        .hasMessageContaining("degree must lie in 2..512 but was 1");
    assertThatThrownBy(() -> GraphOptions.builder().degree(64).buildWidth(60).build())
        .hasMessageContaining("buildWidth must be at least the degree but was 60");
    assertThatThrownBy(() -> GraphOptions.builder().searchWidth(0).build())
        .hasMessageContaining("searchWidth");
    assertThatThrownBy(() -> GraphOptions.builder().threads(0).build())
        .hasMessageContaining("threads");
  }
}
