package io.sextant.train;

import io.sextant.EventType;
import io.sextant.data.Interactions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The mixture of objectives, one for each type of event that occurs: {@code w_t = y_t / sum_s p_s
 * y_s}, with p the types' shares of the rows, so that the mean weight of an interaction is 1.
 *
 * <p>Thread safety: immutable.
 */
final class EventTypeWeights {

  private final Interactions train;
  private final List<EventType> types = new ArrayList<>();
  private final int[] numberOf = new int[EventType.values().length];
  private final double[] shares;

  EventTypeWeights(Interactions train) {
    this.train = train;
    int[] counts = new int[numberOf.length];
    for (int row = 0; row < train.size(); row++) {
      counts[train.typeAt(row).ordinal()]++;
    }
    for (EventType type : EventType.values()) {
      if (counts[type.ordinal()] > 0) {
        numberOf[type.ordinal()] = types.size();
        types.add(type);
      }
    }
    shares = types.stream().mapToDouble(t -> (double) counts[t.ordinal()] / train.size()).toArray();
  }

  /** The types that occur (T). */
  List<EventType> types() {
    return types;
  }

  /**
   * The weights (T).
   *
   * @param outputs y (T), positive
   */
  float[] weights(double[] outputs) {
    double mean = 0;
    for (int t = 0; t < shares.length; t++) {
      mean += shares[t] * outputs[t];
    }
    float[] weights = new float[shares.length];
    for (int t = 0; t < weights.length; t++) {
      weights[t] = (float) (outputs[t] / mean);
    }
    return weights;
  }

  /** The type of each row (n), as a number among {@link #types}. */
  int[] typeOfRow() {
    return IntStream.range(0, train.size()).map(this::numberOf).toArray();
  }

  /** The weight of each row (n). */
  float[] ofRows(int[] rows, float[] weights) {
    float[] each = new float[rows.length];
    for (int r = 0; r < each.length; r++) {
      each[r] = weights[numberOf(rows[r])];
    }
    return each;
  }

  /**
   * The derivative of a loss by each log y_t, from that by each row's weight: with {@code d log w_s
   * / d log y_t = [s = t] - p_t w_t}.
   *
   * @param perRow (n) derivative by the weight of each
   */
  double[] slopes(int[] rows, float[] perRow, float[] weights) {
    double[] slopes = new double[weights.length];
    double sum = 0;
    for (int r = 0; r < rows.length; r++) {
      int type = numberOf(rows[r]);
      double byLogWeight = (double) perRow[r] * weights[type];
      slopes[type] += byLogWeight;
      sum += byLogWeight;
    }
    for (int t = 0; t < slopes.length; t++) {
      slopes[t] -= sum * shares[t] * weights[t];
    }
    return slopes;
  }

  private int numberOf(int row) {
    return numberOf[train.typeAt(row).ordinal()];
  }
}
