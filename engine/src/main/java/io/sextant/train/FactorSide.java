package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostRows;
import io.sextant.tensor.HostTeam;
import io.sextant.tensor.RowGradient;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The users or the items of a batch of pairs: which rows they are, what the rows hold, and the
 * gradient with respect to them.
 *
 * <p>Thread safety: belongs to one thread, which shares its loops with the {@link HostTeam}.
 */
final class FactorSide {
  private static final int ROWS_PER_TASK = 128;

  final String name;
  final RowCollector rows;
  final NDArray vectors;
  final @Nullable NDArray biases;
  final int dimension;
  private int pairs;
  int[] ofPair = new int[0];
  private int[] pairsByRow = new int[0];
  private int[] ends = new int[0];
  float[] values = new float[0];
  float[] gradient = new float[0];
  float[] biasValues = new float[0];
  float[] biasGradient = new float[0];

  FactorSide(String name, RowCollector rows, NDArray vectors, @Nullable NDArray biases) {
    this.name = name;
    this.rows = rows;
    this.vectors = vectors;
    this.biases = biases;
    this.dimension = Math.toIntExact(vectors.getShape().get(1));
  }

  /** Forgets the rows of the last batch. */
  void start(int pairs) {
    this.pairs = pairs;
    rows.clear();
    if (ofPair.length < pairs) {
      ofPair = new int[pairs];
      pairsByRow = new int[pairs];
    }
  }

  /** Reads the values of the rows. */
  void read() {
    int size = rows.size();
    if (ends.length < size) {
      int capacity = Math.max(size, ofPair.length);
      ends = new int[capacity];
      values = new float[capacity * dimension];
      gradient = new float[capacity * dimension];
      biasValues = new float[capacity];
      biasGradient = new float[capacity];
    }
    HostRows.gather(vectors, rows.sharedRows(), size, values);
    if (biases != null) {
      HostRows.gather(biases, rows.sharedRows(), size, biasValues);
    }
  }

  /** Sums up the slopes of each row's pairs times the other side's vectors. */
  void addGradients(
      float[] slopes,
      FactorSide other,
      float temperature,
      boolean biasCancels,
      Map<String, RowGradient> gradients) {
    groupPairs();
    int size = rows.size();
    HostTeam.shared()
        .run(
            HostTeam.tasks(size, ROWS_PER_TASK),
            () ->
                task -> {
                  int end = Math.min(size, (task + 1) * ROWS_PER_TASK);
                  for (int row = task * ROWS_PER_TASK; row < end; row++) {
                    sumUp(row, slopes, other, temperature);
                  }
                });
    int[] indices = rows.sharedRows();
    int[] counts = rows.sharedCounts();
    gradients.put(
        name + ".id", new RowGradient(size, dimension, indices, counts, values, gradient));
    if (biasCancels) {
      Arrays.fill(biasGradient, 0, size, 0);
    }
    if (biases != null) {
      gradients.put(
          name + ".bias", new RowGradient(size, 1, indices, counts, biasValues, biasGradient));
    }
  }

  private void sumUp(int row, float[] slopes, FactorSide other, float temperature) {
    int start = row * dimension;
    Arrays.fill(gradient, start, start + dimension, 0);
    float bias = 0;
    for (int p = row == 0 ? 0 : ends[row - 1]; p < ends[row]; p++) {
      int pair = pairsByRow[p];
      bias += slopes[pair];
      addMultiple(
          slopes[pair] / temperature,
          other.values,
          other.ofPair[pair] * dimension,
          gradient,
          start,
          dimension);
    }
    biasGradient[row] = bias;
  }

  private static void addMultiple(float factor, float[] vector, int i, float[] sum, int j, int n) {
    for (int d = 0; d < n; d++) {
      sum[j + d] += factor * vector[i + d];
    }
  }

  /** Sorts the pairs by row, keeping their order within a row. */
  private void groupPairs() {
    int size = rows.size();
    Arrays.fill(ends, 0, size, 0);
    for (int pair = 0; pair < pairs; pair++) {
      ends[ofPair[pair]]++;
    }
    int start = 0;
    for (int row = 0; row < size; row++) {
      int count = ends[row];
      ends[row] = start;
      start += count;
    }
    for (int pair = 0; pair < pairs; pair++) {
      pairsByRow[ends[ofPair[pair]]++] = pair;
    }
  }
}
