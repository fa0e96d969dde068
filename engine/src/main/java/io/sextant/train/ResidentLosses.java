package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.Scope;

/**
 * Counts the losses of steps on the device.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentLosses {

  /**
   * (3): the sum of finite mean losses times B, how many were not finite, and of how many examples.
   */
  private final NDArray sums;

  /** () how many of the latest losses in a row were not finite. */
  private final NDArray run;

  /** () the longest such row since it was last asked for. */
  private final NDArray longestRun;

  ResidentLosses(Scope session) {
    sums = session.manager().zeros(new Shape(3), DataType.FLOAT32);
    run = session.manager().zeros(new Shape(), DataType.FLOAT32);
    longestRun = session.manager().zeros(new Shape(), DataType.FLOAT32);
  }

  /** Whether a loss is finite, (): infinity less itself is no number either. */
  static NDArray finite(NDArray loss) {
    NDArray none = loss.sub(loss);
    return none.eq(none.zerosLike());
  }

  /**
   * Counts a step.
   *
   * @param loss () the mean loss
   * @param finite () whether it is finite
   * @param size B
   */
  void add(NDArray loss, NDArray finite, int size) {
    NDArray examples = Numbers.of(loss.getManager(), size);
    NDArray counted = loss.getNDArrayInternal().where(finite, loss.zerosLike()).mul(examples);
    NDArray bad = finite.logicalNot().toType(DataType.FLOAT32, false);
    sums.addi(NDArrays.stack(new NDList(counted, bad, bad.mul(examples))));
    run.addi(bad).muli(bad);
    try (NDArray more = run.sub(longestRun);
        NDArray none = more.zerosLike();
        NDArray longer = more.maximum(none)) {
      longestRun.addi(longer);
    }
  }

  /** What was counted since the last call; waits for the device. */
  Totals take() {
    float[] values = HostArrays.toFloats(sums);
    Totals totals =
        new Totals(
            values[0],
            Math.round(values[1]),
            Math.round(values[2]),
            Math.round(HostArrays.toFloats(run)[0]),
            Math.round(HostArrays.toFloats(longestRun)[0]));
    sums.subi(sums);
    longestRun.subi(longestRun);
    return totals;
  }

  /**
   * Sums over steps.
   *
   * @param lossSum of finite mean losses, each times its examples
   * @param badSteps how many losses were not finite
   * @param badExamples how many examples those steps had
   * @param badRun how many of the latest losses in a row were not finite
   * @param longestBadRun how many in a row were not, at most; it may have begun before these steps
   */
  record Totals(double lossSum, int badSteps, int badExamples, int badRun, int longestBadRun) {}
}
