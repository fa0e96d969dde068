package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.DeviceMemoryException;
import io.sextant.InvalidInputException;
import io.sextant.tensor.DeviceMemory;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * For tensors on any device: scores are made, selected from and merged there, and only finished
 * lists come back.
 *
 * <p>Design. Which of several equal scores a device's top-k keeps is not defined, and it ranks NaN
 * first. So one item more than needed is kept: where it equals the last one needed, or where a NaN
 * turns up, the list is undecided. The undecided lists of a block are searched again in a form of
 * scores that orders everything ({@link DeviceScores.Ordered}), at about four times the cost. With
 * real-valued scores this almost never happens.
 *
 * <p>Where the device refuses memory, half as much is planned for, now and in later searches.
 *
 * <p>Thread safety: safe.
 */
final class DeviceSearcher implements Searcher {

  private final long temporaryBytes;
  private final LongConsumer beforeTile;

  /** What may be used of devices that refused memory. */
  private final Map<Device, Long> reduced = new ConcurrentHashMap<>();

  DeviceSearcher(long temporaryBytes) {
    this(temporaryBytes, scores -> {});
  }

  /**
   * @param beforeTile is told how many scores the next tile has, and may throw
   */
  DeviceSearcher(long temporaryBytes, LongConsumer beforeTile) {
    this.temporaryBytes = temporaryBytes;
    this.beforeTile = beforeTile;
  }

  @Override
  public void search(Search search, Scope scope) {
    Device device = scope.device();
    int next = 0;
    while (next < search.numLists) {
      long bytes = bytes(device);
      try {
        next += searchBlock(search, next, bytes, scope);
      } catch (RuntimeException e) {
        if (!DeviceMemory.isExhausted(e)) {
          throw e;
        }
        shrink(search, device, bytes, e);
      }
    }
  }

  /** How many bytes a search on the device may use now. */
  long bytes(Device device) {
    return reduced.getOrDefault(device, temporaryBytes);
  }

  /** Searches some lists from the first on and returns how many. */
  private int searchBlock(Search search, int first, long bytes, Scope scope) {
    // The last is never in a list, but tells whether the one before it may be.
    int candidates = (int) Math.min(search.keep + 1L, search.numItems);
    int most = Math.min(search.listsPerBlock(), search.numLists - first);
    DevicePlan plan = plan(search, DeviceScores.Form.PLAIN, most, candidates, bytes);
    // Whether there is memory enough must not depend on ties.
    DevicePlan ordered = plan(search, DeviceScores.Form.ORDERED, most, search.keep, bytes);
    int[] lists = new int[Math.min(plan.lists(), most)];
    Arrays.setAll(lists, i -> first + i);
    int[] undecided = new int[lists.length];
    int n = 0;
    try (Scope block = scope.child()) {
      NDArray queries = Tiles.rows(search.queries, first, first + lists.length, block);
      double[] best =
          new DeviceBlock(search, lists, DeviceScores.Form.PLAIN, candidates, plan, block)
              .best(queries, beforeTile);
      for (int i = 0; i < lists.length; i++) {
        int length = decided(search, lists[i], best, 2 * i * candidates, candidates);
        if (length < 0) {
          undecided[n++] = lists[i];
        } else {
          finish(search, lists[i], best, 2 * i * candidates, candidates, length);
        }
      }
    }
    for (int done = 0; done < n; ) {
      int end = Math.min(n, done + ordered.lists());
      searchOrdered(search, Arrays.copyOfRange(undecided, done, end), ordered, scope);
      done = end;
    }
    return lists.length;
  }

  /**
   * How long a list is, if its items are known; -1 if not.
   *
   * @param best its candidates from {@code at} on, descending
   */
  private static int decided(Search search, int list, double[] best, int at, int candidates) {
    double last = best[at + search.keep - 1];
    if (Double.isNaN(best[at])) {
      return -1;
    }
    if (last > Double.NEGATIVE_INFINITY) {
      return candidates > search.keep && last == best[at + search.keep] ? -1 : search.keep;
    }
    // Those at the end are excluded, or have this score.
    int length = search.keep;
    while (length > 0 && best[at + length - 1] == Double.NEGATIVE_INFINITY) {
      length--;
    }
    return length == search.eligible(list) ? length : -1;
  }

  /** Searches lists by scores that order everything. */
  private void searchOrdered(Search search, int[] lists, DevicePlan plan, Scope scope) {
    int keep = search.keep;
    try (Scope block = scope.child()) {
      NDArray index = HostArrays.longs(block.manager(), lists, lists.length);
      NDArray queries = block.adopt(RowOptimizer.gather(search.queries, index));
      double[] best =
          new DeviceBlock(search, lists, DeviceScores.Form.ORDERED, keep, plan, block)
              .best(queries, beforeTile);
      for (int i = 0; i < lists.length; i++) {
        int at = 2 * i * keep;
        int length = 0;
        while (length < keep && DeviceScores.Ordered.isRanked(best[at + length])) {
          length++;
        }
        finish(search, lists[i], best, at, keep, length);
      }
    }
  }

  private static void finish(
      Search search, int list, double[] best, int at, int candidates, int length) {
    search.finish(list, best, at, at + candidates, length);
  }

  private DevicePlan plan(
      Search search, DeviceScores.Form form, int lists, int candidates, long bytes) {
    boolean masks = search.excluded.hasMasks();
    return DevicePlan.of(form, search.items, lists, candidates, masks, bytes)
        .orElseThrow(
            () ->
                new InvalidInputException(
                    ("a list of %d of %d items needs about %d bytes of temporary memory on %s but"
                            + " may use %d: raise temporaryBytes or ask for shorter lists")
                        .formatted(
                            search.keep,
                            search.numItems,
                            DevicePlan.leastBytes(
                                form, search.items.bytesPerRow(), candidates, masks),
                            Devices.name(search.queries.getDevice()),
                            bytes)));
  }

  /** Plans for half as much as was refused. */
  private void shrink(Search search, Device device, long bytes, RuntimeException refused) {
    long half = bytes / 2;
    int candidates = (int) Math.min(search.keep + 1L, search.numItems);
    boolean masks = search.excluded.hasMasks();
    boolean fits = true;
    for (DeviceScores.Form form : DeviceScores.Form.values()) {
      fits &= DevicePlan.of(form, search.items, 1, candidates, masks, half).isPresent();
    }
    if (!fits) {
      throw new DeviceMemoryException(
          ("%s has not enough free memory to search %d items of width %d even with %d bytes for"
                  + " one list of %d at a time: free memory there, ask for shorter lists, store"
                  + " items in fewer bits, or use a larger device")
              .formatted(
                  Devices.name(device),
                  search.numItems,
                  search.items.dimension(),
                  bytes,
                  search.keep),
          refused);
    }
    reduced.merge(device, half, Math::min);
  }
}
