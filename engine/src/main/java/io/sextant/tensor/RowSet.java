package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * The distinct rows of one table that a batch reads.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 */
public final class RowSet {

  private final int[] rows;
  private final int[] counts;
  private final NDArray index;

  /**
   * @param manager owns the index tensor
   * @param rows (K) distinct rows
   * @param counts (K) how often the batch reads each
   */
  public RowSet(NDManager manager, int[] rows, int[] counts) {
    this.rows = rows;
    this.counts = counts;
    this.index = HostArrays.longs(manager, rows, rows.length);
  }

  /** K. */
  public int size() {
    return rows.length;
  }

  /** (K), not a copy. */
  int[] rows() {
    return rows;
  }

  /** How often the batch reads the k-th row. */
  public int count(int k) {
    return counts[k];
  }

  /** (K,) int64 on the device. */
  public NDArray index() {
    return index;
  }
}
