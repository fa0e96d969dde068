package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import java.nio.FloatBuffer;
import java.util.Map;

/**
 * Updates only those rows of an embedding table (R, D) that a batch has read. Cost and memory
 * follow the K rows of the batch, never the R rows of the table.
 *
 * <p>On the CPU the update is a loop over the table's own memory, on several threads; on any other
 * device, and for tables beyond 2 GiB, it is a handful of tensor operations. Both compute the same
 * function.
 *
 * <p>Thread safety: a table and its optimizer belong to one thread at a time.
 */
public sealed interface RowOptimizer permits RowAdagrad, RowAdam {

  /**
   * One update.
   *
   * @param table (R, D), changed in place
   * @param rows which rows the gradient is of; distinct
   * @param gradient (K, D), the gradient of the loss with respect to those rows
   * @param learningRate step size
   */
  void step(NDArray table, RowSet rows, NDArray gradient, float learningRate);

  /**
   * One update by tensor operations alone, the same number of them whatever the sizes.
   *
   * @param table (R, D), changed in place
   * @param index (P,) int64; a row may come several times if it has the same gradient each time
   * @param gradient (P, D)
   * @param learningRate step size
   */
  void stepOnDevice(NDArray table, NDArray index, NDArray gradient, float learningRate);

  /**
   * One update of a table whose memory Java can walk ({@link #onHost}).
   *
   * @param table (R, D), changed in place
   * @param rows which rows the gradient is of; distinct; the first {@code size} count
   * @param gradient (size, D) from the buffer's index 0 on
   * @param learningRate step size
   */
  void stepOnHost(NDArray table, int[] rows, int size, FloatBuffer gradient, float learningRate);

  /**
   * The diagonal by which the next step would multiply a gradient beside the step size, with the
   * gradient's own part in the accumulators; 0 where nothing was ever to be moved.
   *
   * @param rows which rows the gradient is of; distinct
   * @param gradient (K, D)
   * @return (K, 1) or (K, D), in the memory of the gradient's manager
   */
  NDArray diagonal(RowSet rows, NDArray gradient);

  /**
   * The same for a table whose memory Java can walk.
   *
   * @param gradient (size, D) from its start
   * @param into (size, D), from its start
   */
  void diagonalOnHost(int[] rows, int size, int dimension, float[] gradient, float[] into);

  /**
   * The accumulators by name, to be saved and restored with the table; they are the live arrays.
   */
  Map<String, NDArray> state();

  /** How many updates were made; part of the state. */
  long steps();

  /** Restores what {@link #steps} returned. */
  void restoreSteps(long steps);

  /** Which optimizer. */
  enum Kind {
    /** Row-wise Adagrad: one accumulator per row. */
    ADAGRAD,
    /** Lazy Adam: moments of touched rows only. */
    ADAM;

    /** What a row of D numbers and its accumulators take, in bytes. */
    public long rowBytes(long dimension) {
      return switch (this) {
        case ADAGRAD -> (dimension + 1) * Float.BYTES;
        case ADAM -> 3 * dimension * Float.BYTES;
      };
    }
  }

  /** Makes the accumulators of a table in the scope, all zero. */
  static RowOptimizer create(Kind kind, Scope scope, long numRows, long dimension) {
    return switch (kind) {
      case ADAGRAD -> new RowAdagrad(zeros(scope, numRows));
      case ADAM -> new RowAdam(zeros(scope, numRows, dimension), zeros(scope, numRows, dimension));
    };
  }

  private static NDArray zeros(Scope scope, long... shape) {
    return HostArrays.readHereAndThere(scope.manager().zeros(new Shape(shape), DataType.FLOAT32));
  }

  /** Copies the rows of a table into a new array (K, D) that belongs to the index's manager. */
  static NDArray gather(NDArray table, NDArray index) {
    NDList rows = Embedding.embedding(index, table, SparseFormat.DENSE);
    return rows.singletonOrThrow();
  }

  /** Writes rows (K, D) into a table; the indices must be distinct. */
  static void write(NDArray table, NDArray index, NDArray rows) {
    table.set(new NDIndex("{}", index), rows);
  }

  /** Whether the table's memory can be walked by Java. */
  static boolean onHost(NDArray table) {
    return !table.getDevice().isGpu() && table.size() * Float.BYTES <= Integer.MAX_VALUE;
  }
}
