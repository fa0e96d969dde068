package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Training with everything on the device: the interactions, the order of an epoch, the draws of
 * negatives, the gradients and the updates. A step is the same number of operations whatever the
 * sizes, and none of them brings anything back to Java, so that the device works through steps
 * without waiting for the host. Sums of losses are read every so many steps.
 *
 * <p>A step whose loss is not finite has gradients of zero, which move nothing under Adagrad and
 * let Adam's moments decay; it is counted.
 *
 * <p>Thread safety: used by one thread at a time.
 */
interface ResidentForm {

  /** A task that may be trained on the device alone. */
  interface Task {
    /**
     * The form for a session, or null if the task has none, or has a better one.
     *
     * @param session owns what the form puts on the device
     */
    @Nullable ResidentForm residentForm(Scope session);

    /**
     * Whether a step of the form records its operations, in memory that grows with the step. Then a
     * step of several batches is divided instead.
     */
    default boolean residentFormRecords() {
      return false;
    }
  }

  /**
   * Begins an epoch with its examples in this order.
   *
   * @param batchSize how many of them make a step; only the last may be smaller
   */
  void startEpoch(int[] examples, int batchSize);

  /**
   * One step.
   *
   * @param weigher weighs what is learned from on top of its own weights; null for none
   * @param factor the schedule's factor on all step sizes
   */
  void step(Position position, @Nullable Weigher weigher, ModelParameters parameters, float factor);

  /** What was counted since the last call; waits for the device. */
  ResidentLosses.Totals takeTotals();

  /** How many arrays the last step made: as many as operations that do not work in place. */
  long operations();

  /**
   * Where a step stands.
   *
   * @param from the first of its examples in the epoch's order
   * @param to the first behind them
   * @param firstExample how many examples there were before these in the whole training
   * @param step how many steps there were before
   */
  record Position(int from, int to, long firstExample, long step) {
    int size() {
      return to - from;
    }
  }

  /** Weights that are computed on the device. */
  @FunctionalInterface
  interface Weigher {
    /**
     * The weights of interactions.
     *
     * @param step owns the result
     * @param rows (P,) int64
     * @param losses (P,) their present losses without weights
     * @return (P,)
     */
    NDArray weights(Scope step, NDArray rows, NDArray losses);

    /** The products of these weights and others; these if there are no others. */
    default Weigher times(@Nullable Weigher other) {
      return other == null
          ? this
          : (step, rows, losses) ->
              weights(step, rows, losses).mul(other.weights(step, rows, losses));
    }
  }
}
