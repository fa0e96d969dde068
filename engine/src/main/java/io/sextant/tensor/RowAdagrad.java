package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;
import java.util.Map;

/**
 * Row-wise Adagrad: one accumulator per row instead of one per weight, {@code acc += mean(g^2)},
 * {@code row -= rate g / (sqrt(acc) + eps)}. Source: Duchi, Hazan and Singer, JMLR 2011, with the
 * accumulator shared by a row as in Naumov et al., arXiv:1906.00091. A sixty-fourth of Adam's
 * memory at D = 64. O(K D) time.
 */
public final class RowAdagrad implements RowOptimizer {

  private static final float EPSILON = 1e-10f;

  private final NDArray accumulator;
  private long steps;

  RowAdagrad(NDArray accumulator) {
    this.accumulator = accumulator;
  }

  @Override
  public void step(NDArray table, RowSet rows, NDArray gradient, float learningRate) {
    steps++;
    if (RowOptimizer.onHost(table)) {
      stepOnHost(table, rows, gradient, learningRate);
    } else {
      stepOnDevice(table, rows, gradient, learningRate);
    }
  }

  private void stepOnHost(NDArray table, RowSet rows, NDArray gradient, float learningRate) {
    int dimension = (int) table.getShape().get(1);
    FloatBuffer weights = HostArrays.view(table);
    FloatBuffer sums = HostArrays.view(accumulator);
    FloatBuffer gradients = HostArrays.view(gradient);
    float[] row = new float[dimension];
    float[] g = new float[dimension];
    for (int k = 0; k < rows.size(); k++) {
      gradients.get(k * dimension, g);
      float square = 0;
      for (int d = 0; d < dimension; d++) {
        square += g[d] * g[d];
      }
      int r = rows.row(k);
      float sum = sums.get(r) + square / dimension;
      sums.put(r, sum);
      float rate = learningRate / ((float) Math.sqrt(sum) + EPSILON);
      int start = r * dimension;
      weights.get(start, row);
      for (int d = 0; d < dimension; d++) {
        row[d] -= rate * g[d];
      }
      weights.put(start, row);
    }
  }

  void stepOnDevice(NDArray table, RowSet rows, NDArray gradient, float learningRate) {
    NDArray index = rows.index();
    NDArray sums = accumulator.reshape(-1, 1);
    NDArray sum =
        RowOptimizer.gather(sums, index).addi(gradient.square().mean(new int[] {1}, true));
    RowOptimizer.write(sums, index, sum);
    NDArray change = gradient.div(sum.sqrt().addi(EPSILON)).muli(learningRate);
    RowOptimizer.write(table, index, RowOptimizer.gather(table, index).subi(change));
    sums.close();
  }

  @Override
  public Map<String, NDArray> state() {
    return Map.of("adagrad.sum", accumulator);
  }

  @Override
  public long steps() {
    return steps;
  }

  @Override
  public void restoreSteps(long steps) {
    this.steps = steps;
  }
}
