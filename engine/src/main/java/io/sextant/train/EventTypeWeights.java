package io.sextant.train;

import io.sextant.EventType;
import io.sextant.data.Interactions;
import java.util.ArrayList;
import java.util.List;

/**
 * The mixture of objectives, one for each type of event that occurs: {@code w_t = y_t / sum_s p_s
 * y_s}, with p the types' shares of the examples, so that the mean weight of an example is 1.
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

  /** The weight of each example (n). */
  float[] ofExamples(int[] examples, float[] weights) {
    float[] each = new float[examples.length];
    for (int e = 0; e < each.length; e++) {
      each[e] = weights[numberOf(examples[e])];
    }
    return each;
  }

  /**
   * The derivative of a loss by each log y_t, from that by each example's weight: with {@code d log
   * w_s / d log y_t = [s = t] - p_t w_t}.
   *
   * @param perExample (n) derivative by the weight of each
   */
  double[] slopes(int[] examples, float[] perExample, float[] weights) {
    double[] slopes = new double[weights.length];
    double sum = 0;
    for (int e = 0; e < examples.length; e++) {
      int type = numberOf(examples[e]);
      double byLogWeight = (double) perExample[e] * weights[type];
      slopes[type] += byLogWeight;
      sum += byLogWeight;
    }
    for (int t = 0; t < slopes.length; t++) {
      slopes[t] -= sum * shares[t] * weights[t];
    }
    return slopes;
  }

  private int numberOf(int example) {
    return numberOf[train.typeAt(example).ordinal()];
  }
}
