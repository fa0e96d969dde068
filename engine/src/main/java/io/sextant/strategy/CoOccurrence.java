package io.sextant.strategy;

/**
 * Two items speak for each other by the rows that link to both: {@code sum_r factor_r w_ri w_rj}.
 * The rows are users, or attributes. O(sum of squared row lengths) for all items.
 *
 * <p>Thread safety: immutable.
 *
 * @param rows rows and their items
 * @param items the same by items
 * @param rowFactors (rows) how much each row counts
 */
record CoOccurrence(Links rows, Links items, float[] rowFactors) implements NearestItems.Evidence {

  @Override
  public void collect(int source, ScoreSums into) {
    for (int at = items.starts()[source]; at < items.starts()[source + 1]; at++) {
      int row = items.columns()[at];
      into.addAll(
          rows.columns(),
          rows.weights(),
          rows.starts()[row],
          rows.starts()[row + 1],
          items.weights()[at] * rowFactors[row]);
    }
  }
}
