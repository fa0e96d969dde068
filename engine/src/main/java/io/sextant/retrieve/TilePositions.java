package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Items of each list of a block as positions in the tiles of scores, tile by tile, with a value
 * each or without.
 *
 * <p>Design. A copy to the device waits for it, so positions of as many tiles go over at once as
 * there is room for: one copy for most searches.
 *
 * <p>Thread safety: none.
 */
final class TilePositions {

  /** What is done with the positions of one tile, or some of them. */
  @FunctionalInterface
  interface Use {
    void of(NDArray positions, @Nullable NDArray values);
  }

  private final int[][] items;
  private final float @Nullable [] values;
  private final int[] next;
  private final int[] end;
  private final int numItems;
  private final int tileItems;
  private final int capacity;
  private final Scope block;

  private int tile;
  private int list;

  /** Positions and perhaps values that are on the device now. */
  private final NDList piece = new NDList();

  /** The tiles of the piece, and where the positions of each end in it. */
  private final int[] pieceTiles;

  private final int[] pieceEnds;
  private int pieceSize;
  private int cursor;

  /**
   * Starts before the first tile.
   *
   * @param items of each list
   * @param values in parallel to the items, which are then the same array for all lists; null for
   *     none
   * @param next where the items of each list begin; taken over
   * @param end where they end
   * @param capacity how many positions there may be on the device at once
   * @param block owns what is on the device
   */
  TilePositions(
      int[][] items,
      float @Nullable [] values,
      int[] next,
      int[] end,
      int numItems,
      int tileItems,
      int capacity,
      Scope block) {
    this.items = items;
    this.values = values;
    this.next = next;
    this.end = end;
    this.numItems = numItems;
    this.tileItems = tileItems;
    this.capacity = capacity;
    this.block = block;
    int tiles = Tiles.count(numItems, tileItems);
    pieceTiles = new int[tiles];
    pieceEnds = new int[tiles];
  }

  /** Uses the positions in a tile, in several pieces if they are many. Tiles ascend. */
  void inTile(int wanted, Use use) {
    while (true) {
      if (cursor < pieceSize) {
        if (pieceTiles[cursor] > wanted) {
          return;
        }
        int from = cursor == 0 ? 0 : pieceEnds[cursor - 1];
        NDIndex range = new NDIndex().addSliceDim(from, pieceEnds[cursor++]);
        try (NDArray positions = piece.get(0).get(range);
            NDArray added = values == null ? null : piece.get(1).get(range)) {
          use.of(positions, added);
        }
      } else if (tile > wanted || !load()) {
        return;
      }
    }
  }

  /** Loads the next piece, if there is one. */
  private boolean load() {
    int tiles = Tiles.count(numItems, tileItems);
    int[] positions = new int[Math.min(capacity, 1024)];
    float[] added = new float[values == null ? 0 : positions.length];
    int n = 0;
    pieceSize = 0;
    cursor = 0;
    while (tile < tiles && n < capacity) {
      int before = n;
      int first = tile * tileItems;
      int width = Math.min(tileItems, numItems - first);
      while (list < next.length && n < capacity) {
        int at = next[list];
        if (at == end[list] || items[list][at] >= first + width) {
          list++;
          continue;
        }
        if (n == positions.length) {
          positions = Arrays.copyOf(positions, Math.min(capacity, 2 * n));
          added = Arrays.copyOf(added, values == null ? 0 : positions.length);
        }
        if (values != null) {
          added[n] = values[at];
        }
        positions[n++] = list * width + items[list][at] - first;
        next[list]++;
      }
      if (n > before) {
        pieceTiles[pieceSize] = tile;
        pieceEnds[pieceSize++] = n;
      }
      if (list == next.length) {
        tile++;
        list = 0;
      }
    }
    piece.close();
    piece.clear();
    if (n == 0) {
      return false;
    }
    piece.add(HostArrays.longs(block.manager(), Arrays.copyOf(positions, n), n));
    if (values != null) {
      piece.add(HostArrays.floats(block.manager(), Arrays.copyOf(added, n), n));
    }
    return true;
  }
}
