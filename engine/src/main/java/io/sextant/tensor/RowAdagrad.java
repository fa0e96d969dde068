package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
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
    if (RowOptimizer.onHost(table)) {
      stepOnHost(table, rows.rows(), rows.size(), HostArrays.view(gradient), learningRate);
    } else {
      stepOnDevice(table, rows.index(), gradient, learningRate);
    }
  }

  @Override
  public void stepOnHost(
      NDArray table, int[] rows, int size, FloatBuffer gradient, float learningRate) {
    steps++;
    HostRows.update(
        table,
        List.of(accumulator),
        rows,
        size,
        gradient,
        (count, width, row, g, state) -> {
          float[] sums = state[0];
          for (int k = 0; k < count; k++) {
            sums[k] += InnerProduct.of(g, k * width, g, k * width, width) / width;
          }
          for (int k = 0; k < count; k++) {
            float rate = learningRate / ((float) Math.sqrt(sums[k]) + EPSILON);
            for (int d = k * width; d < (k + 1) * width; d++) {
              row[d] -= rate * g[d];
            }
          }
        });
  }

  @Override
  public void stepOnDevice(NDArray table, NDArray index, NDArray gradient, float learningRate) {
    steps++;
    NDArray sums = accumulator.reshape(-1, 1);
    NDArray sum =
        RowOptimizer.gather(sums, index).addi(gradient.square().mean(new int[] {1}, true));
    RowOptimizer.write(sums, index, sum);
    NDArray change =
        gradient
            .div(sum.sqrt().addi(Numbers.of(gradient.getManager(), EPSILON)))
            .muli(Numbers.of(gradient.getManager(), learningRate));
    RowOptimizer.write(table, index, RowOptimizer.gather(table, index).subi(change));
    sums.close();
  }

  @Override
  public NDArray diagonal(RowSet rows, NDArray gradient) {
    try (NDArray sums = accumulator.reshape(-1, 1)) {
      NDArray sum =
          RowOptimizer.gather(sums, rows.index()).addi(gradient.square().mean(new int[] {1}, true));
      NDArray moved = sum.gt(0).toType(sum.getDataType(), false);
      return moved.divi(sum.sqrt().addi(EPSILON));
    }
  }

  @Override
  public void diagonalOnHost(int[] rows, int size, int dimension, float[] gradient, float[] into) {
    float[] sums = new float[size];
    HostRows.gather(accumulator, rows, size, sums);
    for (int k = 0; k < size; k++) {
      int from = k * dimension;
      float square = InnerProduct.of(gradient, from, gradient, from, dimension);
      float sum = sums[k] + square / dimension;
      float factor = sum > 0 ? 1 / ((float) Math.sqrt(sum) + EPSILON) : 0;
      Arrays.fill(into, from, from + dimension, factor);
    }
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
