package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/**
 * Lazy Adam: the moments of a row move only when the row is read, while the bias correction counts
 * all steps. Source: Kingma and Ba, arXiv:1412.6980, with the sparse update that is usual for
 * embedding tables. Twice the table's memory for the moments. O(K D) time.
 */
public final class RowAdam implements RowOptimizer {

  private static final float BETA1 = 0.9f;
  private static final float BETA2 = 0.999f;
  private static final float EPSILON = 1e-8f;

  private final NDArray first;
  private final NDArray second;
  private long steps;

  RowAdam(NDArray first, NDArray second) {
    this.first = first;
    this.second = second;
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
    float rate = rate(learningRate);
    float correction = secondCorrection();
    HostRows.update(
        table,
        List.of(first, second),
        rows,
        size,
        gradient,
        (count, width, row, g, state) -> {
          float[] m = state[0];
          float[] v = state[1];
          for (int d = 0; d < count * width; d++) {
            m[d] = BETA1 * m[d] + (1 - BETA1) * g[d];
            v[d] = BETA2 * v[d] + (1 - BETA2) * g[d] * g[d];
            row[d] -= rate * m[d] / ((float) Math.sqrt(v[d] * correction) + EPSILON);
          }
        });
  }

  @Override
  public void stepOnDevice(NDArray table, NDArray index, NDArray gradient, float learningRate) {
    steps++;
    NDManager manager = gradient.getManager();
    NDArray m =
        RowOptimizer.gather(first, index)
            .muli(Numbers.of(manager, BETA1))
            .addi(gradient.mul(Numbers.of(manager, 1 - BETA1)));
    NDArray v =
        RowOptimizer.gather(second, index)
            .muli(Numbers.of(manager, BETA2))
            .addi(gradient.square().muli(Numbers.of(manager, 1 - BETA2)));
    RowOptimizer.write(first, index, m);
    RowOptimizer.write(second, index, v);
    NDArray change =
        m.mul(Numbers.of(manager, rate(learningRate)))
            .divi(
                v.mul(Numbers.of(manager, secondCorrection()))
                    .sqrt()
                    .addi(Numbers.of(manager, EPSILON)));
    RowOptimizer.write(table, index, RowOptimizer.gather(table, index).subi(change));
  }

  /** Of the second moment alone: the first is a mean of gradients, not a factor on one. */
  @Override
  public NDArray diagonal(RowSet rows, NDArray gradient) {
    NDArray v =
        RowOptimizer.gather(second, rows.index())
            .muli(BETA2)
            .addi(gradient.square().muli(1 - BETA2));
    NDArray moved = v.gt(0).toType(v.getDataType(), false);
    return moved.divi(v.muli(nextSecondCorrection()).sqrt().addi(EPSILON));
  }

  @Override
  public void diagonalOnHost(int[] rows, int size, int dimension, float[] gradient, float[] into) {
    HostRows.gather(second, rows, size, into);
    float correction = nextSecondCorrection();
    for (int d = 0; d < size * dimension; d++) {
      float v = BETA2 * into[d] + (1 - BETA2) * gradient[d] * gradient[d];
      into[d] = v > 0 ? 1 / ((float) Math.sqrt(v * correction) + EPSILON) : 0;
    }
  }

  private float nextSecondCorrection() {
    return (float) (1 / (1 - Math.pow(BETA2, (double) steps + 1)));
  }

  private float rate(float learningRate) {
    return (float) (learningRate / (1 - Math.pow(BETA1, (double) steps)));
  }

  private float secondCorrection() {
    return (float) (1 / (1 - Math.pow(BETA2, (double) steps)));
  }

  @Override
  public Map<String, NDArray> state() {
    return Map.of("adam.m", first, "adam.v", second);
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
