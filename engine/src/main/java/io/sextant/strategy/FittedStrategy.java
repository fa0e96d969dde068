package io.sextant.strategy;

import ai.djl.Device;
import io.sextant.store.TensorSource;
import java.util.List;
import java.util.Optional;

/**
 * A strategy that has learned. The score of an item for a user is the sum of an inner product
 * ({@link #dense}) and of an entry that most items do not have ({@link #sparse}); at least one of
 * the parts is there.
 *
 * <p>Thread safety: both parts may score on several threads at the same time; {@link #close} after
 * all of them have returned.
 */
public interface FittedStrategy extends AutoCloseable {

  /** Which kind of strategy it is: the name under which its loader is found. */
  String type();

  /** How many items it scores, I. */
  int numItems();

  /** Where the vectors of its dense part lie; the CPU if there is none. */
  default Device device() {
    return dense().map(part -> part.itemVectors().getDevice()).orElse(Device.cpu());
  }

  /** Scores by inner products. */
  default Optional<DenseScores> dense() {
    return Optional.empty();
  }

  /** Scores by neighbour lists. */
  default Optional<SparseScores> sparse() {
    return Optional.empty();
  }

  /** Scores split by items of the history; empty if they are no sum over them. */
  default Optional<HistoryScores> byHistory() {
    return Optional.empty();
  }

  /** The configuration from which, with {@link #tensors}, the strategy can be loaded: JSON. */
  String configJson();

  /** The weights, to be written while the strategy is open. */
  List<TensorSource> tensors();

  /** Frees the weights. */
  @Override
  void close();
}
