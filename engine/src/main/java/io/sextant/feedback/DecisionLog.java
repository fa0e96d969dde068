package io.sextant.feedback;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Where decisions and outcomes are kept.
 *
 * <p>A future completes when what it stands for is durable, and not before. Recording the same
 * decision or outcome again is of no effect, so a caller who did not hear may repeat. Memory is
 * bounded: what cannot be queued is refused at once with an {@link io.sextant.OverloadedException}.
 *
 * <p>Thread safety: safe.
 */
public interface DecisionLog extends AutoCloseable {

  /**
   * Records a decision.
   *
   * @return fails with a {@link io.sextant.SextantException} if it could not be written
   * @throws io.sextant.OverloadedException if too much waits to be written
   */
  CompletableFuture<Void> record(Decision decision);

  /**
   * Records an outcome, whether or not its decision is there already.
   *
   * @return fails with a {@link io.sextant.SextantException} if it could not be written
   * @throws io.sextant.OverloadedException if too much waits to be written
   */
  CompletableFuture<Void> record(Outcome outcome);

  /**
   * Reads decisions by time, with their outcomes, as they were when the reading began.
   *
   * @param fromMillis first time
   * @param toMillis first time that is not read
   */
  void read(long fromMillis, long toMillis, Consumer<LoggedDecision> consumer);

  /** Outcomes whose decision is not there: it may still come, or it never was. */
  long orphans();

  /** Removes all decisions of a user and their outcomes, for good, and says how many. */
  Removed forget(String userId);

  /** Removes decisions before a time with their outcomes, and orphaned outcomes of before it. */
  Removed expire(long beforeMillis);

  /**
   * What was removed.
   *
   * @param decisions how many
   * @param outcomes how many
   */
  record Removed(long decisions, long outcomes) {}

  /** Writes what waits, then closes. */
  @Override
  void close();
}
