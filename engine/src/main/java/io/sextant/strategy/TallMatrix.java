package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A dense matrix (R, D) of many rows and few columns in Java memory. What is computed from it does
 * not depend on the number of threads: sums run over fixed parts of the rows and are added in their
 * order.
 *
 * <p>Each row is an array of its own, and the loops take rows as whole arrays: HotSpot vectorises a
 * loop over several arrays, but not one over several offsets into the same array.
 *
 * <p>Thread safety: the rows are shared and may be written; who writes, orders.
 */
final class TallMatrix {

  /** Rows whose products are summed in float before they are added to a sum in double. */
  private static final int FLOAT_ROWS = 256;

  /** Into so many sums in double, which take D * D * 8 bytes each, the rows are divided. */
  private static final int PARTS = 16;

  private static final int TASK_ROWS = 256;
  private static final int CHUNK_FLOATS = 1 << 22;

  private final int width;
  private final float[][] rows;

  private TallMatrix(int width, float[][] rows) {
    this.width = width;
    this.rows = rows;
  }

  /** All zero. */
  static TallMatrix zeros(int numRows, int width) {
    return new TallMatrix(width, new float[numRows][width]);
  }

  /** Normally distributed values with this standard deviation; each row has its own stream. */
  static TallMatrix gaussian(int numRows, int width, double std, long seed, String stream) {
    TallMatrix matrix = zeros(numRows, width);
    forEachTask(
        numRows,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            CounterRandom random = new CounterRandom(seed, stream, r);
            for (int d = 0; d < width; d++) {
              matrix.rows[r][d] = (float) (std * random.nextGaussian());
            }
          }
        });
    return matrix;
  }

  int numRows() {
    return rows.length;
  }

  /** D. */
  int width() {
    return width;
  }

  /** The live row. */
  float[] row(int row) {
    return rows[row];
  }

  /** Rows [from, to) of one task. */
  interface RowTask {
    void run(int from, int to);
  }

  /** Runs a task over all rows in blocks, on all cores. */
  static void forEachTask(int numRows, RowTask task) {
    IntStream.range(0, (numRows + TASK_ROWS - 1) / TASK_ROWS)
        .parallel()
        .forEach(t -> task.run(t * TASK_ROWS, Math.min(numRows, (t + 1) * TASK_ROWS)));
  }

  /** A sum over rows, computed on all cores and added in the order of the rows. */
  static double sum(int numRows, IntToDoubleFunction ofRow) {
    double total = 0;
    for (double value : IntStream.range(0, numRows).parallel().mapToDouble(ofRow).toArray()) {
      total += value;
    }
    return total;
  }

  /** The inner products of all columns, (D, D): O(R D^2) time, 16 D^2 doubles of memory. */
  double[][] gramian() {
    int blocks = (rows.length + FLOAT_ROWS - 1) / FLOAT_ROWS;
    double[][][] parts = new double[Math.min(PARTS, Math.max(1, blocks))][][];
    IntStream.range(0, parts.length)
        .parallel()
        .forEach(
            part -> {
              double[][] sum = new double[width][width];
              float[][] block = new float[width][width];
              for (int b = part; b < blocks; b += parts.length) {
                addProducts(b * FLOAT_ROWS, Math.min(rows.length, (b + 1) * FLOAT_ROWS), block);
                for (int d = 0; d < width; d++) {
                  for (int e = 0; e < width; e++) {
                    sum[d][e] += block[d][e];
                  }
                  Arrays.fill(block[d], 0);
                }
              }
              parts[part] = sum;
            });
    double[][] total = parts[0];
    for (int part = 1; part < parts.length; part++) {
      for (int d = 0; d < width; d++) {
        for (int e = 0; e < width; e++) {
          total[d][e] += parts[part][d][e];
        }
      }
    }
    return total;
  }

  private void addProducts(int from, int to, float[][] sums) {
    int r = from;
    for (; r + 4 <= to; r += 4) {
      float[] a = rows[r];
      float[] b = rows[r + 1];
      float[] c = rows[r + 2];
      float[] e = rows[r + 3];
      for (int d = 0; d < width; d++) {
        addFour(a[d], a, b[d], b, c[d], c, e[d], e, sums[d]);
      }
    }
    for (; r < to; r++) {
      for (int d = 0; d < width; d++) {
        add(rows[r][d], rows[r], sums[d]);
      }
    }
  }

  /** The product with a matrix (D, E), by rows: O(R D E) time. */
  TallMatrix times(float[][] right) {
    TallMatrix product = zeros(rows.length, right.length == 0 ? 0 : right[0].length);
    forEachTask(
        rows.length,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            addCombination(rows[r], right, width, product.rows[r]);
          }
        });
    return product;
  }

  /** A copy as a tensor (R, D). */
  NDArray toTensor(NDManager manager) {
    NDArray tensor = manager.create(new Shape(rows.length, width), DataType.FLOAT32);
    int chunk = Math.max(1, CHUNK_FLOATS / Math.max(1, width));
    for (int first = 0; first < rows.length; first += chunk) {
      int from = first;
      int to = Math.min(rows.length, first + chunk);
      try (NDArray part =
          HostArrays.create(
              manager,
              new Shape(to - from, width),
              DataType.FLOAT32,
              memory -> {
                FloatBuffer floats = memory.asFloatBuffer();
                for (int r = from; r < to; r++) {
                  floats.put(rows[r]);
                }
              })) {
        tensor.set(new NDIndex("{}:{}", from, to), part);
      }
    }
    return tensor;
  }

  /** Adds {@code sum_r factors[r] * table[r]} over the first {@code count} rows. */
  static void addCombination(float[] factors, float[][] table, int count, float[] into) {
    int r = 0;
    for (; r + 4 <= count; r += 4) {
      addFour(
          factors[r],
          table[r],
          factors[r + 1],
          table[r + 1],
          factors[r + 2],
          table[r + 2],
          factors[r + 3],
          table[r + 3],
          into);
    }
    for (; r < count; r++) {
      add(factors[r], table[r], into);
    }
  }

  /** {@code into += a * x + b * y + c * z + d * w}. */
  static void addFour(
      float a,
      float[] x,
      float b,
      float[] y,
      float c,
      float[] z,
      float d,
      float[] w,
      float[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] += a * x[i] + b * y[i] + c * z[i] + d * w[i];
    }
  }

  /** {@code into += factor * x}. */
  static void add(float factor, float[] x, float[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] += factor * x[i];
    }
  }

  /** The inner product, in four sums that the processor adds at the same time. */
  static float dot(float[] x, float[] y) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 4 <= x.length; i += 4) {
      s0 += x[i] * y[i];
      s1 += x[i + 1] * y[i + 1];
      s2 += x[i + 2] * y[i + 2];
      s3 += x[i + 3] * y[i + 3];
    }
    for (; i < x.length; i++) {
      s0 += x[i] * y[i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  /** The inner products of the first {@code count} rows with a vector. */
  static void dots(float[][] table, int count, float[] vector, float[] into) {
    int r = 0;
    for (; r + 4 <= count; r += 4) {
      fourDots(table[r], table[r + 1], table[r + 2], table[r + 3], vector, into, r);
    }
    for (; r < count; r++) {
      into[r] = dot(table[r], vector);
    }
  }

  private static void fourDots(
      float[] x, float[] y, float[] z, float[] w, float[] vector, float[] into, int at) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (int i = 0; i < vector.length; i++) {
      float v = vector[i];
      a += x[i] * v;
      b += y[i] * v;
      c += z[i] * v;
      d += w[i] * v;
    }
    into[at] = a;
    into[at + 1] = b;
    into[at + 2] = c;
    into[at + 3] = d;
  }
}
