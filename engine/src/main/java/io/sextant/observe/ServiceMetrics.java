package io.sextant.observe;

import java.util.function.IntSupplier;

/**
 * To whom a recommender reports numbers. Every method has a default that does nothing.
 *
 * <p>Thread safety: implementations are called from many threads at once, some of them those that
 * compute: they must be quick and must not block. What they throw is logged and goes no further.
 */
public interface ServiceMetrics {

  /** Reports to nobody. */
  ServiceMetrics NONE = new ServiceMetrics() {};

  /**
   * A recommender begins to serve.
   *
   * @param queueDepth how many requests wait, whenever it is asked
   */
  default void opened(IntSupplier queueDepth) {}

  /**
   * A request ended.
   *
   * @param nanos since it was made
   */
  default void request(RequestOutcome outcome, long nanos) {}

  /**
   * A batch was computed.
   *
   * @param size how many requests it had
   * @param nanos how long it took
   */
  default void batch(int size, long nanos) {}

  /** Requests are served by this version of the model from now on. */
  default void serving(String version) {}

  /** A new model was refused, and the old one serves on. */
  default void swapRefused() {}

  /** An event of a user was recorded. */
  default void event() {}

  /**
   * A decision was handed to the log.
   *
   * @param kept whether the log took it; else its queue was full or it failed, and the answer went
   *     out without a decision's id
   */
  default void decision(boolean kept) {}

  /** A decision that the log took could not be written. */
  default void decisionFailed() {}

  /** The recommender was closed. */
  default void closed() {}
}
