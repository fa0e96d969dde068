package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.FewShotInput;
import io.sextant.tensor.RowSet;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Episodes, in the step's scope.
 *
 * @param size B
 * @param input the users with the events that support
 * @param columns (C) items that are compared, or null for all
 * @param offsets (B, C) what is added to the scores: far below 0 for an item that takes no part
 * @param targets (B, C) 1/|Q| for each item to be found
 */
record FewShotBatch(
    int size, FewShotInput input, @Nullable NDArray columns, NDArray offsets, NDArray targets)
    implements Batch {

  @Override
  public float[] weights() {
    float[] ones = new float[size];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Override
  public Map<String, RowSet> rows() {
    return Map.of();
  }
}
