package io.sextant.serve;

import io.sextant.Recommendations;
import io.sextant.observe.RequestEvent;
import io.sextant.observe.RequestOutcome;
import io.sextant.observe.ServiceMetrics;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Turns queries into answers, for callers who wait and for those who do not, and tells metrics and
 * flight recorder how each ended.
 *
 * <p>Thread safety: safe.
 *
 * @param callbacks runs what follows asynchronous answers
 */
record Answers(Batcher batcher, Executor callbacks, ServiceMetrics metrics) {

  /** Makes a query and waits for its answer. */
  Recommendations now(Supplier<Query> opening) {
    return observed(
        () -> {
          try (Query query = opening.get()) {
            return await(query);
          }
        });
  }

  /** Makes a query and gives a future of its answer, which fails with all that goes wrong. */
  CompletableFuture<Recommendations> later(Supplier<Query> opening) {
    long start = System.nanoTime();
    RequestEvent event = new RequestEvent();
    event.begin();
    try {
      Query query = opening.get();
      return new AsyncAnswer(
              query, this::submitted, callbacks, outcome -> ended(event, outcome, start))
          .begin();
    } catch (RuntimeException e) {
      ended(event, Waiting.outcome(e), start);
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Does the jobs of a query one after the other. */
  Recommendations await(Query query) {
    while (true) {
      Recommendations answer = query.answer(Waiting.until(submitted(query)));
      if (answer != null) {
        return answer;
      }
    }
  }

  /** Work for one request whose end is told. */
  <T> T observed(Supplier<T> work) {
    long start = System.nanoTime();
    RequestEvent event = new RequestEvent();
    event.begin();
    RequestOutcome outcome = RequestOutcome.FAILED;
    try {
      T result = work.get();
      outcome = RequestOutcome.SERVED;
      return result;
    } catch (RuntimeException e) {
      outcome = Waiting.outcome(e);
      throw e;
    } finally {
      ended(event, outcome, start);
    }
  }

  private Job submitted(Query query) {
    Job job = query.job();
    try {
      batcher.submit(job);
      return job;
    } catch (RuntimeException e) {
      job.version().release();
      throw e;
    }
  }

  private void ended(RequestEvent event, RequestOutcome outcome, long start) {
    metrics.request(outcome, System.nanoTime() - start);
    event.finish(outcome);
  }
}
