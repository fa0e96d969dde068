package io.sextant.store;

import io.sextant.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.List;

/**
 * What each user of a bundle did: dense item indices, oldest first, with repetitions. They stay on
 * the disk and are read user by user, until the bundle is closed.
 *
 * <p>On the disk they are compressed sparse rows: {@code offsets} (U + 1) and {@code items} (R),
 * both I32; the history of user u is {@code items[offsets[u] .. offsets[u + 1] - 1]}. Opening a
 * bundle reads them once and refuses offsets that do not ascend and items that are not in the
 * catalogue, so a caller may use what comes from here as an index.
 *
 * <p>Cost: two reads for each call of {@link #of}. Thread safety: as {@link StoredTensors}.
 */
public final class StoredHistories {

  static final String OFFSETS = "offsets";
  static final String ITEMS = "items";

  private final TensorSource offsets;
  private final TensorSource items;

  private StoredHistories(TensorSource offsets, TensorSource items) {
    this.offsets = offsets;
    this.items = items;
  }

  /**
   * The histories in a file.
   *
   * @throws InvalidInputException if they are not histories of so many users over so many items
   */
  static StoredHistories open(StoredTensors tensors, long numUsers, long numItems, String where) {
    long rows = tensors.contains(ITEMS) ? tensors.tensor(ITEMS).spec().rows() : 0;
    List<TensorSpec> expected = specs(numUsers, rows);
    if (tensors.specs().size() != expected.size() || !tensors.specs().containsAll(expected)) {
      throw new InvalidInputException(
          "%s: histories of %d users need the tensors %s but there are %s"
              .formatted(where, numUsers, expected, tensors.specs()));
    }
    TensorSource offsets = tensors.tensor(OFFSETS);
    TensorSource items = tensors.tensor(ITEMS);
    checkOffsets(offsets, rows, where);
    checkItems(items, numItems, where);
    return new StoredHistories(offsets, items);
  }

  static List<TensorSpec> specs(long numUsers, long rows) {
    return List.of(
        TensorSpec.of(OFFSETS, TensorType.I32, numUsers + 1),
        TensorSpec.of(ITEMS, TensorType.I32, rows));
  }

  private static void checkOffsets(TensorSource offsets, long rows, String where) {
    long[] last = {0};
    offsets.forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (first, count, chunk) -> {
          IntBuffer values = chunk.asIntBuffer();
          for (int i = 0; i < count; i++) {
            int offset = values.get(i);
            if (offset < last[0] || (first + i == 0 && offset != 0)) {
              throw new InvalidInputException(
                  "%s: offset %d is %d but must begin with 0 and ascend: the bundle is damaged"
                      .formatted(where, first + i, offset));
            }
            last[0] = offset;
          }
        });
    if (last[0] != rows) {
      throw new InvalidInputException(
          "%s: the offsets end at %d but there are %d items: the bundle is damaged"
              .formatted(where, last[0], rows));
    }
  }

  private static void checkItems(TensorSource items, long numItems, String where) {
    items.forEachChunk(
        SafetensorsWriter.CHUNK_BYTES,
        (first, count, chunk) -> {
          IntBuffer values = chunk.asIntBuffer();
          for (int i = 0; i < count; i++) {
            int item = values.get(i);
            if (item < 0 || item >= numItems) {
              throw new InvalidInputException(
                  "%s: entry %d is item %d, which is not one of the %d items: the bundle is damaged"
                      .formatted(where, first + i, item, numItems));
            }
          }
        });
  }

  /** How many users there are, with a history or without. */
  public int numUsers() {
    return (int) (offsets.spec().rows() - 1);
  }

  /** The length of all histories together. */
  public long size() {
    return items.spec().rows();
  }

  /**
   * The items of a user, oldest first: a new array.
   *
   * @param user dense index, in the order of {@link ModelBundle#users}
   * @throws IndexOutOfBoundsException if there is no such user
   */
  public int[] of(int user) {
    int[] range = read(offsets, user, 2);
    return read(items, range[0], range[1] - range[0]);
  }

  /** Where each history begins in {@link #allItems}, and at the end its length: a new array. */
  public int[] allOffsets() {
    return offsets.toInts();
  }

  /** The items of all histories, one after the other: a new array. */
  public int[] allItems() {
    return items.toInts();
  }

  private static int[] read(TensorSource tensor, long firstRow, int rows) {
    ByteBuffer bytes =
        ByteBuffer.allocate(tensor.spec().bytesOfRows(firstRow, rows))
            .order(ByteOrder.LITTLE_ENDIAN);
    tensor.readRows(firstRow, rows, bytes);
    int[] values = new int[rows];
    bytes.flip().asIntBuffer().get(values);
    return values;
  }
}
