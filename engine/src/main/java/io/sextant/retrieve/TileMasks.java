package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The masks of a block of lists on a device.
 *
 * <p>Design. Bits stay packed on the way and are unpacked there; a mask that several lists share
 * goes over once; and those of as many tiles as there is room for go at once.
 *
 * <p>Thread safety: none.
 */
final class TileMasks {

  private final List<long[]> masks;
  private final int numItems;
  private final int tileItems;
  private final int tilesAtOnce;
  private final Scope block;

  /** (b, 1) int64: the row of each list's mask; row 0 excludes nothing. */
  private final NDArray rowOfList;

  private final NDArray powers;
  private final NDArray two;
  private final NDArray one;

  private @Nullable NDArray packed;
  private int firstTile;
  private int endTile;

  private TileMasks(
      List<long[]> masks, int[] rows, int numItems, int tileItems, long bytes, Scope block) {
    this.masks = masks;
    this.numItems = numItems;
    this.tileItems = tileItems;
    this.block = block;
    long ofTile = (long) masks.size() * bytes(tileItems);
    tilesAtOnce = (int) Math.max(1, Math.min(Tiles.count(numItems, tileItems), bytes / ofTile));
    rowOfList = HostArrays.longs(block.manager(), rows, rows.length, 1);
    powers = HostArrays.floats(block.manager(), new float[] {1, 2, 4, 8, 16, 32, 64, 128}, 1, 1, 8);
    two = HostArrays.floats(block.manager(), new float[] {2}, 1);
    one = HostArrays.floats(block.manager(), new float[] {1}, 1);
  }

  /**
   * The masks of some lists, or null if none of them has one.
   *
   * @param lists of the search
   * @param bytes how much of them, packed, may be on the device at once; at least one tile is
   */
  static @Nullable TileMasks of(
      Exclusions excluded, int[] lists, int numItems, int tileItems, long bytes, Scope block) {
    Map<long[], Integer> rowOf = new IdentityHashMap<>();
    List<long[]> masks = new ArrayList<>(List.of(new long[0]));
    int[] rows = new int[lists.length];
    for (int i = 0; i < lists.length; i++) {
      long[] mask = excluded.masks()[lists[i]];
      if (mask != null) {
        Integer row = rowOf.putIfAbsent(mask, masks.size());
        if (row == null) {
          row = masks.size();
          masks.add(mask);
        }
        rows[i] = row;
      }
    }
    return masks.size() == 1 ? null : new TileMasks(masks, rows, numItems, tileItems, bytes, block);
  }

  private static int bytes(int items) {
    return Tiles.count(items, Byte.SIZE);
  }

  /** The scores with those of masked items replaced; the old ones are closed. Tiles ascend. */
  NDArray replace(NDArray scores, int tile, NDArray by, Scope scope) {
    NDArray bytes = load(tile);
    int width = (int) scores.getShape().get(1);
    int first = (tile - firstTile) * bytes(tileItems);
    NDIndex columns = new NDIndex(":, " + first + ":" + (first + bytes(width)));
    Shape shape = scores.getShape();
    try (Scope step = scope.child()) {
      NDArray some = step.adopt(bytes.get(columns));
      NDArray numbers = step.adopt(some.toType(DataType.FLOAT32, false));
      NDArray shifted = step.adopt(step.adopt(numbers.reshape(masks.size(), -1, 1)).div(powers));
      numbers.close();
      // Below 2 is the bit of that place, and what is behind the point.
      NDArray bits = step.adopt(shifted.mod(two));
      shifted.close();
      NDArray set = step.adopt(bits.gte(one));
      bits.close();
      NDArray rows = step.adopt(set.reshape(masks.size(), -1));
      NDArray index = step.adopt(rowOfList.broadcast(shape));
      NDArray masked = step.adopt(rows.gather(index, 0));
      NDArray constant = step.adopt(by.broadcast(shape));
      NDArray result = scope.adopt(NDArrays.where(masked, constant, scores));
      scores.close();
      return result;
    }
  }

  /** The bytes from the first loaded tile on, that of the tile among them. */
  private NDArray load(int tile) {
    if (packed != null && tile < endTile) {
      return packed;
    }
    if (packed != null) {
      packed.close();
    }
    firstTile = tile;
    endTile = Math.min(Tiles.count(numItems, tileItems), tile + tilesAtOnce);
    int firstByte = firstTile * bytes(tileItems);
    int row = bytes((int) Math.min(numItems, (long) endTile * tileItems)) - firstByte;
    packed =
        HostArrays.create(
            block.manager(),
            new Shape(masks.size(), row),
            DataType.UINT8,
            buffer -> {
              for (int mask = 0; mask < masks.size(); mask++) {
                write(masks.get(mask), firstByte, buffer, mask * row, row);
              }
            });
    return packed;
  }

  private static void write(long[] mask, int firstByte, ByteBuffer buffer, int at, int length) {
    for (int i = 0; i < length; i++) {
      int word = (firstByte + i) / Long.BYTES;
      long bits = word < mask.length ? mask[word] : 0;
      buffer.put(at + i, (byte) (bits >>> (firstByte + i) % Long.BYTES * Byte.SIZE));
    }
  }
}
