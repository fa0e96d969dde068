package io.sextant.serve;

import io.sextant.DeadlineExceededException;
import io.sextant.OverloadedException;
import io.sextant.RecommenderClosedException;
import io.sextant.observe.BatchEvent;
import io.sextant.observe.ServiceMetrics;
import io.sextant.tensor.TensorThreads;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Computes lists that are asked for at the same time together, on tensor threads of its own.
 *
 * <p>Design. While a batch is computed, requests gather in the queue and become the next batch:
 * under load batches form by themselves, and nobody waits when there is none. One case is left:
 * callers that were answered together come back together, but not in the same microsecond, and the
 * first to come would go alone. So a worker that finds fewer requests than its last batches had
 * waits for the others, {@code maxDelay} at most after the first request's making. What it expects
 * is the size of the last batch, and falls by half with each smaller one, so that a lonely caller
 * soon waits no more.
 *
 * <p>The queue is bounded; what does not fit is refused at once with the time that those who wait
 * will take. Requests that nobody wants any more, or that are too late, are dropped when their turn
 * comes, before anything is computed. A batch that fails is halved until those that fail stand
 * alone: the others get their lists.
 *
 * <p>Thread safety: safe.
 */
final class Batcher {

  private static final Logger LOG = LoggerFactory.getLogger(Batcher.class);

  /** The share of the newest batch in the mean time that a request takes. */
  private static final double NEWEST = 0.1;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrival = lock.newCondition();
  private final ArrayDeque<Job> queue = new ArrayDeque<>();
  private final int capacity;
  private final int maxBatch;
  private final long maxDelayNanos;
  private final ServiceMetrics metrics;
  private final List<Thread> workers = new ArrayList<>();

  /** How many requests a worker waits for; guarded by the lock. */
  private int awaited = 1;

  private int expected = 1;
  private double nanosPerJob;
  private boolean closed;
  private volatile int depth;
  private volatile boolean lastFailed;

  /** When the batches in work began, by worker; 0 for none. */
  private final long[] busySince;

  Batcher(RecommenderOptions options, ServiceMetrics metrics) {
    capacity = options.queueCapacity();
    maxBatch = options.maxBatch();
    maxDelayNanos = options.maxDelay().toNanos();
    this.metrics = metrics;
    busySince = new long[options.workers()];
    ThreadFactory threads = TensorThreads.factory("sextant-serve");
    for (int i = 0; i < options.workers(); i++) {
      int number = i;
      Thread worker = threads.newThread(() -> work(number));
      workers.add(worker);
      worker.start();
    }
  }

