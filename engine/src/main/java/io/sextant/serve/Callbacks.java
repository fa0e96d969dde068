package io.sextant.serve;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs what follows asynchronous answers, so that no thread that computes ever runs code of a
 * caller. Its own threads are as many as callbacks run at the same time.
 *
 * <p>Thread safety: safe.
 */
final class Callbacks implements Executor, AutoCloseable {

  private final Executor executor;
  private final @Nullable ExecutorService own;

  /** Runs them on an executor, which is lent; null for threads of its own. */
  Callbacks(@Nullable Executor lent) {
    if (lent != null) {
      own = null;
      executor = lent;
      return;
    }
    AtomicInteger number = new AtomicInteger();
    ExecutorService threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "sextant-answer-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    own = threads;
    executor = threads;
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(task);
  }

  @Override
  public void close() {
    if (own != null) {
      own.shutdown();
    }
  }
}
