package io.sextant.strategy;

import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What every strategy with weights between items serves with, however it learned them: the score of
 * an item is the sum of its weights from the items of the history, O(history x neighbours).
 *
 * <p>Thread safety: as {@link FittedStrategy}; holds nothing native.
 */
final class FittedItemItem implements FittedStrategy, SparseScores, HistoryScores {

  static final String TYPE = "item-item";
  private static final Gson GSON = new Gson();

  private final ItemWeights weights;
  private final HistoryWeights history;
  private final String method;

  /**
   * @param method how the weights were learned, for people who read the bundle
   */
  FittedItemItem(ItemWeights weights, HistoryWeights history, String method) {
    this.weights = weights;
    this.history = history;
    this.method = method;
  }

  static FittedItemItem load(StoredStrategy stored) {
    return Restored.from(
        stored,
        Config.class,
        (config, tensors) ->
            new FittedItemItem(
                new ItemWeights(
                    tensors.tensor("starts").toInts(),
                    tensors.tensor("items").toInts(),
                    tensors.tensor("weights").toFloats()),
                config.history,
                config.method));
  }

  ItemWeights weights() {
    return weights;
  }

  @Override
  public String type() {
    return TYPE;
  }

  @Override
  public int numItems() {
    return weights.numItems();
  }

  @Override
  public Optional<SparseScores> sparse() {
    return Optional.of(this);
  }

  @Override
  public void score(UserState user, ScoreSums into) {
    int[] items = user.history();
    float[] factors = history.latestFirst(items.length);
    for (int back = 0; back < factors.length; back++) {
      int item = items[items.length - 1 - back];
      into.addAll(
          weights.items(),
          weights.weights(),
          weights.starts()[item],
          weights.starts()[item + 1],
          factors[back]);
    }
  }

  @Override
  public Optional<HistoryScores> byHistory() {
    return Optional.of(this);
  }

  @Override
  public float[] parts(UserState user, int item) {
    int[] items = user.history();
    float[] parts = new float[items.length];
    float[] factors = history.latestFirst(items.length);
    for (int back = 0; back < factors.length; back++) {
      int place = items.length - 1 - back;
      int source = items[place];
      int at =
          Arrays.binarySearch(
              weights.items(), weights.starts()[source], weights.starts()[source + 1], item);
      parts[place] = at < 0 ? 0 : factors[back] * weights.weights()[at];
    }
    return parts;
  }

  @Override
  public String configJson() {
    return GSON.toJson(new Config(history, method));
  }

  @Override
  public List<TensorSource> tensors() {
    return List.of(
        TensorSource.of("starts", weights.starts(), weights.starts().length),
        TensorSource.of("items", weights.items(), weights.items().length),
        TensorSource.of("weights", weights.weights(), weights.weights().length));
  }

  @Override
  public void close() {}

  private record Config(HistoryWeights history, String method) {

    Config {
      // Gson leaves null what is missing.
      if ((Object) history == null || (Object) method == null) {
        throw new InvalidInputException("'history' or 'method' is missing");
      }
    }
  }
}
