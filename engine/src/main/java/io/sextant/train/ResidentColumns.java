package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import org.jspecify.annotations.Nullable;

/**
 * The C items with which all examples of a step are compared, on the device: negatives that were
 * drawn and, where the batch serves as its own negatives, its items. An item that comes more than
 * once counts once; examples leave out what they must not be compared with.
 *
 * <p>Negatives are drawn for as many steps at once as fill the device.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentColumns {

  /** So many negatives are drawn at once, or those of one step if they are more. */
  private static final int DRAWN_AT_ONCE = 1 << 20;

  private final Scope session;
  private final SharedNegatives negatives;
  private final int perStep;
  private final SegmentSums slots;
  private final NDArray drawnShare;
  private final @Nullable NDArray batchShare;
  private @Nullable Block block;

  /** Negatives (steps, N) of steps from one on. */
  private record Block(Scope scope, long from, int steps, NDArray negatives) {}

  /**
   * @param perStep N, how many negatives a step draws
   * @param drawnShare (I) the probability of each item in one draw
   * @param batchShare (I) the expected share of each item among the batch's; null where they are no
   *     columns
   */
  ResidentColumns(
      Scope session,
      SharedNegatives negatives,
      int perStep,
      float[] drawnShare,
      float @Nullable [] batchShare) {
    this.session = session;
    this.negatives = negatives;
    this.perStep = perStep;
    slots = new SegmentSums(session, drawnShare.length);
    this.drawnShare = HostArrays.floats(session.manager(), drawnShare, drawnShare.length);
    this.batchShare =
        batchShare == null
            ? null
            : HostArrays.floats(session.manager(), batchShare, batchShare.length);
  }

  /** The negatives of a step (N,) int64. */
  NDArray drawn(Scope step, long number) {
    Block now = block;
    if (now == null || number < now.from || number >= now.from + now.steps) {
      if (now != null) {
        now.scope.close();
      }
      int steps = Math.max(1, DRAWN_AT_ONCE / perStep);
      Scope scope = session.child();
      now = new Block(scope, number, steps, negatives.draw(scope, number, steps));
      block = now;
    }
    return step.adopt(now.negatives.get(new NDIndex("{}", number - now.from)));
  }

  /**
   * How often each column is expected among a step's.
   *
   * @param columns (C,) int64
   * @param fromBatch how many of the batch's items are columns
   * @return (C,) float64
   */
  NDArray expected(Scope step, NDArray columns, int fromBatch) {
    NDArray expected = shares(step, drawnShare, columns).muli(Numbers.of(step.manager(), perStep));
    return batchShare == null
        ? expected
        : expected.addi(
            shares(step, batchShare, columns).muli(Numbers.of(step.manager(), fromBatch)));
  }

  private static NDArray shares(Scope step, NDArray ofItems, NDArray columns) {
    return step.adopt(ofItems.gather(columns, 0)).toType(DataType.FLOAT64, false);
  }

  /**
   * What is added to the scores of the columns: negative infinity where one must not count.
   *
   * @param columns (C,) int64
   * @param logExpected (C,) what is subtracted from each column's scores; null for nothing
   * @param examples B
   * @param leftOut which items which examples are not compared with
   * @return (B, C)
   */
  NDArray corrections(
      Scope step,
      NDArray columns,
      @Nullable NDArray logExpected,
      int examples,
      ResidentSeen.Pairs leftOut) {
    long count = columns.size();
    NDArray positions = step.manager().arange(0, Math.toIntExact(count), 1, DataType.INT64);
    NDArray once = slots.slots(columns, positions, step).eq(positions);
    NDArray line = step.manager().zeros(new Shape(count), DataType.FLOAT32);
    if (logExpected != null) {
      line.subi(logExpected.toType(DataType.FLOAT32, false));
    }
    line = line.getNDArrayInternal().where(once, line.zerosLike().log());
    // One column more, to which goes what is no column.
    NDArray last = step.manager().zeros(new Shape(1), DataType.FLOAT32);
    NDArray cells =
        NDArrays.concat(new NDList(line, last))
            .reshape(1, count + 1)
            .broadcast(examples, count + 1)
            .duplicate(); // Cells of their own, not one line many times.
    NDArray column = slots.find(leftOut.items(), columns, step);
    NDArray cell = leftOut.examples().mul(Numbers.of(step.manager(), count + 1)).addi(column);
    NDArray never = step.manager().zeros(cell.getShape(), DataType.FLOAT32).log();
    RowOptimizer.write(cells.reshape(-1), cell, never);
    return cells.get(new NDIndex(":, 0:{}", count));
  }
}