  /**
   * Takes a job into the queue. Its hold on the model is the batcher's from here on, unless this
   * throws.
   *
   * @throws OverloadedException if there is no room
   * @throws RecommenderClosedException after {@link #close}
   */
  void submit(Job job) {
    lock.lock();
    try {
      if (closed) {
        throw closedException();
      }
      if (queue.size() >= capacity) {
        long nanos = Math.max(1_000_000, (long) (queue.size() * nanosPerJob));
        throw new OverloadedException(
            "%d requests wait already: try again in %d ms"
                .formatted(queue.size(), nanos / 1_000_000),
            Duration.ofNanos(nanos));
      }
      queue.add(job);
      depth = queue.size();
      if (queue.size() >= awaited) {
        arrival.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private static RecommenderClosedException closedException() {
    return new RecommenderClosedException("the recommender is closed: it answers no more");
  }

  /** How many requests wait. */
  int depth() {
    return depth;
  }

  /** Whether the last batch failed for all of its requests. */
  boolean lastFailed() {
    return lastFailed;
  }

  /** For how long the oldest batch in work has been, in nanoseconds. */
  long busyNanos() {
    lock.lock();
    try {
      long longest = 0;
      for (long since : busySince) {
        longest = since == 0 ? longest : Math.max(longest, System.nanoTime() - since);
      }
      return longest;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes no more requests, waits for the batch that is being computed, and tells those that wait.
   */
  void close() {
    lock.lock();
    try {
      closed = true;
      arrival.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive() && worker != Thread.currentThread()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    List<Job> left;
    lock.lock();
    try {
      left = new ArrayList<>(queue);
      queue.clear();
      depth = 0;
    } finally {
      lock.unlock();
    }
    for (Job job : left) {
      job.result().completeExceptionally(closedException());
      job.version().release();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void work(int worker) {
    boolean open = true;
    while (open) {
      try {
        List<Job> batch = next(worker);
        open = !batch.isEmpty();
        if (open) {
          run(worker, batch);
        }
      } catch (Throwable e) {
        // Whatever it is, the worker lives: without it nobody would be answered any more.
        LOG.error("a worker goes on after a failure", e);
      }
    }
  }

  private void run(int worker, List<Job> batch) {
    long start = System.nanoTime();
    BatchEvent event = new BatchEvent();
    event.begin();
    try {
      compute(batch);
    } catch (Throwable e) {
      batch.forEach(job -> job.result().completeExceptionally(e));
      throw e;
    } finally {
      batch.forEach(job -> job.version().release());
      done(worker, batch.size(), System.nanoTime() - start);
    }
    event.finish(batch.size(), depth);
    metrics.batch(batch.size(), System.nanoTime() - start);
  }

  private void done(int worker, int size, long nanos) {
    lock.lock();
    try {
      busySince[worker] = 0;
      double perJob = (double) nanos / size;
      nanosPerJob = nanosPerJob == 0 ? perJob : (1 - NEWEST) * nanosPerJob + NEWEST * perJob;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for requests; none when closed. */
  private List<Job> next(int worker) {
    lock.lock();
    try {
      List<Job> batch = new ArrayList<>();
      while (batch.isEmpty()) {
        awaited = 1;
        while (queue.isEmpty() && !closed) {
          arrival.awaitUninterruptibly();
        }
        if (closed) {
          return List.of();
        }
        gather();
        while (!queue.isEmpty() && batch.size() < maxBatch) {
          Job job = queue.poll();
          if (isWanted(job)) {
            batch.add(job);
          } else {
            job.version().release();
          }
        }
        depth = queue.size();
      }
      expected = batch.size() >= expected ? batch.size() : (expected + batch.size()) / 2;
      busySince[worker] = System.nanoTime();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for those who are expected, not longer than the first in the queue may wait. */
  private void gather() {
    awaited = Math.min(expected, maxBatch);
    Job first = queue.peek();
    try {
      while (first != null && queue.size() < awaited && !closed) {
        long left = first.enqueued() + maxDelayNanos - System.nanoTime();
        if (left <= 0) {
          return;
        }
        arrival.awaitNanos(left);
        first = queue.peek();
      }
    } catch (InterruptedException e) {
      // Nobody who may interrupts a worker; the batch goes as it is.
      return;
    }
  }

  /** Whether a job is to be computed; one that is too late is told so. */
  private static boolean isWanted(Job job) {
    if (job.result().isDone()) {
      return false;
    }
    if (System.nanoTime() - job.deadline() >= 0) {
      job.result()
          .completeExceptionally(
              new DeadlineExceededException(
                  "the request waited until its time was over: the service is busy"));
      return false;
    }
    return true;
  }

  private void compute(List<Job> batch) {
    Map<Object, List<Job>> groups = new LinkedHashMap<>();
    for (Job job : batch) {
      groups.computeIfAbsent(job.group(), g -> new ArrayList<>()).add(job);
    }
    boolean any = false;
    for (List<Job> group : groups.values()) {
      any |= computeGroup(group);
    }
    lastFailed = !any;
  }

  /** Computes jobs of one group, and says whether one of them got its list. */
  private static boolean computeGroup(List<Job> group) {
    List<Job.Found> found;
    try {
      found = new GroupSearch(group).search();
    } catch (RuntimeException | Error e) {
      if (group.size() == 1) {
        group.get(0).result().completeExceptionally(e);
        return false;
      }
      int half = group.size() / 2;
      boolean first = computeGroup(group.subList(0, half));
      return computeGroup(group.subList(half, group.size())) || first;
    }
    for (int i = 0; i < found.size(); i++) {
      group.get(i).result().complete(found.get(i));
    }
    return true;
  }
}
