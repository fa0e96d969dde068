package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.retrieve.TopKOptions.Method;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.RowProducts;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import org.jspecify.annotations.Nullable;

/**
 * Finds for each of B queries the k items with the greatest inner product, among the whole
 * catalogue, exactly: equal scores are ordered by ascending item index, also at the cut. The zeros
 * 0.0 and -0.0 are equal, infinite scores are ranked, and a score that is NaN never is.
 *
 * <p>Scores are float32 products as libtorch or OpenBLAS rounds them; in the last digits they can
 * differ with the number of queries at once, with the processor and with the device, so scores that
 * differ by rounding alone may change places.
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
  private final @Nullable BlasSearcher blas;
  private final Searcher host;
  private final Searcher device;

  /** Uses the default options. */
  public TopK() {
    this(TopKOptions.builder().build());
  }

  /**
   * Starts the helper threads.
   *
   * @throws InvalidInputException if OpenBLAS is asked for and this process has none
   */
  public TopK(TopKOptions options) {
    if (options.method() == Method.BLAS && !RowProducts.available()) {
      throw new InvalidInputException(
          "method BLAS needs OpenBLAS, which is not on the class path or cannot be loaded: use AUTO, or add org.bytedeco:openblas with the classifier of the platform");
    }
    this.options = options;
    this.team = new HostTeam(options.threads());
    this.blas =
        RowProducts.available()
            ? new BlasSearcher(team, options.threads(), options.temporaryBytes())
            : null;
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
   *     are not ascending, B * k exceeds an array, scores that are NaN leave a list too short, or
   *     on a device one list alone needs more than {@link TopKOptions#temporaryBytes()}
   * @throws io.sextant.DeviceMemoryException if a device has too little memory for a single list
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
    Search.requireMatrix(items, "items");
    Search search = Search.of(queries, ItemRows.of(items), items.getDevice(), k, excluded, added);
    run(search);
    return search.result();
  }

  /** Fills a search's lists. */
  void run(Search search) {
    NDArray queries = search.queries;
    if (search.numLists > 0 && search.numItems > 0) {
      Searcher searcher = searcher(search);
      TensorThreads.run(
          () -> {
            try (Scope scope = Scope.open(queries.getDevice())) {
              searcher.search(search, scope);
            }
          });
    }
  }

  /** Ends the helper threads; searches must have returned. */
  @Override
  public void close() {
    team.close();
  }

  private Searcher searcher(Search search) {
    Method method = options.method();
    boolean onHost = "cpu".equals(search.queries.getDevice().getDeviceType());
    if (method == Method.DEVICE || (method == Method.AUTO && !onHost)) {
      return device;
    }
    if (!onHost) {
      throw new InvalidInputException(
          "method %s needs tensors on the CPU but they are on %s: use AUTO"
              .formatted(method, search.queries.getDevice()));
    }
    return method != Method.HOST && blas != null && blas.takes(search) ? blas : host;
  }
}
