package io.sextant.tensor;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The caller's thread and a few daemons that share the tasks of short jobs in plain Java. A daemon
 * that does not wake in time takes no part: the caller never waits for one that has not begun. So
 * several callers may share a team, and a result must not depend on who did which task.
 *
 * <p>Thread safety: safe.
 */
public final class HostTeam implements AutoCloseable {

  private final int helpers;
  private final @Nullable ExecutorService executor;

  /** A team of so many threads, the caller's included. */
  public HostTeam(int threads) {
    helpers = threads - 1;
    AtomicInteger number = new AtomicInteger();
    executor =
        helpers == 0
            ? null
            : Executors.newFixedThreadPool(
                helpers,
                task -> {
                  Thread thread = new Thread(task, "sextant-host-" + number.incrementAndGet());
                  thread.setDaemon(true);
                  return thread;
                });
  }

  /** The team of the process, with as many threads as libtorch uses for one operation. */
  public static HostTeam shared() {
    return Shared.TEAM;
  }

  /** How many tasks of so many units there are for a total. */
  public static int tasks(int total, int unitsPerTask) {
    return (total + unitsPerTask - 1) / unitsPerTask;
  }

  /**
   * Runs tasks 0 to {@code tasks - 1} and returns, or throws what one of them threw, when no thread
   * works on them any more.
   *
   * @param worker makes the consumer of the tasks of one thread, with that thread's scratch
   */
  public void run(int tasks, Supplier<IntConsumer> worker) {
    Job job = new Job(tasks, worker);
    if (executor != null) {
      for (int i = 0; i < Math.min(helpers, tasks - 1); i++) {
        executor.execute(job);
      }
    }
    job.run();
    job.finish();
  }

  @Override
  public void close() {
    if (executor != null) {
      executor.shutdown();
    }
  }

  private static final class Shared {
    static final HostTeam TEAM = new HostTeam(TensorRuntime.threads());
  }

  private static final class Job implements Runnable {
    private final int tasks;
    private final Supplier<IntConsumer> worker;
    private final AtomicInteger next = new AtomicInteger();
    private int active;
    private boolean finished;
    private @Nullable Throwable failure;

    Job(int tasks, Supplier<IntConsumer> worker) {
      this.tasks = tasks;
      this.worker = worker;
    }

    @Override
    public void run() {
      synchronized (this) {
        if (finished) {
          return;
        }
        active++;
      }
      Throwable thrown = null;
      try {
        IntConsumer consumer = worker.get();
        for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
          consumer.accept(task);
        }
      } catch (RuntimeException | Error e) {
        thrown = e;
        next.set(tasks);
      } finally {
        synchronized (this) {
          active--;
          if (thrown != null) {
            failure = thrown;
          }
          notifyAll();
        }
      }
    }

    /** Waits even when interrupted: a tile must not be freed under a thread that reads it. */
    synchronized void finish() {
      finished = true;
      boolean interrupted = false;
      while (active > 0) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (failure instanceof Error error) {
        throw error;
      }
      if (failure instanceof RuntimeException exception) {
        throw exception;
      }
    }
  }
}
