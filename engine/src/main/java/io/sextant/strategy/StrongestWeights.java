package io.sextant.strategy;

/**
 * Collects the rows of {@link ItemWeights}, each cut down to its weights of largest magnitude.
 *
 * <p>Thread safety: different rows may be set by different threads at the same time.
 */
final class StrongestWeights {

  private final int keep;
  private final int[][] items;
  private final float[][] weights;

  /**
   * @param keep at most so many weights of each source item
   */
  StrongestWeights(int numItems, int keep) {
    this.keep = keep;
    items = new int[numItems][0];
    weights = new float[numItems][0];
  }

  /**
   * Sets a source item's row. Of equal magnitudes the earlier items stay; weights of 0 do not.
   *
   * @param targets items, ascending
   * @param values their weights, parallel to the targets
   */
  void set(int source, int[] targets, float[] values) {
    int[] at = new int[values.length];
    float[] magnitudes = new float[values.length];
    int size = 0;
    for (int i = 0; i < values.length; i++) {
      if (values[i] != 0) {
        at[size] = i;
        magnitudes[size++] = Math.abs(values[i]);
      }
    }
    size = new Largest().keep(at, magnitudes, size, keep);
    items[source] = new int[size];
    weights[source] = new float[size];
    for (int kept = 0; kept < size; kept++) {
      items[source][kept] = targets[at[kept]];
      weights[source][kept] = values[at[kept]];
    }
  }

  /** All rows; those not set are empty. */
  ItemWeights build() {
    int[] starts = new int[items.length + 1];
    for (int row = 0; row < items.length; row++) {
      starts[row + 1] = Math.addExact(starts[row], items[row].length);
    }
    int[] allItems = new int[starts[items.length]];
    float[] allWeights = new float[allItems.length];
    for (int row = 0; row < items.length; row++) {
      System.arraycopy(items[row], 0, allItems, starts[row], items[row].length);
      System.arraycopy(weights[row], 0, allWeights, starts[row], items[row].length);
    }
    return new ItemWeights(starts, allItems, allWeights);
  }
}
