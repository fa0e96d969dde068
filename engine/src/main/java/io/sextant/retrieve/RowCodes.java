package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.InvalidInputException;
import io.sextant.retrieve.CompactOptions.Precision;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Vectors stored with few bits, decoded tile by tile, and how far they are from those that were
 * stored.
 *
 * <p>Vectors that may change are not stored: they are read where they are.
 *
 * <p>Thread safety: immutable.
 */
final class RowCodes implements ItemRows {

  private static final int TILE = 8192;
  private static final int GREATEST = 127;

  /** The computed length of a difference may be too short by rounding: D + 2 roundings. */
  private static final double ROUNDING = 0x1p-24;

  private final IndexedItems items;
  private final NDArray codes;
  private final @Nullable NDArray scales;
  private double error;
  private double length;

  /**
   * Encodes the vectors that do not change.
   *
   * @param scope owns the codes; on whatever device
   * @throws InvalidInputException if a vector holds numbers that are none, or that the precision
   *     cannot hold
   */
  RowCodes(IndexedItems items, Precision precision, Scope scope) {
    this.items = items;
    int n = items.fixed();
    DataType type = precision == Precision.INT8 ? DataType.INT8 : DataType.FLOAT16;
    codes = scope.manager().create(new Shape(n, items.dimension()), type);
    scales = precision == Precision.INT8 ? scope.manager().create(new Shape(n, 1)) : null;
    for (int first = 0; first < n; first += TILE) {
      try (Scope tile = scope.child()) {
        encode(first, Math.min(n, first + TILE), type, tile);
      }
    }
  }

  private void encode(int first, int end, DataType type, Scope tile) {
    NDArray rows = placed(items.vectors(), first, end, tile);
    NDIndex place = new NDIndex("{}:{}", first, end);
    NDArray coded = rows;
    if (scales != null) {
      NDArray greatest = tile.adopt(tile.adopt(rows.abs()).max(new int[] {1}, true));
      // A vector of zeros has any scale.
      NDArray scale = tile.adopt(greatest.maximum(Float.MIN_NORMAL)).divi(GREATEST);
      scales.set(place, scale);
      coded = tile.adopt(tile.adopt(rows.div(scale)).round());
    }
    codes.set(place, tile.adopt(coded.toType(type, true)));
    NDArray decoded = decode(first, end, tile);
    double lost = greatestLength(tile.adopt(rows.sub(decoded)), tile);
    double whole = greatestLength(decoded, tile);
    if (!Double.isFinite(lost + whole)) {
      throw new InvalidInputException(
          "of the vectors of items %d to %d one holds NaN, infinite values or numbers too great for %s"
              .formatted(first, end - 1, type));
    }
    error = Math.max(error, lost);
    length = Math.max(length, whole);
  }

  /** The length of the longest row, or a little more; NaN or infinite if a number is. */
  static double greatestLength(NDArray rows, Scope scope) {
    NDArray squares = scope.adopt(scope.adopt(rows.mul(rows)).sum(new int[] {1}));
    double greatest = scope.adopt(squares.max()).getFloat();
    long width = rows.getShape().get(1);
    // Squares of tiny numbers vanish: what they can add up to.
    double vanished = width * (double) Float.MIN_NORMAL;
    return Math.sqrt(greatest * (1 + (width + 2) * ROUNDING * 2) + vanished);
  }

  /** How far a decoded vector can be from its original, at most. */
  double error() {
    return error;
  }

  /** The length of the longest vector, decoded or as it is, at most. */
  double length(Scope scope) {
    if (items.fixed() == items.size()) {
      return length;
    }
    try (Scope step = scope.child()) {
      NDArray changing = Tiles.rows(items.vectors(), items.fixed(), items.size(), step);
      return Math.max(length, greatestLength(changing, step));
    }
  }

  @Override
  public int size() {
    return items.size();
  }

  @Override
  public int dimension() {
    return items.dimension();
  }

  @Override
  public long bytesPerRow() {
    // What is decoded, and once more where a tile is joined from decoded and changing vectors.
    return 2L * items.dimension() * Float.BYTES;
  }

  @Override
  public NDArray rows(int from, int to, Scope scope) {
    int n = items.fixed();
    if (to <= n) {
      return decode(from, to, scope);
    }
    if (from >= n) {
      return placed(items.vectors(), from, to, scope);
    }
    NDArray decoded = decode(from, n, scope);
    NDArray changing = placed(items.vectors(), n, to, scope);
    return scope.adopt(NDArrays.concat(new NDList(decoded, changing), 0));
  }

  /** Rows [from, to) on the device of the scope, which owns them: a view if they are there. */
  static NDArray placed(NDArray matrix, int from, int to, Scope scope) {
    NDArray rows = Tiles.rows(matrix, from, to, scope);
    if (rows.getDevice().equals(scope.device())) {
      return rows;
    }
    try (rows) {
      return scope.adopt(rows.toDevice(scope.device(), true));
    }
  }

  private NDArray decode(int from, int to, Scope scope) {
    NDArray coded = Tiles.rows(codes, from, to, scope);
    NDArray decoded = scope.adopt(coded.toType(DataType.FLOAT32, true));
    return scales == null ? decoded : decoded.muli(Tiles.rows(scales, from, to, scope));
  }
}
