package io.sextant.meta;

import io.sextant.retrieve.SparseRows;
import io.sextant.strategy.ScoreSums;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Items that came after training. Each is scored as a weighted mean of items of the catalogue that
 * are like it: all strategies' scores are linear in the item, so the mean of the scores is the
 * score of the mean. (The k-nearest-neighbour mapping of Gantner et al., "Learning
 * Attribute-to-Feature Mappings for Cold-Start Recommendations", ICDM 2010.)
 *
 * <p>Thread safety: safe; a slot is written once, before the first search that may find its item.
 */
final class AddedItems {

  private final int numItems;
  private final AtomicReferenceArray<Kin> slots;
  private volatile int used;

  /**
   * Items of the catalogue that stand for an added one.
   *
   * @param items dense indices
   * @param weights their shares, which sum to 1
   */
  record Kin(int[] items, float[] weights) {}

  /** Room for {@code capacity} items behind the {@code numItems} of the catalogue. */
  AddedItems(int numItems, int capacity) {
    this.numItems = numItems;
    this.slots = new AtomicReferenceArray<>(capacity);
  }

  int capacity() {
    return slots.length();
  }

  synchronized void put(int slot, Kin kin) {
    slots.set(slot, kin);
    used = Math.max(used, slot + 1);
  }

  /** What an item stands for; null for an item of the catalogue. */
  @Nullable Kin kinOf(int item) {
    return item < numItems ? null : slots.get(item - numItems);
  }

  /** The sparse score of an item, added or not. */
  float sparseScore(SparseRows rows, int row, int item) {
    Kin kin = kinOf(item);
    if (kin == null) {
      return rows.get(row, item);
    }
    float sum = 0;
    for (int i = 0; i < kin.items().length; i++) {
      sum += kin.weights()[i] * rows.get(row, kin.items()[i]);
    }
    return sum;
  }

  /** Adds the scores of added items to sums that have those of the catalogue. */
  void addTo(ScoreSums sums) {
    int end = used;
    for (int slot = 0; slot < end; slot++) {
      Kin kin = slots.get(slot);
      if (kin == null) {
        continue;
      }
      float sum = 0;
      for (int i = 0; i < kin.items().length; i++) {
        sum += kin.weights()[i] * sums.get(kin.items()[i]);
      }
      if (sum != 0) {
        sums.add(numItems + slot, sum);
      }
    }
  }
}
