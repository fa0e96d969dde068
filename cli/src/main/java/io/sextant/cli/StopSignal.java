package io.sextant.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets training that saves checkpoints end in order when the process is told to stop (Ctrl-C or
 * SIGTERM): the training thread is interrupted, saves, and only then the JVM goes down. A stop
 * while nothing of this kind is open ends the process at once.
 */
final class StopSignal implements AutoCloseable {

  /** The largest checkpoints take a while; after this the one before them must do. */
  private static final long MAX_WAIT_SECONDS = 60;

  private final Thread training = Thread.currentThread();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "sextant-stop");

  private StopSignal() {}

  /** Heeds signals until it is closed, which is when the calling thread has stopped training. */
  static StopSignal heed() {
    StopSignal signal = new StopSignal();
    Runtime.getRuntime().addShutdownHook(signal.hook);
    return signal;
  }

  private void stop() {
    System.err.println("stopping: training saves a checkpoint after the step at hand");
    training.interrupt();
    try {
      if (ended.await(MAX_WAIT_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("stopped: the same command with --resume goes on from there");
      } else {
        System.err.println("stopped without a new checkpoint: --resume goes on from the last one");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is going down, which the hook is part of.
    }
    ended.countDown();
  }
}
