package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.Map;

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

  /**
   * Where each of these rows is in another set (K), or the other's size for one that it lacks: with
   * a row of zeros behind the other's rows, an index to carry them over.
   */
  public int[] placesIn(RowSet other) {
    Map<Integer, Integer> places = new HashMap<>();
    for (int k = 0; k < other.rows.length; k++) {
      places.put(other.rows[k], k);
    }
    int[] found = new int[rows.length];
    for (int k = 0; k < found.length; k++) {
      found[k] = places.getOrDefault(rows[k], other.rows.length);
    }
    return found;
  }

  /** (K), not a copy. */
  int[] rows() {
    return rows;
  }

  /** (K), not a copy. */
  int[] counts() {
    return counts;
  }

  /** The k-th row. */
  public int row(int k) {
    return rows[k];
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
