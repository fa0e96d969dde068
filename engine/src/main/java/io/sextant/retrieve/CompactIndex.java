package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An exact index that reads half the memory, or a quarter.
 *
 * <p>Design. The search goes over vectors stored with few bits, and more items than asked for
 * survive it; these are scored again with the float32 vectors, in double precision. No other item
 * had a stored score above that of the last survivor, s. Its true score is at most s + b, with
 *
 * <pre>
 *   b = |q| (e + (D + 1) u L 1.01) + u |a| 1.01
 * </pre>
 *
 * where e is the greatest distance between a vector and what is stored of it (measured when the
 * index is built), L the greatest length, a the greatest sparse score and u = 2^-24 the rounding of
 * float32 products, summed in any order. If the k-th best survivor beats s + b, the list is proven;
 * if not, it is computed again with all float32 vectors.
 *
 * <p>The float32 vectors are lent and are read for survivors only: it is the memory that each
 * search streams through that shrinks, and where the owner needs no float32 vectors on the device
 * otherwise, they can lie elsewhere. Products are float32: with TF32 enabled on a GPU the proof
 * does not hold.
 *
 * <p>Thread safety: safe.
 */
public final class CompactIndex implements ItemIndex, ShardIndex {

  private static final double ROUNDING = 0x1p-24 * 1.01;

  /** Gathered vectors of survivors stay below this. */
  private static final long GATHER_BYTES = 24L << 20;

  private final TopK topK;
  private final IndexedItems items;
  private final CompactOptions options;
  private final Scope scope;
  private final RowCodes codes;
  private final AtomicLong recomputed = new AtomicLong();

