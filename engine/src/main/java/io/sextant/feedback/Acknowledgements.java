package io.sextant.feedback;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Where futures of a log are completed: what follows them is the callers' code, which must not hold
 * up the writer.
 *
 * <p>Thread safety: safe.
 */
final class Acknowledgements implements Executor, AutoCloseable {

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread one = new Thread(task, "sextant-decision-log-acknowledgements");
            one.setDaemon(true);
            return one;
          });

  @Override
  public void execute(Runnable task) {
    thread.execute(task);
  }

  /** What was given before is still done. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
