package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;

/**
 * The weight of each interaction's type of event, on the device.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentTypeWeights implements ResidentForm.Weigher {

  private final Scope session;
  private final NDArray typeOfRow;
  private float[] set = new float[0];
  private NDArray weights;

  /**
   * @param typeOfRow (n) the number of each row's type
   */
  ResidentTypeWeights(Scope session, int[] typeOfRow) {
    this.session = session;
    this.typeOfRow = HostArrays.longs(session.manager(), typeOfRow, typeOfRow.length);
    weights = HostArrays.floats(session.manager(), set, 0, 1);
  }

  /**
   * Sets the weights of the types (T) for the next steps; nothing is copied if they are as before.
   */
  ResidentTypeWeights with(float[] typeWeights) {
    if (typeWeights != set) {
      set = typeWeights;
      weights.close();
      weights = HostArrays.floats(session.manager(), set, set.length, 1);
    }
    return this;
  }

  @Override
  public NDArray weights(Scope step, NDArray rows, NDArray losses) {
    NDArray types = step.adopt(typeOfRow.gather(rows, 0));
    return RowOptimizer.gather(weights, types).squeeze(1);
  }
}
