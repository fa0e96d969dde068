package io.sextant.retrieve;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;

/**
 * In what form a device holds the scores that it selects from. Constants lie on the device, because
 * each number that an operation is given would be copied there and waited for.
 *
 * <p>Thread safety: none, one for each block of lists.
 */
abstract sealed class DeviceScores {

  /** What a form costs in memory. */
  enum Form {
    /** {@link Plain}. */
    PLAIN(Float.BYTES, 2 * Float.BYTES, 44, 24, 0),
    /** {@link Ordered}. */
    ORDERED(Double.BYTES, 24, 56, 40, 2 * Double.BYTES);

    /** Bytes of a score. */
    final int value;

    /** Bytes for a score of a tile at the worst moment, with its product and without masks. */
    final int ofTile;

    /**
     * Bytes for a candidate so far at the worst moment: its score and item, both again beside those
     * of the tile, in the result, and on the way to the host.
     */
    final int kept;

    /** Bytes for a candidate of a tile at the worst moment, as it meets those so far. */
    final int met;

    /** Bytes for each column to select from, whatever the number of lists. */
    final int constants;

    Form(int value, int ofTile, int kept, int met, int constants) {
      this.value = value;
      this.ofTile = ofTile;
      this.kept = kept;
      this.met = met;
      this.constants = constants;
    }

    /**
     * Makes the constants.
     *
     * @param columns of the widest matrix to select from
     */
    DeviceScores open(int columns, Scope block) {
      return this == PLAIN ? new Plain(block) : new Ordered(columns, block);
    }
  }

  /** The score of an excluded item, (1). */
  abstract NDArray excluded();

  /** Products in this form, owned by the tile; they are closed if they are not the result. */
  abstract NDArray of(NDArray products, Scope tile);

  /**
   * The greatest scores of each row, descending.
   *
   * @param scores (b, w)
   * @return (b, n) scores and (b, n) int64 columns, owned by the scope
   */
  abstract NDList greatest(NDArray scores, int n, Scope scope);

  /**
   * Float32 as they are. Which of equal scores are selected is the device's choice, and NaN comes
   * first.
   */
  static final class Plain extends DeviceScores {
    private final NDArray excluded;

    private Plain(Scope block) {
      excluded = HostArrays.floats(block.manager(), new float[] {Float.NEGATIVE_INFINITY}, 1);
    }

    @Override
    NDArray excluded() {
      return excluded;
    }

    @Override
    NDArray of(NDArray products, Scope tile) {
      return products;
    }

    @Override
    NDList greatest(NDArray scores, int n, Scope scope) {
      NDList best = scores.topK(n, 1, true, true);
      best.attach(scope.manager());
      return best;
    }
  }

  /**
   * Float64, in which everything has its place: below all scores come the excluded items, below
   * those NaN. Of equal scores those in the lower columns are selected.
   *
   * <p>Design. A float32 leaves 29 bits of a double free. Each score s is compared as
   *
   * <pre>
   *   s - |s| c 2^-51 - c 2^-300
   * </pre>
   *
   * with its column c below 2^26. The second term is at least two units in the last place for each
   * column, and less than the distance 2^-24 |s| to the next float32; the third tells zeros apart
   * and is lost beside every other float32. Infinities stand as numbers beyond all float32.
   */
  static final class Ordered extends DeviceScores {
    static final int MAX_COLUMNS = 1 << 26;

    /** For an infinite score. */
    static final double INFINITE = 1e40;

    private static final double EXCLUDED = -1e50;
    private static final double NOT_A_NUMBER = -1e60;

    private final NDArray constants;
    private final NDArray excluded;
    private final NDArray perScore;
    private final NDArray perZero;

    private Ordered(int columns, Scope block) {
      double[] numbers = {EXCLUDED, NOT_A_NUMBER, -INFINITE, INFINITE};
      constants = HostArrays.doubles(block.manager(), numbers, 4);
      excluded = constant(0, block);
      double[] weights = new double[columns];
      double[] zeros = new double[columns];
      for (int column = 0; column < columns; column++) {
        weights[column] = -column * 0x1p-51;
        zeros[column] = -column * 0x1p-300;
      }
      perScore = HostArrays.doubles(block.manager(), weights, columns);
      perZero = HostArrays.doubles(block.manager(), zeros, columns);
    }

    /** Whether it is the score of an item that may appear in a list. */
    static boolean isRanked(double score) {
      return score >= -INFINITE;
    }

    private NDArray constant(int index, Scope scope) {
      return scope.adopt(constants.get(new NDIndex().addSliceDim(index, index + 1)));
    }

    @Override
    NDArray excluded() {
      return excluded;
    }

    @Override
    NDArray of(NDArray products, Scope tile) {
      NDArray scores = tile.adopt(products.toType(DataType.FLOAT64, false));
      products.close();
      scores = replace(scores, tile.adopt(scores.maximum(constant(2, tile))));
      scores = replace(scores, tile.adopt(scores.minimum(constant(3, tile))));
      try (NDArray nan = scores.isNaN();
          NDArray last = constant(1, tile).broadcast(scores.getShape())) {
        return replace(scores, tile.adopt(NDArrays.where(nan, last, scores)));
      }
    }

    private static NDArray replace(NDArray old, NDArray by) {
      old.close();
      return by;
    }

    @Override
    NDList greatest(NDArray scores, int n, Scope scope) {
      long width = scores.getShape().get(1);
      NDIndex used = new NDIndex().addSliceDim(0, width);
      try (NDArray keys = scores.abs();
          NDArray weights = perScore.get(used);
          NDArray zeros = perZero.get(used)) {
        keys.muli(weights).addi(zeros).addi(scores);
        NDList best = keys.topK(n, 1, true, true);
        best.attach(scope.manager());
        best.get(0).close();
        NDArray columns = best.get(1);
        return new NDList(scope.adopt(scores.gather(columns, 1)), columns);
      }
    }
  }
}
