package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.tensor.RowSet;
import java.util.Map;

/**
 * A batch of policy examples.
 *
 * @param size B
 * @param weights (B)
 * @param users (B, F_u)
 * @param items (B, F_i)
 * @param labels (B, S)
 */
@SuppressWarnings("ArrayRecordComponent") // A batch is lent, not compared.
record PolicyBatch(int size, float[] weights, NDArray users, NDArray items, NDArray labels)
    implements Batch {

  /** None: a policy network has no embedding tables. */
  @Override
  public Map<String, RowSet> rows() {
    return Map.of();
  }
}
