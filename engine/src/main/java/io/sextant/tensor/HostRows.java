package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads and moves single rows of tables on the CPU, in Java over libtorch's memory, on all threads
 * of the process's {@link HostTeam}. Each row is the work of one thread, so the number of threads
 * changes no bit.
 *
 * <p>Design. Loops over arrays become vector instructions and loops over buffers do not, so rows
 * are copied into an array and back: a block of them at a time, because a row that is read back in
 * the moment in which it was copied waits for the copy's wide stores.
 *
 * <p>Thread safety: a table belongs to one caller at a time.
 */
public final class HostRows {

  private static final int BLOCK = 64;

  private HostRows() {}

  /**
   * How the rows of a block move. The arrays hold them one after the other, each with the width of
   * its table; all but the gradient are changed in place.
   */
  @FunctionalInterface
  interface Rule {
    void move(int count, int width, float[] rows, float[] gradient, float[][] states);
  }

  /**
   * Copies rows of a table into an array.
   *
   * @param table (R, D) on the CPU, at most 2 GiB
   * @param rows which rows; the first {@code size} count
   * @param into (K, D), from its start
   */
  public static void gather(NDArray table, int[] rows, int size, float[] into) {
    int width = dimension(table);
    FloatBuffer values = HostArrays.view(table);
    HostTeam.shared()
        .run(
            HostTeam.tasks(size, BLOCK),
            () ->
                task -> {
                  int end = Math.min(size, (task + 1) * BLOCK);
                  for (int k = task * BLOCK; k < end; k++) {
                    values.get(rows[k] * width, into, k * width, width);
                  }
                });
  }

  /**
   * Moves rows of a table and of its accumulators.
   *
   * @param states arrays with as many rows as the table
   * @param gradient (K, D)
   */
  static void update(
      NDArray table, List<NDArray> states, int[] rows, int size, FloatBuffer gradient, Rule rule) {
    Columns weights = new Columns(table);
    List<Columns> accumulators = new ArrayList<>();
    for (NDArray state : states) {
      accumulators.add(new Columns(state));
    }
    int width = weights.width;
    HostTeam.shared()
        .run(
            HostTeam.tasks(size, BLOCK),
            () -> {
              float[] block = new float[BLOCK * width];
              float[] g = new float[BLOCK * width];
              float[][] stateBlocks = new float[accumulators.size()][];
              for (int s = 0; s < stateBlocks.length; s++) {
                stateBlocks[s] = new float[BLOCK * accumulators.get(s).width];
              }
              return task -> {
                int from = task * BLOCK;
                int count = Math.min(size - from, BLOCK);
                gradient.get(from * width, g, 0, count * width);
                weights.read(rows, from, count, block);
                for (int s = 0; s < stateBlocks.length; s++) {
                  accumulators.get(s).read(rows, from, count, stateBlocks[s]);
                }
                rule.move(count, width, block, g, stateBlocks);
                weights.write(rows, from, count, block);
                for (int s = 0; s < stateBlocks.length; s++) {
                  accumulators.get(s).write(rows, from, count, stateBlocks[s]);
                }
              };
            });
  }

  private static int dimension(NDArray table) {
    return table.getShape().dimension() == 1 ? 1 : Math.toIntExact(table.getShape().get(1));
  }

  /** The memory of a matrix, or of a vector as a matrix of width 1. */
  private static final class Columns {
    private final FloatBuffer memory;
    private final int width;

    Columns(NDArray array) {
      memory = HostArrays.view(array);
      width = dimension(array);
    }

    void read(int[] rows, int from, int count, float[] into) {
      if (width == 1) {
        for (int k = 0; k < count; k++) {
          into[k] = memory.get(rows[from + k]);
        }
        return;
      }
      for (int k = 0; k < count; k++) {
        memory.get(rows[from + k] * width, into, k * width, width);
      }
    }

    void write(int[] rows, int from, int count, float[] values) {
      if (width == 1) {
        for (int k = 0; k < count; k++) {
          memory.put(rows[from + k], values[k]);
        }
        return;
      }
      for (int k = 0; k < count; k++) {
        memory.put(rows[from + k] * width, values, k * width, width);
      }
    }
  }
}
