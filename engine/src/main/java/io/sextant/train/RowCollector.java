package io.sextant.train;

import ai.djl.ndarray.NDManager;
import io.sextant.tensor.RowSet;
import java.util.Arrays;

/**
 * Finds the distinct rows of one table among the indices of a batch, and numbers them from 0 in the
 * order in which they first occur. A stamp per row of the table makes this O(indices) without
 * hashing or sorting.
 *
 * <p>Thread safety: belongs to one thread.
 */
public final class RowCollector {

  /** For each row its stamp, above its local number: one place to read and write for both. */
  private final long[] slots;

  private int stamp = 1; // Rows begin with 0, which must not mean that they were read.
  private int[] rows = new int[1024];
  private int[] counts = new int[1024];
  private int size;

  /** A collector for a table of so many rows: 8 bytes a row. */
  public RowCollector(int tableRows) {
    slots = new long[tableRows];
  }

  /** Forgets all rows: the next batch begins. */
  public void clear() {
    size = 0;
    stamp++;
  }

  /** The local number of a row, which is counted as read once more. */
  public int add(int row) {
    return add(row, 1);
  }

  /** The local number of a row, which is counted as read so many times more; 0 is allowed. */
  int add(int row, int times) {
    long slot = slots[row];
    if ((int) (slot >>> 32) == stamp) {
      int local = (int) slot;
      counts[local] += times;
      return local;
    }
    if (size == rows.length) {
      rows = Arrays.copyOf(rows, 2 * size);
      counts = Arrays.copyOf(counts, 2 * size);
    }
    slots[row] = (long) stamp << 32 | size;
    rows[size] = row;
    counts[size] = times;
    return size++;
  }

  /** The local number of a row that was added, or -1. */
  public int localOf(int row) {
    long slot = slots[row];
    return (int) (slot >>> 32) == stamp ? (int) slot : -1;
  }

  /** How many distinct rows there are. */
  public int size() {
    return size;
  }

  /** The row with a local number. */
  public int row(int local) {
    return rows[local];
  }

  /** The distinct rows as a copy. */
  public int[] rows() {
    return Arrays.copyOf(rows, size);
  }

  /** The distinct rows, from the start of an array that the next {@link #add} may change. */
  int[] sharedRows() {
    return rows;
  }

  /** How often each was added, in an array like that of {@link #sharedRows}. */
  int[] sharedCounts() {
    return counts;
  }

  /** The distinct rows and their counts, with the index tensor in the manager. */
  public RowSet toRowSet(NDManager manager) {
    return new RowSet(manager, rows(), Arrays.copyOf(counts, size));
  }
}
