package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.Dtypes;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import org.jspecify.annotations.Nullable;

/**
 * Finds for each of B queries the k items with the greatest inner product, among the whole
 * catalogue, exactly: equal scores are ordered by ascending item index, also at the cut. The zeros
 * 0.0 and -0.0 are equal, infinite scores are ranked, and a score that is NaN never is.
 *
 * <p>Scores are float32 products as libtorch rounds them; in the last digits they can differ with
 * the number of queries at once and with the device, so scores that differ by rounding alone may
 * change places.
 *
 * <p>Time O(B I D) for the product plus O(B I) with a small constant for the selection; memory O(B
 * k) on the heap and {@link TopKOptions#temporaryBytes()} on the device, never O(B I).
 *
 * <p>Thread safety: safe. Several threads may search at once; they share the helper threads. On the
 * CPU set {@code OMP_WAIT_POLICY=passive}, or libtorch's spinning threads take the cores from the
 * selection.
 */
public final class TopK implements AutoCloseable {

  private final TopKOptions options;
  private final HostTeam team;
  private final Searcher host;
  private final Searcher device;

  /** Uses the default options. */
  public TopK() {
    this(TopKOptions.builder().build());
  }

  public TopK(TopKOptions options) {
    this.options = options;
    this.team = new HostTeam(options.threads());
    this.host = new HostSearcher(team, options.temporaryBytes());
    this.device = new DeviceSearcher(options.temporaryBytes());
  }

  /** {@link #search(NDArray, NDArray, int, ExcludedItems)} without excluded items. */
  public RankedLists search(NDArray queries, NDArray items, int k) {
    return search(queries, items, k, ExcludedItems.NONE);
  }

  /**
   * Searches. The tensors are lent: they are read, and no array stays behind in their managers.
   *
   * @param queries (B, D) float32
   * @param items (I, D) float32 on the same device
   * @param k how long the lists are to be; where fewer items are eligible they are shorter
   * @param excluded what must not appear in which list
   * @return B lists with room for k
   * @throws InvalidInputException if k &lt; 1, the tensors do not fit together, the excluded items
   *     are not ascending, B * k exceeds an array, or scores that are NaN leave a list too short
   */
  public RankedLists search(NDArray queries, NDArray items, int k, ExcludedItems excluded) {
    return search(queries, items, k, excluded, null);
  }

  /**
   * Searches by the inner product plus a sparse score; as the search without one else.
   *
   * @param added a row for each query; null for none
   * @throws InvalidInputException also if there are more or fewer rows than queries or a row holds
   *     an item outside the catalogue
   */
  public RankedLists search(
      NDArray queries, NDArray items, int k, ExcludedItems excluded, @Nullable SparseRows added) {
    checkMatrix(queries, "queries");
    checkMatrix(items, "items");
    if (queries.getShape().get(1) != items.getShape().get(1)
        || !queries.getDevice().equals(items.getDevice())) {
      throw new InvalidInputException(
          "queries and items must have the same width and device but were %s on %s and %s on %s"
              .formatted(
                  queries.getShape(), queries.getDevice(), items.getShape(), items.getDevice()));
    }
    if (k < 1) {
      throw new InvalidInputException("k must be >= 1 but was " + k);
    }
    int numLists = Math.toIntExact(queries.getShape().get(0));
    int numItems = Math.toIntExact(items.getShape().get(0));
    if ((long) numLists * k > Integer.MAX_VALUE - 8) {
      throw new InvalidInputException(
          "%d lists of %d items are more than an array can hold: ask for fewer at once"
              .formatted(numLists, k));
    }
    checkAdded(added, numLists, numItems);
    int[][] rows = new int[numLists][];
    long[][] masks = new long[numLists][];
    for (int list = 0; list < numLists; list++) {
      rows[list] = checkAscending(excluded.of(list), list);
      masks[list] = excluded.mask(list);
    }
    Exclusions exclusions = new Exclusions(rows, masks);
    Search search = new Search(queries, items, numLists, numItems, k, exclusions, added);
    if (numLists > 0 && numItems > 0) {
      Searcher searcher = searcher(queries);
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(queries.getDevice())) {
              searcher.search(search, scope);
            }
          });
    }
    return search.result();
  }

  /** Ends the helper threads; searches must have returned. */
  @Override
  public void close() {
    team.close();
  }

  private Searcher searcher(NDArray queries) {
    boolean onHost = "cpu".equals(queries.getDevice().getDeviceType());
    return switch (options.method()) {
      case AUTO -> onHost ? host : device;
      case DEVICE -> device;
      case HOST -> {
        if (!onHost) {
          throw new InvalidInputException(
              "method HOST needs tensors on the CPU but they are on %s: use AUTO"
                  .formatted(queries.getDevice()));
        }
        yield host;
      }
    };
  }

  private static void checkMatrix(NDArray array, String name) {
    Dtypes.require(array, DataType.FLOAT32, name);
    if (array.getShape().dimension() != 2) {
      throw new InvalidInputException(
          "%s must be a matrix but had the shape %s".formatted(name, array.getShape()));
    }
  }

  private static void checkAdded(@Nullable SparseRows added, int numLists, int numItems) {
    if (added == null) {
      return;
    }
    if (added.size() != numLists) {
      throw new InvalidInputException(
          "there must be a sparse row for each of %d queries but there are %d"
              .formatted(numLists, added.size()));
    }
    for (int row = 0; row < numLists; row++) {
      int start = added.starts()[row];
      int end = added.starts()[row + 1];
      if (start < end && (added.items()[start] < 0 || added.items()[end - 1] >= numItems)) {
        throw new InvalidInputException(
            "sparse row %d has items from %d to %d but the catalogue has %d"
                .formatted(row, added.items()[start], added.items()[end - 1], numItems));
      }
    }
  }

  private static int[] checkAscending(int[] items, int list) {
    for (int i = 1; i < items.length; i++) {
      if (items[i] < items[i - 1]) {
        throw new InvalidInputException(
            "the excluded items of list %d must be ascending but item %d follows %d"
                .formatted(list, items[i], items[i - 1]));
      }
    }
    return items;
  }
}
