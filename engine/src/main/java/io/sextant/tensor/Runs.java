package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * Runs of consecutive numbers one behind the other: how slices of a flat array, the rows of some
 * users say, are read on the device. Nothing waits for the device, because Java knows how many
 * numbers there are in all.
 *
 * <pre>
 *   starts 7 2, lengths 3 2:   owners  0 0 0 1 1
 *                              offsets 0 1 2 0 1
 *                              numbers 7 8 9 2 3
 * </pre>
 *
 * <p>Thread safety: immutable.
 *
 * @param owners (E,) int64, the run of each number
 * @param offsets (E,) int64, its place within the run
 * @param numbers (E,) int64
 */
public record Runs(NDArray owners, NDArray offsets, NDArray numbers) {

  /**
   * Lays runs out.
   *
   * @param starts (B,) int64, the first number of each run
   * @param lengths (B,) int64, how many numbers it has, at least 1
   * @param total E, the sum of the lengths
   * @param step owns the result
   */
  public static Runs of(NDArray starts, NDArray lengths, long total, Scope step) {
    NDArray before = step.adopt(lengths.cumSum(0)).sub(lengths);
    // A one where each run but the first begins: their running sum is the run's number.
    NDArray begins = step.manager().zeros(new Shape(total), DataType.INT64);
    RowOptimizer.write(begins, before, before.onesLike());
    NDArray owners = begins.cumSum(0).subi(Numbers.of(step.manager(), 1));
    NDArray all = step.manager().arange(0, Math.toIntExact(total), 1, DataType.INT64);
    NDArray offsets = all.sub(before.gather(owners, 0));
    return new Runs(owners, offsets, offsets.add(step.adopt(starts.gather(owners, 0))));
  }
}
