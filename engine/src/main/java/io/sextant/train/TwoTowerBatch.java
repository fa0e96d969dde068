package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.EntityInput;
import io.sextant.nn.HistoryInput;
import io.sextant.tensor.RowSet;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A batch of a two-tower model. Every distinct item goes through the item tower once: T tower
 * items, to which positives and negatives refer by number.
 *
 * @param size B
 * @param weights (B)
 * @param rows distinct rows of each table
 * @param users inputs of the user tower (B)
 * @param history histories, if the model reads them
 * @param items inputs of the item tower (T)
 * @param positives (B,) int64, the tower item of each example
 * @param negatives (B, n) int64, tower items, if each example has negatives of its own
 * @param columns how many tower items, the first ones, all examples are compared with
 * @param logExpected (1, columns), logarithm of how often each is expected among the negatives;
 *     null for no correction
 * @param allowed (B, columns) boolean, whether the column may serve the example as a negative
 * @param values (B,) the values of the interactions, for the squared error
 */
record TwoTowerBatch(
    int size,
    float[] weights,
    Map<String, RowSet> rows,
    EntityInput users,
    @Nullable HistoryInput history,
    EntityInput items,
    NDArray positives,
    @Nullable NDArray negatives,
    int columns,
    @Nullable NDArray logExpected,
    @Nullable NDArray allowed,
    @Nullable NDArray values)
    implements Batch {

  /** The same with each example's weight times a factor (B). */
  TwoTowerBatch weighed(float[] factors) {
    float[] products = new float[size];
    for (int e = 0; e < size; e++) {
      products[e] = weights[e] * factors[e];
    }
    return new TwoTowerBatch(
        size,
        products,
        rows,
        users,
        history,
        items,
        positives,
        negatives,
        columns,
        logExpected,
        allowed,
        values);
  }
}
