package io.sextant.strategy;

import java.util.Arrays;

/**
 * Keeps the k largest of a list of numbers, in their order; of equal numbers at the cut the first
 * ones. O(n) by quickselect, O(n log n) at worst.
 *
 * <p>Thread safety: none, one for each thread: it owns scratch as long as the longest list.
 */
final class Largest {

  private float[] scratch = new float[256];

  /**
   * Moves the kept entries of both arrays to the front.
   *
   * @param ids belong to the values
   * @param size how many entries there are; none of the values is NaN
   * @return how many are left, min(k, size)
   */
  int keep(int[] ids, float[] values, int size, int k) {
    if (size <= k) {
      return size;
    }
    if (scratch.length < size) {
      scratch = new float[Math.max(size, 2 * scratch.length)];
    }
    System.arraycopy(values, 0, scratch, 0, size);
    float cut = kthLargest(scratch, size, k);
    int above = 0;
    for (int at = 0; at < size; at++) {
      above += values[at] > cut ? 1 : 0;
    }
    int atCut = k - above;
    int kept = 0;
    for (int at = 0; at < size; at++) {
      float value = values[at];
      if (value > cut || (value == cut && atCut-- > 0)) {
        ids[kept] = ids[at];
        values[kept++] = value;
      }
    }
    return kept;
  }

  /** Reorders the first {@code size} numbers. */
  private static float kthLargest(float[] numbers, int size, int k) {
    int target = k - 1;
    int low = 0;
    int high = size - 1;
    int rounds = 4 * (Integer.SIZE - Integer.numberOfLeadingZeros(size));
    while (low < high) {
      if (rounds-- == 0) {
        Arrays.sort(numbers, low, high + 1);
        return numbers[high - (target - low)];
      }
      float pivot = median(numbers[low], numbers[(low + high) >>> 1], numbers[high]);
      int left = low;
      int right = high;
      while (left <= right) {
        while (numbers[left] > pivot) {
          left++;
        }
        while (numbers[right] < pivot) {
          right--;
        }
        if (left <= right) {
          float swap = numbers[left];
          numbers[left++] = numbers[right];
          numbers[right--] = swap;
        }
      }
      if (target <= right) {
        high = right;
      } else if (target >= left) {
        low = left;
      } else {
        return pivot;
      }
    }
    return numbers[low];
  }

  private static float median(float a, float b, float c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
