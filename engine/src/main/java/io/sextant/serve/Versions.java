package io.sextant.serve;

import io.sextant.InvalidInputException;
import io.sextant.observe.ServiceMetrics;
import io.sextant.observe.SwapEvent;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The models of a service: the one that serves, beside it for a share of the users a canary, and
 * where the one before lies. Changes of items hold for all of them.
 *
 * <p>Thread safety: safe; requests take no lock.
 */
final class Versions {

  private static final long CLOSING_SECONDS = 30;

  private final RecommenderOptions options;
  private final ServedVersion.Loader loader;
  private final ServiceMetrics metrics;
  private final ReentrantLock swapping = new ReentrantLock();
  private final ReentrantLock changing = new ReentrantLock();
  private final ItemUpdates updates = new ItemUpdates();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile ServedVersion current;
  private volatile @Nullable Canary canary;

  /** Where what serves was loaded from; guarded by {@code swapping}, as is the next. */
  private Path bundle;

  private @Nullable Previous previous;

  private record Canary(ServedVersion version, Path bundle, StickyBuckets users) {}

  private record Previous(String id, Path bundle) {}

  Versions(
      RecommenderOptions options,
      ServedVersion.Loader loader,
      ServiceMetrics metrics,
      Path bundle,
      ServedVersion first) {
    this.options = options;
    this.loader = loader;
    this.metrics = metrics;
    this.bundle = bundle;
    current = first;
  }

  boolean isClosed() {
    return closed.get();
  }

  ServedVersion current() {
    return current;
  }

  Optional<ServedVersion> canary() {
    return Optional.ofNullable(canary).map(Canary::version);
  }

  /** The version that serves this user: visitors without an id are never a canary's. */
  ServedVersion of(@Nullable String userId) {
    Canary now = canary;
    return now != null && userId != null && now.users().contain(userId) ? now.version() : current;
  }

  /** The version that would serve in place of this one if there were no canary. */
  ServedVersion incumbentOf(ServedVersion version) {
    Canary now = canary;
    return now != null && now.version() == version ? current : version;
  }

  /**
   * Uses a version, or the current one if it is retired already; what is made of it lets go of it.
   */
  <T> T using(ServedVersion wanted, Function<ServedVersion, T> maker) {
    ServedVersion version = wanted;
    while (!version.acquire()) {
      if (closed.get()) {
        throw Waiting.closed();
      }
      // It was swapped away between the two lines: the next one is there already.
      version = current;
    }
    try {
      return maker.apply(version);
    } catch (RuntimeException | Error e) {
      version.release();
      throw e;
    }
  }

  /** Serves another bundle from now on; see {@link Recommender#swap}. */
  String swap(Path next) {
    return swapping(
        () -> {
          Path old = bundle;
          publish(opened(next), next, old);
          return current;
        });
  }

  /** Serves a bundle to a share of the users; an earlier canary gives way. */
  String startCanary(Path next, StickyBuckets users) {
    return swapping(
        () -> {
          ServedVersion version = opened(next);
          replaceCanary(new Canary(version, next, users));
          return version;
        });
  }

  /** Ends the canary: its users get what all get. False if there was none. */
  boolean stopCanary() {
    swapping.lock();
    try {
      boolean there = canary != null;
      replaceCanary(null);
      return there;
    } finally {
      swapping.unlock();
    }
  }

  /** Serves the canary to all. */
  String promoteCanary() {
    return swapping(
        () -> {
          Canary promoted = canary;
          if (promoted == null) {
            throw new InvalidInputException("there is no canary to promote: start one first");
          }
          canary = null;
          publish(promoted.version(), promoted.bundle(), bundle);
          return current;
        });
  }

  /** Serves again what was served before. */
  String rollback() {
    return swapping(
        () -> {
          Previous back = previous;
          if (back == null) {
            throw new InvalidInputException("there is no earlier version to go back to");
          }
          ServedVersion version = opened(back.bundle());
          if (!version.id().equals(back.id())) {
            version.release();
            throw new InvalidInputException(
                "%s holds version %s now but %s was served before: restore that bundle, or swap"
                    .formatted(back.bundle(), version.id(), back.id()));
          }
          publish(version, back.bundle(), bundle);
          return current;
        });
  }

  private interface Step {
    ServedVersion take();
  }

  private String swapping(Step step) {
    swapping.lock();
    SwapEvent event = new SwapEvent();
    event.begin();
    String version = "";
    try {
      if (closed.get()) {
        throw Waiting.closed();
      }
      version = step.take().id();
      return version;
    } finally {
      if (version.isEmpty()) {
        metrics.swapRefused();
      }
      event.finish(version, !version.isEmpty());
      swapping.unlock();
    }
  }

  private ServedVersion opened(Path directory) {
    return ServedVersion.open(directory, options, loader);
  }

  private void publish(ServedVersion next, Path from, Path before) {
    ServedVersion old;
    changing.lock();
    try {
      if (closed.get()) {
        throw Waiting.closed();
      }
      updates.applyTo(next.catalogue());
      old = current;
      current = next;
    } catch (RuntimeException | Error e) {
      next.release();
      throw e;
    } finally {
      changing.unlock();
    }
    previous = new Previous(old.id(), before);
    bundle = from;
    old.release();
    metrics.serving(next.id());
  }

  private void replaceCanary(@Nullable Canary next) {
    Canary old;
    changing.lock();
    try {
      if (closed.get() && next != null) {
        throw Waiting.closed();
      }
      old = canary;
      if (next != null) {
        updates.showTo(next.version().catalogue());
      }
      canary = next;
    } catch (RuntimeException | Error e) {
      if (next != null) {
        next.version().release();
      }
      throw e;
    } finally {
      changing.unlock();
    }
    if (old != null) {
      old.version().release();
    }
  }

  /** Changes items of what serves, and then of the canary, as far as it knows them. */
  void changing(String itemId, Consumer<Change> change) {
    changing.lock();
    try {
      if (closed.get()) {
        throw Waiting.closed();
      }
      change.accept(new Change(updates, current.catalogue()));
      Canary beside = canary;
      if (beside != null) {
        updates.showTo(beside.version().catalogue(), itemId);
      }
    } finally {
      changing.unlock();
    }
  }

  /** What is changed. */
  record Change(ItemUpdates updates, Catalogue catalogue) {}

  /** Takes no more changes; false if it was closed before. */
  boolean close() {
    return closed.compareAndSet(false, true);
  }

  /** Frees the models when the last of their users has let go. */
  void free() {
    ServedVersion last;
    Canary beside;
    changing.lock();
    try {
      last = current;
      beside = canary;
      canary = null;
    } finally {
      changing.unlock();
    }
    if (beside != null) {
      beside.version().release();
      Waiting.forLatch(beside.version().freed(), CLOSING_SECONDS);
    }
    last.release();
    Waiting.forLatch(last.freed(), CLOSING_SECONDS);
  }
}
