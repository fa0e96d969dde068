package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;

/** Makes embedding tables, in chunks of rows so that a table may be larger than 2 GiB. */
final class Tables {

  private static final int CHUNK_FLOATS = 1 << 24;

  private Tables() {}

  /** A table (R, D) of zeros. */
  static EmbeddingTable zero(NDManager manager, long rows, int dimension) {
    return new EmbeddingTable(manager.zeros(new Shape(rows, dimension)));
  }

  /**
   * A table (R, D), uniform with mean 0 and the given standard deviation. A row's numbers depend on
   * the seed, the name and the row alone, so that a table that grows keeps its old rows.
   */
  static EmbeddingTable random(
      NDManager manager, long rows, int dimension, float std, long seed, String name) {
    NDArray table = manager.create(new Shape(rows, dimension), DataType.FLOAT32);
    float bound = std * (float) Math.sqrt(3);
    int chunk = Math.max(1, CHUNK_FLOATS / dimension);
    for (long start = 0; start < rows; start += chunk) {
      int count = (int) Math.min(chunk, rows - start);
      float[] values = new float[count * dimension];
      for (int row = 0; row < count; row++) {
        CounterRandom random = new CounterRandom(seed, name, start + row);
        for (int d = 0; d < dimension; d++) {
          values[row * dimension + d] = (2 * random.nextFloat() - 1) * bound;
        }
      }
      try (NDArray part = HostArrays.floats(manager, values, count, dimension)) {
        table.set(new NDIndex("{}:{}", start, start + count), part);
      }
    }
    return new EmbeddingTable(HostArrays.readHereAndThere(table));
  }
}
