package io.sextant.tensor;

import ai.djl.pytorch.jni.JniUtils;
import io.sextant.SextantException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The platform threads on which all tensor code runs.
 *
 * <p>libtorch keeps its gradient mode per thread, and it is on in every thread but the one that
 * loaded the library: scoring there would record graphs and memory would grow. These threads turn
 * it off once, and {@link Grad} turns it on for the length of a recording. A virtual thread must
 * not run tensor code, because it may change its carrier in the middle.
 *
 * <p>Thread safety: safe.
 */
public final class TensorThreads {

  private static final ExecutorService SHARED =
      Executors.newCachedThreadPool(factory("sextant-tensor"));

  private TensorThreads() {}

  /** Makes daemon threads for tensor code, named {@code prefix-1}, {@code prefix-2} and so on. */
  public static ThreadFactory factory(String prefix) {
    AtomicInteger counter = new AtomicInteger();
    return task -> new TensorThread(task, prefix + "-" + counter.incrementAndGet());
  }

  /** Whether the caller is on a thread that may run tensor code. */
  public static boolean isTensorThread() {
    return Thread.currentThread() instanceof TensorThread;
  }

  /**
   * Runs the work on a tensor thread and returns its result; runs it at once where the caller is on
   * one already.
   *
   * <p>An interrupt of the caller interrupts the work and is kept; the call still ends with the
   * work and never before it, because its memory would be freed under its hands.
   *
   * @throws SextantException around a checked exception
   */
  public static <T> T call(Callable<T> work) {
    if (isTensorThread()) {
      try {
        return work.call();
      } catch (Exception e) {
        throw unchecked(e);
      }
    }
    Work<T> task = new Work<>(work);
    SHARED.execute(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
          task.interrupt();
        }
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof Error error) {
        throw error;
      }
      throw unchecked(cause == null ? e : cause);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** {@link #call} for work without a result. */
  public static void run(Runnable work) {
    call(
        () -> {
          work.run();
          return true;
        });
  }

  private static RuntimeException unchecked(Throwable cause) {
    return cause instanceof RuntimeException runtime
        ? runtime
        : new SextantException("tensor work failed: " + cause.getMessage(), cause);
  }

  /** Work that can be interrupted, and that leaves no interrupt to what its thread runs next. */
  private static final class Work<T> extends FutureTask<T> {
    private @Nullable Thread runner;
    private boolean interrupted;

    Work(Callable<T> work) {
      super(work);
    }

    @Override
    public void run() {
      synchronized (this) {
        runner = Thread.currentThread();
        if (interrupted) {
          runner.interrupt();
        }
      }
      try {
        super.run();
      } finally {
        synchronized (this) {
          runner = null;
          Thread.interrupted();
        }
      }
    }

    synchronized void interrupt() {
      interrupted = true;
      if (runner != null) {
        runner.interrupt();
      }
    }
  }

  private static final class TensorThread extends Thread {
    TensorThread(Runnable task, String name) {
      super(task, name);
      setDaemon(true);
    }

    @Override
    public void run() {
      TensorRuntime.start();
      JniUtils.setGradMode(false);
      super.run();
    }
  }
}
