package io.sextant.train;

import ai.djl.ndarray.NDManager;
import io.sextant.nn.HistoryInput;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import org.jspecify.annotations.Nullable;

/**
 * Histories of different lengths, padded into one rectangle (B, L) with the weights by which the
 * user encoder sums them: {@code decay^age / (sum of decay^age)^power}.
 */
public final class Histories {

  private final int[][] histories;
  private final TwoTowerOptions options;
  private final int length;

  /**
   * Histories, each oldest first.
   *
   * @param histories items by user, of which the latest {@link TwoTowerOptions#historyLength} count
   */
  public Histories(int[][] histories, TwoTowerOptions options) {
    this.histories = histories;
    this.options = options;
    int longest = 1;
    for (int[] history : histories) {
      longest = Math.max(longest, history.length);
    }
    length = Math.min(longest, options.historyLength());
  }

  /** The inputs of the user encoder where every table is whole. */
  public HistoryInput input(NDManager manager) {
    return input(manager, items(null), last(null));
  }

  HistoryInput input(NDManager manager, int[] items, int[] last) {
    int size = histories.length;
    float[] hasLast = new float[size];
    for (int e = 0; e < size; e++) {
      hasLast[e] = histories[e].length > 0 ? 1 : 0;
    }
    return new HistoryInput(
        HostArrays.longs(manager, items, size, length),
        HostArrays.floats(manager, weights(), size, length),
        HostArrays.longs(manager, last, size, 1),
        HostArrays.floats(manager, hasLast, size, 1));
  }

  /** Items (B * L), as numbers within the collector's rows if there is one. */
  int[] items(@Nullable RowCollector collector) {
    int[] items = new int[histories.length * length];
    int padding = paddingOf(collector);
    for (int e = 0; e < histories.length; e++) {
      int[] history = histories[e];
      int count = Math.min(length, history.length);
      for (int j = 0; j < length; j++) {
        items[e * length + j] =
            j < count ? number(collector, history[history.length - count + j]) : padding;
      }
    }
    return items;
  }

  /** The latest item of each (B), as a number within the collector's rows if there is one. */
  int[] last(@Nullable RowCollector collector) {
    int[] last = new int[histories.length];
    int padding = paddingOf(collector);
    for (int e = 0; e < histories.length; e++) {
      int[] history = histories[e];
      last[e] = history.length > 0 ? number(collector, history[history.length - 1]) : padding;
    }
    return last;
  }

  private float[] weights() {
    float[] weights = new float[histories.length * length];
    for (int e = 0; e < histories.length; e++) {
      int count = Math.min(length, histories[e].length);
      double sum = 0;
      for (int j = 0; j < count; j++) {
        sum += Math.pow(options.historyDecay(), count - 1 - j);
      }
      double norm = Math.pow(sum, options.historyPower());
      for (int j = 0; j < count; j++) {
        weights[e * length + j] = (float) (Math.pow(options.historyDecay(), count - 1 - j) / norm);
      }
    }
    return weights;
  }

  private static int number(@Nullable RowCollector collector, int item) {
    return collector == null ? item : collector.add(item);
  }

  /** Padding must be a row that was gathered, the first one, but does not count as read. */
  private static int paddingOf(@Nullable RowCollector collector) {
    return collector == null || collector.size() > 0 ? 0 : collector.add(0, 0);
  }
}
