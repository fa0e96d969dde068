package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * Sums over what belongs to the same row of a table, by operations whose number and shapes do not
 * depend on which rows these are: nothing waits for the device, as finding distinct rows would.
 *
 * <p>Design. Each position writes its own number to its row's place in a scratch array of the
 * table's height; whichever write comes last, all positions of a row then read the same number,
 * which is one of theirs: their slot. The sum by slot is the gradient of an embedding look-up.
 *
 * <p>Thread safety: none; the scratch array is written.
 */
public final class SegmentSums {

  private final NDArray scratch;

  /** For a table of so many rows; the scratch array, 8 bytes a row, belongs to the scope. */
  public SegmentSums(Scope scope, long numRows) {
    scratch = scope.manager().zeros(new Shape(numRows), DataType.INT64);
  }

  /**
   * The slot of each position: the same for those of the same row, and the number of one of them.
   *
   * @param rows (P,) int64
   * @param positions (P,) int64, 0 to P - 1
   * @param step owns the result
   * @return (P,) int64
   */
  public NDArray slots(NDArray rows, NDArray positions, Scope step) {
    scratch.set(new NDIndex("{}", rows), positions);
    return step.adopt(scratch.gather(rows, 0));
  }

  /**
   * The slot of each of some rows among those that {@link #slots} was last called for.
   *
   * @param rows (E,) int64
   * @param among (P,) int64, the rows that it was called for
   * @param step owns the result
   * @return (E,) int64; P for a row that was not among them
   */
  public NDArray find(NDArray rows, NDArray among, Scope step) {
    long none = among.size();
    // What another call has left there may be any number.
    NDArray slot =
        step.adopt(scratch.gather(rows, 0)).minimum(Numbers.of(step.manager(), none - 1));
    NDArray same = step.adopt(among.gather(slot, 0)).eq(rows);
    return slot.getNDArrayInternal()
        .where(same, slot.zerosLike().addi(Numbers.of(step.manager(), none)));
  }

  /**
   * For each slot the sum of the values whose positions have it; zero for numbers that are no slot.
   *
   * @param slots (P,) int64
   * @param values (P, W) float32
   * @param step owns the result
   * @return (P, W)
   */
  public static NDArray sums(NDArray slots, NDArray values, Scope step) {
    NDArray leaf = step.manager().zeros(values.getShape(), DataType.FLOAT32);
    leaf.setRequiresGradient(true);
    try (Grad grad = Grad.record();
        NDArray read = RowOptimizer.gather(leaf, slots)) {
      grad.backward(read, values);
    }
    return step.adopt(leaf.getGradient());
  }
}
