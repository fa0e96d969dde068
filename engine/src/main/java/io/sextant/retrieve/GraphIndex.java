package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.SextantException;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An approximate index: a graph of items, walked towards the greatest inner product. It may miss
 * items; how many depends on {@link GraphOptions#searchWidth()} and on the vectors, so measure it.
 * The scores of what it finds are right.
 *
 * <p>What is approximate is the search for the greatest inner product alone. Items with an entry in
 * the sparse score, and items that may still change, are all compared. Where the graph would not
 * pay, because few items are eligible or many have sparse entries, all eligible items are compared
 * and the list is exact.
 *
 * <p>Memory: a copy of the vectors on the heap, {@code 4 n D} bytes, and {@code 4 n degree} for the
 * graph; about twice that while it is built. Time of a search: about {@code searchWidth * degree}
 * products of width D a list. Needs {@code io.github.jbellis:jvector}, which is an optional
 * dependency.
 *
 * <p>Thread safety: safe; searches share the index's threads.
 */
public final class GraphIndex implements ItemIndex {

  private final IndexedItems items;
  private final ItemGraph graph;
  private final int searchWidth;
  private final HostTeam team;
  private final boolean ownsTeam;
  private final ConcurrentLinkedQueue<Scratch> scratch = new ConcurrentLinkedQueue<>();

  private GraphIndex(IndexedItems items, GraphOptions options) {
    this.items = items;
    float[] vectors =
        TensorThreads.call(
            () -> {
              try (Scope scope = Scope.open(items.vectors().getDevice())) {
                return HostArrays.toFloats(Tiles.rows(items.vectors(), 0, items.fixed(), scope));
              }
            });
    for (int i = 0; i < vectors.length; i++) {
      if (!Float.isFinite(vectors[i])) {
        throw new InvalidInputException(
            "the vector of item %d holds %f: an index needs finite numbers; has the training diverged?"
                .formatted(i / items.dimension(), vectors[i]));
      }
    }
    try {
      graph =
          vectors.length == 0
              ? new ItemGraph(vectors, items.dimension(), new int[0], 1, new int[0])
              : GraphBuilding.build(vectors, items.scales(), options);
    } catch (NoClassDefFoundError e) {
      throw new SextantException(
          "the graph index needs io.github.jbellis:jvector on the class path", e);
    }
    searchWidth = options.searchWidth();
    team = new HostTeam(options.threads());
    ownsTeam = true;
  }

  private GraphIndex(GraphIndex built, int searchWidth) {
    items = built.items;
    graph = built.graph;
    team = built.team;
    ownsTeam = false;
    this.searchWidth = searchWidth;
  }

  /** {@link #build} with these options. */
  public static IndexBuilder with(GraphOptions options) {
    return items -> build(items, options);
  }

  /**
   * Builds an index.
   *
   * @throws InvalidInputException if a vector holds numbers that are none
   * @throws SextantException if JVector is not on the class path
   */
  public static GraphIndex build(IndexedItems items, GraphOptions options) {
    return new GraphIndex(items, options);
  }

  /**
   * The same graph, searched with another width: to find the narrowest that finds enough. Usable as
   * long as this index is open.
   */
  public GraphIndex atWidth(int searchWidth) {
    GraphOptions.requireWidth(searchWidth);
    return new GraphIndex(this, searchWidth);
  }

  @Override
  public int numItems() {
    return items.size();
  }

  @Override
  public RankedLists search(
      NDArray queries, int k, ExcludedItems excluded, @Nullable SparseRows added) {
    ItemRows rows = ItemRows.of(items.vectors());
    Device device = items.vectors().getDevice();
    Search search = Search.of(queries, rows, device, k, excluded, added);
    if (search.numLists == 0 || search.numItems == 0) {
      return search.result();
    }
    float[] changing = new float[search.numLists * (items.size() - items.fixed())];
    float[] values = TensorThreads.call(() -> load(queries, changing));
    int block = search.listsPerBlock();
    for (int first = 0; first < search.numLists; first += block) {
      int lists = Math.min(block, search.numLists - first);
      Candidates candidates = search.candidates(first, lists);
      int firstList = first;
      team.run(lists, () -> worker(search, candidates, firstList, values, changing));
    }
    return search.result();
  }

  /** The queries; fills in the scores of items that may change (B * their number). */
  private float[] load(NDArray queries, float[] changing) {
    try (Scope scope = Scope.open(queries.getDevice())) {
      if (changing.length > 0) {
        NDArray rows = Tiles.rows(items.vectors(), items.fixed(), items.size(), scope);
        NDArray scores = scope.adopt(queries.matMul(scope.adopt(rows.transpose())));
        System.arraycopy(HostArrays.toFloats(scores), 0, changing, 0, changing.length);
      }
      return HostArrays.toFloats(queries);
    }
  }

  private IntConsumer worker(
      Search search, Candidates candidates, int firstList, float[] queries, float[] changing) {
    return list -> {
      Scratch own = scratch.poll();
      if (own == null) {
        own = new Scratch();
      }
      int row = firstList + list;
      System.arraycopy(queries, row * items.dimension(), own.query, 0, items.dimension());
      offer(search, candidates, list, row, own);
      int width = items.size() - items.fixed();
      for (int i = 0; i < width; i++) {
        int item = items.fixed() + i;
        float sparse = search.added == null ? 0 : search.added.get(row, item);
        offer(candidates, list, item, changing[row * width + i] + sparse);
      }
      search.finish(candidates, firstList, list);
      scratch.add(own);
    };
  }

  /** Offers the best of the items that do not change. */
  private void offer(Search search, Candidates candidates, int list, int row, Scratch own) {
    int n = items.fixed();
    SparseRows added = search.added;
    int from = added == null ? 0 : added.starts()[row];
    int end = added == null ? 0 : added.firstFrom(row, n);
    long reachable = n - search.excluded.count(row, n) - (end - from);
    int width = Math.max(searchWidth, search.keep);
    // A walk leaves about `width` eligible items, each with `degree` products.
    long walk = (long) width * graph.degree() * n / Math.max(1, reachable);
    if (reachable <= walk) {
      compareAll(search, candidates, list, row, own.query);
      return;
    }
    own.blocked.clear();
    search.excluded.markIn(row, n, own.blocked);
    for (int at = from; added != null && at < end; at++) {
      own.blocked.set(added.items()[at]);
    }
    ItemGraph.Heap best = own.walk.best(own.query, width, own.blocked);
    if (best.size() < Math.min(search.keep, reachable)) {
      // The walk ended in a corner of the graph.
      compareAll(search, candidates, list, row, own.query);
      return;
    }
    for (int i = 0; i < best.size(); i++) {
      offer(candidates, list, Candidates.item(best.get(i)), Candidates.score(best.get(i)));
    }
    for (int at = from; added != null && at < end; at++) {
      int item = added.items()[at];
      offer(candidates, list, item, graph.score(own.query, item) + added.values()[at]);
    }
  }

  /** Offers every item that does not change; the list leaves out the excluded ones. */
  private void compareAll(Search search, Candidates candidates, int list, int row, float[] query) {
    SparseRows added = search.added;
    for (int item = 0; item < items.fixed(); item++) {
      if (!search.excluded.contains(row, item)) {
        float sparse = added == null ? 0 : added.get(row, item);
        offer(candidates, list, item, graph.score(query, item) + sparse);
      }
    }
  }

  private static void offer(Candidates candidates, int list, int item, float score) {
    candidates.offer(list, item, Float.floatToRawIntBits(score), Candidates.NO_THRESHOLD);
  }

  @Override
  public void close() {
    if (ownsTeam) {
      team.close();
    }
  }

  /** What one thread needs for one list at a time. */
  private final class Scratch {
    final float[] query = new float[items.dimension()];
    final ItemGraph.Marks blocked = new ItemGraph.Marks(items.fixed());
    final ItemGraph.Walk walk = graph.new Walk();
  }
}
