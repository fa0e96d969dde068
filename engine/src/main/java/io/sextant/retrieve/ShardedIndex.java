package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The items cut into as many parts as there are devices, each searched on its own device at the
 * same time. The lists are those of one device that holds all items, ties included, but for scores
 * that differ by the rounding of products alone.
 *
 * <p>Design. Parts are ranges of about equal size; each device has a thread of its own, which does
 * one search after the other, so a device holds the temporary memory of one search. Items that may
 * change are a part for themselves, searched where they are. The best of the parts are merged on
 * the host, O(B k) for each part.
 *
 * <p>The items themselves stay where they are and are lent: with the model on the CPU and parts on
 * GPUs, no GPU needs room for all.
 *
 * <p>Thread safety: safe. A search whose part fails on one device fails as a whole, after all parts
 * have ended.
 */
public final class ShardedIndex implements ItemIndex {

  private final IndexedItems items;
  private final List<Shard> shards;

  /** Searches items that may change, in place. */
  private final TopK topK;

  private ShardedIndex(TopK topK, IndexedItems items, List<Device> devices, Shard.Kind kind) {
    this.topK = topK;
    this.items = items;
    shards = new ArrayList<>();
    try {
      List<Future<ShardIndex>> built = new ArrayList<>();
      for (int part = 0; part < devices.size(); part++) {
        int first = start(part, devices.size());
        int end = start(part + 1, devices.size());
        if (first < end) {
          Shard shard = new Shard(items, first, end, devices.get(part));
          shards.add(shard);
          built.add(shard.build(kind));
        }
      }
      Shard.await(built, index -> {});
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  static IndexBuilder with(TopK topK, List<Device> devices, Shard.Kind kind) {
    if (devices.isEmpty()) {
      throw new InvalidInputException("a sharded index needs at least one device but had none");
    }
    List<Device> some = List.copyOf(devices);
    return items -> new ShardedIndex(topK, items, some, kind);
  }

  /**
   * Builds indices whose parts hold float32 vectors: copies, but on the device on which the items
   * are.
   *
   * @param topK searches on each device; lent
   * @param devices one part each; a device may come several times
   * @throws InvalidInputException if there is no device
   */
  public static IndexBuilder exact(TopK topK, List<Device> devices) {
    return with(topK, devices, (part, device) -> new PlacedItems(topK, part, device));
  }

  /**
   * Builds indices whose parts hold few bits of each number, as a {@link CompactIndex}, and no
   * float32 vectors: these are read where the items are, for the survivors of a search and for
   * lists that could not be proven.
   *
   * @param topK searches on each device; lent
   * @param devices one part each; a device may come several times
   * @throws InvalidInputException if there is no device
   */
  public static IndexBuilder compact(TopK topK, CompactOptions options, List<Device> devices) {
    return with(topK, devices, (part, device) -> new CompactIndex(topK, part, options, device));
  }

  /** Where a part begins: words of masks are not cut. */
  private int start(int part, int parts) {
    long start = (long) items.fixed() * part / parts / Long.SIZE * Long.SIZE;
    return part == parts ? items.fixed() : (int) start;
  }

  @Override
  public int numItems() {
    return items.size();
  }

  @Override
  public RankedLists search(
      NDArray queries, int k, ExcludedItems excluded, @Nullable SparseRows added) {
    NDArray vectors = items.vectors();
    Search asked =
        Search.of(queries, ItemRows.of(vectors), vectors.getDevice(), k, excluded, added);
    if (asked.numLists == 0 || asked.numItems == 0) {
      return asked.result();
    }
    return TensorThreads.call(
        () -> {
          float[] numbers = HostArrays.toFloats(queries);
          List<Future<RankedLists>> searches = new ArrayList<>();
          List<RankedLists> found = new ArrayList<>();
          List<Integer> firsts = new ArrayList<>();
          try {
            for (Shard shard : shards) {
              searches.add(shard.search(numbers, asked));
              firsts.add(shard.first());
            }
            if (items.fixed() < items.size()) {
              firsts.add(items.fixed());
              searches.add(changing(asked));
            }
          } finally {
            Shard.await(searches, found::add);
          }
          merge(asked, found, firsts);
          return asked.result();
        });
  }

  /** Searches the items that may change, in this thread. */
  private Future<RankedLists> changing(Search asked) {
    NDArray vectors = items.vectors();
    try (Scope request = Scope.open(vectors.getDevice())) {
      NDArray rows = Tiles.rows(vectors, items.fixed(), items.size(), request);
      Search part = asked.part(asked.queries, ItemRows.of(rows), items.fixed());
      topK.run(part);
      return CompletableFuture.completedFuture(part.result());
    }
  }

  /** Takes the best of the best of the parts. */
  private static void merge(Search asked, List<RankedLists> parts, List<Integer> firsts) {
    double[] best = new double[2 * asked.k];
    int[] next = new int[parts.size()];
    for (int list = 0; list < asked.numLists; list++) {
      Arrays.fill(next, 0);
      int length = 0;
      while (length < asked.k) {
        int from = -1;
        long greatest = Long.MIN_VALUE;
        for (int part = 0; part < next.length; part++) {
          RankedLists lists = parts.get(part);
          if (next[part] < lists.lengths()[list]) {
            int at = list * lists.k() + next[part];
            long ordered =
                Candidates.ordered(lists.scores()[at], firsts.get(part) + lists.items()[at]);
            if (ordered > greatest) {
              greatest = ordered;
              from = part;
            }
          }
        }
        if (from < 0) {
          break;
        }
        next[from]++;
        best[length] = Candidates.score(greatest);
        best[asked.k + length++] = Candidates.item(greatest);
      }
      asked.finish(list, best, 0, asked.k, length);
    }
  }

  @Override
  public void close() {
    shards.forEach(Shard::close);
    shards.clear();
  }
}
