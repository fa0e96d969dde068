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
    float[] magnitudes = new float[values.length];
    int size = 0;
    for (float value : values) {
      if (value != 0) {
        magnitudes[size++] = Math.abs(value);
      }
    }
    float threshold = 0;
    int ties = size;
    if (size > keep) {
      threshold = select(magnitudes, size, keep);
      ties = keep;
      for (int at = 0; at < size; at++) {
        if (magnitudes[at] > threshold) {
          ties--;
        }
      }
      size = keep;
    }
    items[source] = new int[size];
    weights[source] = new float[size];
    int next = 0;
    for (int at = 0; at < values.length; at++) {
      float magnitude = Math.abs(values[at]);
      if (magnitude > threshold || (magnitude == threshold && magnitude > 0 && ties-- > 0)) {
        items[source][next] = targets[at];
        weights[source][next++] = values[at];
      }
    }
  }

  /** The k-th largest of the first {@code size} values, which are reordered (quickselect). */
  private static float select(float[] values, int size, int k) {
    int low = 0;
    int high = size - 1;
    while (low < high) {
      float pivot = values[(low + high) >>> 1];
      int left = low;
      int right = high;
      while (left <= right) {
        while (values[left] > pivot) {
          left++;
        }
        while (values[right] < pivot) {
          right--;
        }
        if (left <= right) {
          float swap = values[left];
          values[left++] = values[right];
          values[right--] = swap;
        }
      }
      if (k - 1 <= right) {
        high = right;
      } else if (k - 1 >= left) {
        low = left;
      } else {
        break;
      }
    }
    return values[k - 1];
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