  /**
   * Encodes.
   *
   * @param device has the codes; the float32 vectors stay where they are
   */
  CompactIndex(TopK topK, IndexedItems items, CompactOptions options, Device device) {
    this.topK = topK;
    this.items = items;
    this.options = options;
    scope = Scope.open(device);
    try {
      codes = TensorThreads.call(() -> new RowCodes(items, options.precision(), scope));
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /**
   * Builds such indices.
   *
   * @param topK searches; lent
   * @throws InvalidInputException when it builds, if a vector holds numbers that are none or that
   *     the precision cannot hold
   */
  public static IndexBuilder with(TopK topK, CompactOptions options) {
    return items -> new CompactIndex(topK, items, options, items.vectors().getDevice());
  }

  @Override
  public int numItems() {
    return items.size();
  }

  /** How many lists could not be proven so far and were computed again. */
  public long recomputed() {
    return recomputed.get();
  }

  @Override
  public RankedLists search(
      NDArray queries, int k, ExcludedItems excluded, @Nullable SparseRows added) {
    NDArray vectors = items.vectors();
    // What is wrong with the arguments is found here, in terms of k.
    return search(
        Search.of(queries, ItemRows.of(vectors), vectors.getDevice(), k, excluded, added));
  }

  @Override
  public RankedLists search(Search asked) {
    if (asked.numLists == 0 || asked.numItems == 0) {
      return asked.result();
    }
    return TensorThreads.call(
        () -> {
          float[] queries = HostArrays.toFloats(asked.queries);
          RankedLists found = survivors(asked, queries);
          try (Scope request = Scope.open(asked.queries.getDevice())) {
            return certified(asked, queries, found, request);
          }
        });
  }

  private RankedLists survivors(Search asked, float[] queries) {
    int survivors = Math.max(asked.k, options.survivors(asked.k, items.size()));
    try (Scope request = scope.child()) {
      NDArray there =
          asked.queries.getDevice().equals(request.device())
              ? asked.queries
              : HostArrays.floats(request.manager(), queries, asked.numLists, items.dimension());
      Search rough = asked.over(there, codes, survivors);
      topK.run(rough);
      return rough.result();
    }
  }

  private RankedLists certified(Search asked, float[] queries, RankedLists found, Scope request) {
    double length = codes.length(request);
    int[] items = new int[asked.numLists * asked.k];
    float[] scores = new float[items.length];
    int[] lengths = new int[asked.numLists];
    Arrays.fill(items, -1);
    Arrays.fill(scores, Float.NEGATIVE_INFINITY);
    boolean[] proven = new boolean[asked.numLists];
    int lists =
        (int) Math.max(1, GATHER_BYTES / ((long) found.k() * this.items.dimension() * Float.BYTES));
    for (int first = 0; first < asked.numLists; first += lists) {
      int end = Math.min(asked.numLists, first + lists);
      float[] vectors = gather(found, first, end, request);
      int from = first;
      HostTeam.shared()
          .run(
              end - first,
              () -> {
                Survivors survivors = new Survivors(asked, found, queries);
                return task -> {
                  int list = from + task;
                  lengths[list] = survivors.order(list, vectors, task * found.k(), items, scores);
                  proven[list] = survivors.isProven(list, scores, lengths[list], length);
                };
              });
    }
    recompute(asked, proven, items, scores, lengths, request);
    return new RankedLists(asked.k, items, scores, lengths);
  }

  /** The float32 vectors of the survivors of lists [first, end). */
  private float[] gather(RankedLists found, int first, int end, Scope request) {
    int[] rows = Arrays.copyOfRange(found.items(), first * found.k(), end * found.k());
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Math.max(0, rows[i]);
    }
    try (Scope step = request.child()) {
      NDArray index = HostArrays.longs(step.manager(), rows, rows.length);
      return HostArrays.toFloats(step.adopt(RowOptimizer.gather(items.vectors(), index)));
    }
  }

  /** Replaces the lists that are not proven. */
  private void recompute(
      Search asked, boolean[] proven, int[] items, float[] scores, int[] lengths, Scope request) {
    int[] lists = IntStream.range(0, proven.length).filter(list -> !proven[list]).toArray();
    if (lists.length == 0) {
      return;
    }
    recomputed.addAndGet(lists.length);
    try (Scope step = request.child()) {
      NDArray index = HostArrays.longs(step.manager(), lists, lists.length);
      NDArray some = step.adopt(RowOptimizer.gather(asked.queries, index));
      Search again = asked.rows(some, lists);
      topK.run(again);
      RankedLists found = again.result();
      for (int i = 0; i < lists.length; i++) {
        int at = lists[i] * asked.k;
        System.arraycopy(found.items(), i * asked.k, items, at, asked.k);
        System.arraycopy(found.scores(), i * asked.k, scores, at, asked.k);
        lengths[lists[i]] = found.lengths()[i];
      }
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  /** Scores and orders the survivors of one list after the other. */
  private final class Survivors {
    private final Search asked;
    private final RankedLists found;
    private final float[] queries;
    private final long[] ordered;

    Survivors(Search asked, RankedLists found, float[] queries) {
      this.asked = asked;
      this.found = found;
      this.queries = queries;
      ordered = new long[found.k()];
    }

    /**
     * Writes the best k and returns how many there are.
     *
     * @param vectors whose row {@code at} is that of the list's first survivor
     */
    int order(int list, float[] vectors, int at, int[] items, float[] scores) {
      int n = found.lengths()[list];
      int width = CompactIndex.this.items.dimension();
      for (int i = 0; i < n; i++) {
        int item = found.items()[list * found.k() + i];
        double sum = asked.added == null ? 0 : asked.added.get(list, item);
        for (int d = 0; d < width; d++) {
          sum += (double) queries[list * width + d] * vectors[(at + i) * width + d];
        }
        ordered[i] = Candidates.ordered((float) sum, item);
      }
      Arrays.sort(ordered, 0, n);
      int length = Math.min(asked.k, n);
      for (int i = 0; i < length; i++) {
        items[list * asked.k + i] = Candidates.item(ordered[n - 1 - i]);
        scores[list * asked.k + i] = Candidates.score(ordered[n - 1 - i]);
      }
      return length;
    }

    boolean isProven(int list, float[] scores, int length, double longest) {
      int n = found.lengths()[list];
      if (n < found.k()) {
        return n == asked.eligible(list); // All survived, or a stored score is none.
      }
      int width = CompactIndex.this.items.dimension();
      double square = 0;
      for (int d = 0; d < width; d++) {
        square += (double) queries[list * width + d] * queries[list * width + d];
      }
      double bound = Math.sqrt(square) * (codes.error() + (width + 1) * ROUNDING * longest);
      if (asked.added != null) {
        bound += ROUNDING * asked.added.greatest(list);
      }
      double last = found.scores()[list * found.k() + n - 1];
      // The score of the k-th survivor is rounded, too.
      return last + bound < Math.nextDown(scores[list * asked.k + length - 1]);
    }
  }
}
