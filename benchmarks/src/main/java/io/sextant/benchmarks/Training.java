package io.sextant.benchmarks;

/** A peer that trains matrix factorisation on a workload, turn by turn. Not thread-safe. */
interface Training extends AutoCloseable {

  /** Trains a turn. */
  Outcome train();

  @Override
  void close();

  /**
   * What a turn came to.
   *
   * @param examples how many examples were trained on
   * @param examplesPerSecond without what a turn costs once, whatever its length
   * @param meanLoss over the turn, read back from the device
   */
  record Outcome(int examples, double examplesPerSecond, double meanLoss) {}
}
