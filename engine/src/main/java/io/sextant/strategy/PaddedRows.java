package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rows of a sparse matrix as rectangles on a device. Rows of similar length share a batch, so that
 * little is padded; a row longer than a batch may be has several rectangles, one behind the other.
 *
 * @param rows (B), int64, which rows these are; distinct
 * @param pieces the columns, all with the same B
 */
record PaddedRows(NDArray rows, List<Piece> pieces) {

  /**
   * @param columns (B, L), int64; 0 where a row has ended
   * @param mask (B, 1, L), the weights of entries and 0 for padding
   */
  record Piece(NDArray columns, NDArray mask) {}

  /** How many rows there are, B. */
  long size() {
    return rows.size();
  }

  /**
   * All rows that are not empty, in the memory of the scope.
   *
   * @param maxEntries at most so many entries, padding included, in one piece
   */
  static List<PaddedRows> of(Scope scope, Links matrix, int maxEntries) {
    int[] order =
        IntStream.range(0, matrix.numRows())
            .filter(row -> matrix.degree(row) > 0)
            .boxed()
            .sorted((a, b) -> Integer.compare(matrix.degree(b), matrix.degree(a)))
            .mapToInt(Integer::intValue)
            .toArray();
    List<PaddedRows> batches = new ArrayList<>();
    for (int from = 0; from < order.length; ) {
      int longest = matrix.degree(order[from]);
      int to = Math.min(order.length, from + Math.max(1, maxEntries / longest));
      batches.add(batch(scope, matrix, order, from, to, maxEntries));
      from = to;
    }
    return batches;
  }

  private static PaddedRows batch(
      Scope scope, Links matrix, int[] order, int from, int to, int maxEntries) {
    int longest = matrix.degree(order[from]);
    int size = to - from;
    NDArray rows =
        HostArrays.create(
            scope.manager(),
            new Shape(size),
            DataType.INT64,
            memory -> {
              LongBuffer longs = memory.asLongBuffer();
              for (int b = from; b < to; b++) {
                longs.put(order[b]);
              }
            });
    List<Piece> pieces = new ArrayList<>();
    for (int first = 0; first < longest; first += maxEntries) {
      pieces.add(
          piece(scope, matrix, order, from, to, first, Math.min(longest, first + maxEntries)));
    }
    return new PaddedRows(rows, pieces);
  }

  /** Entries [first, last) of each of the rows. */
  private static Piece piece(
      Scope scope, Links matrix, int[] order, int from, int to, int first, int last) {
    NDArray columns =
        HostArrays.create(
            scope.manager(),
            new Shape(to - from, last - first),
            DataType.INT64,
            memory -> {
              LongBuffer longs = memory.asLongBuffer();
              for (int b = from; b < to; b++) {
                int start = matrix.starts()[order[b]];
                int degree = matrix.degree(order[b]);
                for (int at = first; at < last; at++) {
                  longs.put(at < degree ? matrix.columns()[start + at] : 0);
                }
              }
            });
    NDArray mask =
        HostArrays.create(
            scope.manager(),
            new Shape(to - from, 1, last - first),
            DataType.FLOAT32,
            memory -> {
              FloatBuffer floats = memory.asFloatBuffer();
              for (int b = from; b < to; b++) {
                int start = matrix.starts()[order[b]];
                for (int at = first; at < last; at++) {
                  floats.put(at < matrix.degree(order[b]) ? matrix.weights()[start + at] : 0);
                }
              }
            });
    return new Piece(columns, mask);
  }
}
