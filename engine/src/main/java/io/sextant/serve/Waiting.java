package io.sextant.serve;

import io.sextant.DeadlineExceededException;
import io.sextant.InvalidInputException;
import io.sextant.OverloadedException;
import io.sextant.RecommenderClosedException;
import io.sextant.SextantException;
import io.sextant.observe.RequestOutcome;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How callers wait, and what they are told when it does not end well. */
final class Waiting {

  private static final Logger LOG = LoggerFactory.getLogger(Waiting.class);

  private Waiting() {}

  /** What was found, or the reason why not; gives the job up at its deadline. */
  static Job.Found until(Job job) {
    try {
      return job.result()
          .get(Math.max(0, job.deadline() - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      DeadlineExceededException late = late();
      job.result().completeExceptionally(late);
      throw late;
    } catch (InterruptedException e) {
      job.result().cancel(false);
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  /** The result of an answer that fails with our exceptions. */
  static <T> T result(CompletableFuture<T> answer) {
    try {
      return answer.get();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  /** Waits for memory to be freed, for so long at most. */
  static void forLatch(CountDownLatch latch, long seconds) {
    boolean interrupted = false;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (true) {
      try {
        if (!latch.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          LOG.warn("a request holds the closed model for {} s: it is freed with its end", seconds);
        }
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  static RecommenderClosedException closed() {
    return new RecommenderClosedException("the recommender is closed: it answers no more");
  }

  static DeadlineExceededException late() {
    return new DeadlineExceededException("there was no answer until the request's time was over");
  }

  /** Keeps the interrupt and says so. */
  static SextantException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new SextantException("the caller was interrupted while waiting for an answer", e);
  }

  /** What a caller is told of a failure. */
  static RuntimeException failure(@Nullable Throwable cause) {
    Throwable reason = cause;
    while (reason instanceof CompletionException && reason.getCause() != null) {
      reason = reason.getCause();
    }
    if (reason instanceof SextantException || reason instanceof CancellationException) {
      return (RuntimeException) reason;
    }
    if (reason instanceof TimeoutException) {
      return late();
    }
    return reason == null
        ? new SextantException("the model failed at this request")
        : new SextantException("the model failed at this request: " + reason, reason);
  }

  /** How a request ended that ended with this. */
  static RequestOutcome outcome(RuntimeException e) {
    if (e instanceof InvalidInputException) {
      return RequestOutcome.INVALID;
    }
    if (e instanceof OverloadedException) {
      return RequestOutcome.OVERLOADED;
    }
    if (e instanceof DeadlineExceededException) {
      return RequestOutcome.EXPIRED;
    }
    if (e instanceof RecommenderClosedException) {
      return RequestOutcome.CLOSED;
    }
    return e instanceof CancellationException || e.getCause() instanceof InterruptedException
        ? RequestOutcome.CANCELLED
        : RequestOutcome.FAILED;
  }
}
