package io.sextant.serve;

import io.sextant.Recommendations;
import io.sextant.observe.RequestOutcome;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A request that nobody waits for: it submits the jobs of its query one after the other and
 * completes a future.
 *
 * <p>Thread safety: each step happens before the next; a cancellation may come at any time.
 */
final class AsyncAnswer {

  private final Query query;
  private final Function<Query, Job> submit;
  private final Executor callbacks;
  private final Consumer<RequestOutcome> ended;
  private final CompletableFuture<Recommendations> answer = new CompletableFuture<>();
  private final AtomicBoolean done = new AtomicBoolean();

  /**
   * @param query owned from here on
   * @param submit hands in the next job of a query
   * @param callbacks runs the steps and what follows the future
   * @param ended is told once how it ended
   */
  AsyncAnswer(
      Query query,
      Function<Query, Job> submit,
      Executor callbacks,
      Consumer<RequestOutcome> ended) {
    this.query = query;
    this.submit = submit;
    this.callbacks = callbacks;
    this.ended = ended;
  }

  CompletableFuture<Recommendations> begin() {
    next();
    return answer;
  }

  private void next() {
    Job job;
    try {
      job = submit.apply(query);
    } catch (RuntimeException e) {
      end(null, e);
      return;
    }
    long left = Math.max(0, job.deadline() - System.nanoTime());
    // Timeouts come from a timer's thread, so the step that follows must not run on it.
    job.result().orTimeout(left, TimeUnit.NANOSECONDS);
    job.result()
        .whenCompleteAsync(this::found, callbacks)
        .exceptionally(
            failure -> {
              // Of use where the executor refuses the step: else the answer has ended already.
              end(null, Waiting.failure(failure));
              return null;
            });
    answer.whenComplete(
        (list, failure) -> {
          if (answer.isCancelled()) {
            job.result().cancel(false);
          }
        });
  }

  private void found(Job.@Nullable Found found, @Nullable Throwable failure) {
    if (found == null) {
      end(null, Waiting.failure(failure));
      return;
    }
    Recommendations list;
    try {
      list = query.answer(found);
    } catch (RuntimeException e) {
      end(null, e);
      return;
    }
    if (list == null) {
      next();
    } else {
      end(list, null);
    }
  }

  /** Lets go of the model before anybody is told. */
  private void end(@Nullable Recommendations list, @Nullable RuntimeException failure) {
    if (!done.compareAndSet(false, true)) {
      return;
    }
    query.close();
    boolean cancelled = answer.isCancelled() || failure instanceof CancellationException;
    if (list != null) {
      ended.accept(cancelled ? RequestOutcome.CANCELLED : RequestOutcome.SERVED);
      answer.complete(list);
    } else if (failure != null) {
      ended.accept(cancelled ? RequestOutcome.CANCELLED : Waiting.outcome(failure));
      answer.completeExceptionally(failure);
    }
  }
}
