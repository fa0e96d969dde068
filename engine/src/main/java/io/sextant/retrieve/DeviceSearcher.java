package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * For tensors on any device: product, mask and top-k of a tile happen there, and the best of the
 * tiles are merged on the host.
 *
 * <p>Design. Which of several equal scores a device's top-k keeps is not defined, and it ranks NaN
 * first. So one item more than needed is asked for: where it equals the last one needed, and could
 * still enter the list, or where a NaN turns up, that row of the tile is copied to the host and
 * scanned there. With real-valued scores this almost never happens.
 *
 * <p>Thread safety: safe.
 */
final class DeviceSearcher implements Searcher {

  private static final int MAX_TILE_LISTS = 1024;

  private final long tileScores;

  /**
   * @param temporaryBytes half of it for a tile of scores, half for the work of top-k
   */
  DeviceSearcher(long temporaryBytes) {
    // Of what a tile does not use, top-k takes about as much again.
    this.tileScores = Math.min(temporaryBytes / 2 / Float.BYTES, 1 << 29);
  }

  @Override
  public void search(Search search, Scope scope) {
    int tileLists = Math.min(MAX_TILE_LISTS, search.listsPerBlock());
    int tileItems =
        Tiles.evenWidth(search.numItems, (int) Math.max(1, tileScores / Math.max(1, tileLists)));
    for (int firstList = 0; firstList < search.numLists; firstList += tileLists) {
      int lists = Math.min(tileLists, search.numLists - firstList);
      Candidates candidates = search.candidates(firstList, lists);
      try (Scope block = scope.child()) {
        NDArray queries = Tiles.rows(search.queries, firstList, firstList + lists, block);
        for (int firstItem = 0; firstItem < search.numItems; firstItem += tileItems) {
          try (Scope tile = block.child()) {
            int end = Math.min(search.numItems, firstItem + tileItems);
            NDArray items = search.items.rows(firstItem, end, tile);
            NDArray scores = tile.adopt(queries.matMul(tile.adopt(items.transpose())));
            add(search, scores, firstList, firstItem, tile);
            select(search, scores, candidates, firstList, firstItem, tile);
          }
        }
      }
      for (int list = 0; list < lists; list++) {
        search.finish(candidates, firstList, list);
      }
    }
  }

  private static void select(
      Search search,
      NDArray scores,
      Candidates candidates,
      int firstList,
      int firstItem,
      Scope tile) {
    int lists = (int) scores.getShape().get(0);
    int width = (int) scores.getShape().get(1);
    if (width <= search.keep) {
      TileScan scan = new TileScan();
      IntBuffer bits = bits(scores);
      for (int list = 0; list < lists; list++) {
        scan.scan(bits, list * width, width, candidates, list, firstItem);
      }
      return;
    }
    mask(search, scores, firstList, firstItem, tile);
    NDList best = scores.topK(search.keep + 1, 1, true, true);
    best.attach(tile.manager());
    float[] values = HostArrays.toFloats(best.get(0));
    long[] columns = best.get(1).toLongArray();
    TileScan scan = new TileScan();
    for (int list = 0; list < lists; list++) {
      int at = list * (search.keep + 1);
      int before = candidates.threshold(list);
      if (isUndecided(values, at, search.keep, before)) {
        try (NDArray row = scores.get(list)) {
          scan.scan(bits(row), 0, width, candidates, list, firstItem);
        }
        continue;
      }
      for (int i = at; i < at + search.keep; i++) {
        candidates.offer(
            list, firstItem + (int) columns[i], Float.floatToRawIntBits(values[i]), before);
      }
    }
  }

  /** Whether the k best of k + 1 descending values are not known, and may matter. */
  private static boolean isUndecided(float[] values, int at, int k, int threshold) {
    float last = values[at + k - 1];
    // Adding zero makes a zero of -0.0, whose key is that of no candidate.
    return Float.isNaN(values[at])
        || (last == values[at + k]
            && Candidates.keyOfBits(Float.floatToRawIntBits(last + 0f)) > threshold);
  }

  /** Adds the sparse rows to a tile, in place. */
  private static void add(Search search, NDArray scores, int firstList, int firstItem, Scope tile) {
    SparseRows added = search.added;
    if (added == null) {
      return;
    }
    int lists = (int) scores.getShape().get(0);
    int width = (int) scores.getShape().get(1);
    float[] dense = new float[lists * width];
    for (int list = 0; list < lists; list++) {
      int row = firstList + list;
      int end = added.starts()[row + 1];
      for (int at = added.firstFrom(row, firstItem);
          at < end && added.items()[at] < firstItem + width;
          at++) {
        dense[list * width + added.items()[at] - firstItem] = added.values()[at];
      }
    }
    scores.addi(HostArrays.floats(tile.manager(), dense, lists, width));
  }

  /** Writes negative infinity over the excluded items, in place. */
  private static void mask(
      Search search, NDArray scores, int firstList, int firstItem, Scope tile) {
    int lists = (int) scores.getShape().get(0);
    int width = (int) scores.getShape().get(1);
    int[] positions = new int[256];
    int n = 0;
    for (int list = 0; list < lists; list++) {
      int[] excluded = search.excluded.between(firstList + list, firstItem, firstItem + width);
      if (positions.length < n + excluded.length) {
        positions = Arrays.copyOf(positions, Math.max(n + excluded.length, 2 * n));
      }
      for (int item : excluded) {
        positions[n++] = list * width + item - firstItem;
      }
    }
    if (n > 0) {
      NDArray index = HostArrays.longs(tile.manager(), Arrays.copyOf(positions, n), n);
      NDArray flat = tile.adopt(scores.reshape(-1));
      flat.set(new NDIndex("{}", index), Float.NEGATIVE_INFINITY);
    }
  }

  private static IntBuffer bits(NDArray scores) {
    float[] values = HostArrays.toFloats(scores);
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return IntBuffer.wrap(bits);
  }
}
