package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one table that a step reads, a position for each time, with their sums by row.
 *
 * <p>Thread safety: belongs to the step.
 */
final class ResidentSide {
  private final String name;
  private final Scope step;

  /** (P,) int64, the row of each position. */
  final NDArray index;

  private final NDArray slots;
  private final NDArray once;

  /** (P, D) what the rows hold. */
  final NDArray values;

  /** (P, 1), null for none. */
  final @Nullable NDArray biases;

  ResidentSide(
      String name,
      Scope step,
      SegmentSums sums,
      NDArray index,
      NDArray vectors,
      @Nullable NDArray biases) {
    this.name = name;
    this.step = step;
    this.index = index;
    NDArray positions = step.manager().arange(0, Math.toIntExact(index.size()), 1, DataType.INT64);
    slots = sums.slots(index, positions, step);
    once = slots.eq(positions).toType(DataType.FLOAT32, false).expandDims(1);
    values = RowOptimizer.gather(vectors, index);
    this.biases = biases == null ? null : RowOptimizer.gather(biases, index);
  }

  /**
   * Sums up by row; everything is zero if the loss is not finite.
   *
   * @param gradient (P, D)
   * @param slopes (P, 1) the gradient of the biases; anything if there are none
   */
  void addGradients(
      NDArray gradient, NDArray slopes, NDArray finite, Map<String, ResidentGradient> gradients) {
    long width = gradient.getShape().get(1);
    NDArray all = NDArrays.concat(new NDList(gradient, slopes, slopes.onesLike()), 1); // (P, D + 2)
    NDArray sums = SegmentSums.sums(slots, all, step);
    NDArray kept =
        sums.getNDArrayInternal().where(finite.broadcast(sums.getShape()), sums.zerosLike());
    NDArray read = RowOptimizer.gather(kept, slots);
    NDArray counts = read.get(new NDIndex(":, {}:", width + 1));
    gradients.put(
        name + ".id",
        new ResidentGradient(index, read.get(new NDIndex(":, 0:{}", width)), values, counts, once));
    if (biases != null) {
      NDArray bias = read.get(new NDIndex(":, {}:{}", width, width + 1));
      gradients.put(name + ".bias", new ResidentGradient(index, bias, biases, counts, once));
    }
  }
}
