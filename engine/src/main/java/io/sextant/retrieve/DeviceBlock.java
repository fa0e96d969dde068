package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Some lists of a search on their way through the tiles, on a device: product, sparse scores and
 * masks of a tile, its best, and the best of these and of those so far. Nothing comes back before
 * the last tile.
 *
 * <p>Thread safety: none.
 */
final class DeviceBlock {

  private final Search search;
  private final DevicePlan plan;
  private final int candidates;
  private final Scope block;
  private final DeviceScores form;
  private final @Nullable TilePositions excluded;
  private final @Nullable TilePositions added;
  private final @Nullable TileMasks masks;

  /** (T) int64: the first item of each tile. */
  private final NDArray firstItems;

  /** Scores and items so far; empty before the first tile. */
  private final NDList soFar = new NDList();

  /**
   * Puts on the device what all tiles need.
   *
   * @param lists of the search
   * @param candidates how many items to keep of each, at most all
   */
  DeviceBlock(
      Search search,
      int[] lists,
      DeviceScores.Form form,
      int candidates,
      DevicePlan plan,
      Scope block) {
    this.search = search;
    this.plan = plan;
    this.candidates = candidates;
    this.block = block;
    int met = Math.min(candidates, plan.tileItems());
    this.form = form.open(Math.max(plan.tileItems(), candidates + met), block);
    excluded = excluded(lists);
    added = added(lists);
    masks =
        TileMasks.of(
            search.excluded, lists, search.numItems, plan.tileItems(), plan.maskBytes(), block);
    int[] firsts = new int[Tiles.count(search.numItems, plan.tileItems())];
    Arrays.setAll(firsts, tile -> tile * plan.tileItems());
    firstItems = HostArrays.longs(block.manager(), firsts, firsts.length);
  }

  private @Nullable TilePositions excluded(int[] lists) {
    int[][] rows = new int[lists.length][];
    int[] from = new int[lists.length];
    int[] to = new int[lists.length];
    boolean any = false;
    for (int i = 0; i < lists.length; i++) {
      rows[i] = search.excluded.rows()[lists[i]];
      from[i] = Exclusions.insertionPoint(rows[i], 0);
      to[i] = Exclusions.insertionPoint(rows[i], search.numItems);
      any |= from[i] < to[i];
    }
    return any ? positions(rows, null, from, to) : null;
  }

  private @Nullable TilePositions added(int[] lists) {
    SparseRows sparse = search.added;
    if (sparse == null || sparse.items().length == 0) {
      return null;
    }
    int[][] rows = new int[lists.length][];
    int[] from = new int[lists.length];
    int[] to = new int[lists.length];
    for (int i = 0; i < lists.length; i++) {
      rows[i] = sparse.items();
      from[i] = sparse.starts()[lists[i]];
      to[i] = sparse.starts()[lists[i] + 1];
    }
    return positions(rows, sparse.values(), from, to);
  }

  private TilePositions positions(
      int[][] rows, float @Nullable [] rowValues, int[] from, int[] to) {
    return new TilePositions(
        rows, rowValues, from, to, search.numItems, plan.tileItems(), plan.entries(), block);
  }

  /**
   * Goes through all tiles.
   *
   * @param queries (b, D), those of the lists
   * @param beforeTile is told how many scores the next tile has
   * @return for each list its candidates, descending, and then their items: b rows of 2 n numbers
   */
  double[] best(NDArray queries, LongConsumer beforeTile) {
    long lists = queries.getShape().get(0);
    for (int first = 0, tile = 0; first < search.numItems; first += plan.tileItems(), tile++) {
      int end = (int) Math.min(search.numItems, (long) first + plan.tileItems());
      beforeTile.accept(lists * (end - first));
      try (Scope step = block.child()) {
        select(scores(queries, first, end, tile, step), tile, step);
      }
    }
    try (Scope step = block.child()) {
      NDArray scores = step.adopt(soFar.get(0).toType(DataType.FLOAT64, false));
      NDArray numbers = step.adopt(soFar.get(1).toType(DataType.FLOAT64, false));
      return HostArrays.toDoubles(step.adopt(NDArrays.concat(new NDList(scores, numbers), 1)));
    }
  }

  private NDArray scores(NDArray queries, int first, int end, int tile, Scope step) {
    NDArray rows = search.items.rows(first, end, step);
    NDArray products = step.adopt(queries.matMul(step.adopt(rows.transpose())));
    if (added != null) {
      try (NDArray flat = products.reshape(-1)) {
        added.inTile(tile, (positions, sparse) -> addTo(flat, positions, sparse));
      }
    }
    NDArray scores = form.of(products, step);
    if (excluded != null) {
      try (NDArray flat = scores.reshape(-1)) {
        excluded.inTile(
            tile, (positions, none) -> flat.set(new NDIndex("{}", positions), form.excluded()));
      }
    }
    return masks == null ? scores : masks.replace(scores, tile, form.excluded(), step);
  }

  /** A list has an item once, so no position comes twice. */
  private static void addTo(NDArray flat, NDArray positions, @Nullable NDArray sparse) {
    try (NDArray sums = flat.gather(positions, 0)) {
      flat.set(new NDIndex("{}", positions), sums.addi(sparse));
    }
  }

  /** Merges the best of a tile, whose items come after all so far, with those so far. */
  private void select(NDArray scores, int tile, Scope step) {
    NDList best = form.greatest(scores, (int) Math.min(candidates, scores.getShape().get(1)), step);
    scores.close();
    NDArray tileValues = best.get(0);
    NDArray first = step.adopt(firstItems.get(new NDIndex().addSliceDim(tile, tile + 1)));
    NDArray tileItems = best.get(1).addi(first);
    if (soFar.isEmpty()) {
      soFar.addAll(List.of(block.adopt(tileValues), block.adopt(tileItems)));
      return;
    }
    NDArray bothValues = step.adopt(NDArrays.concat(new NDList(soFar.get(0), tileValues), 1));
    NDArray bothItems = step.adopt(NDArrays.concat(new NDList(soFar.get(1), tileItems), 1));
    soFar.close();
    soFar.clear();
    int kept = (int) Math.min(candidates, bothValues.getShape().get(1));
    NDList merged = form.greatest(bothValues, kept, step);
    soFar.add(block.adopt(merged.get(0)));
    soFar.add(block.adopt(bothItems.gather(merged.get(1), 1)));
  }
}
