package io.sextant.tensor;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.sextant.SextantException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The owner of native memory for one lifetime: process, model, session, or step and request. What
 * is created through {@link #manager()} is freed when the scope closes, at the latest. Closing a
 * scope closes the scopes inside of it; a closed one throws {@link SextantException} when used.
 *
 * <p>Thread safety: a scope is used by one thread at a time; child scopes of one parent may be
 * opened and closed by different threads at the same time.
 */
public final class Scope implements AutoCloseable {

  private static final AtomicLong LIVE = new AtomicLong();

  private final NDManager manager;
  private final @Nullable Scope parent;
  private final Set<Scope> children = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean closed = new AtomicBoolean();

  private Scope(NDManager manager, @Nullable Scope parent) {
    this.manager = manager;
    this.parent = parent;
    LIVE.incrementAndGet();
  }

  /** Opens a scope that has no parent: the longest lifetime of whatever is done in it. */
  public static Scope open(Device device) {
    TensorRuntime.start();
    return new Scope(NDManager.newBaseManager(device), null);
  }

  /** Opens a shorter lifetime inside this one, on the same device. */
  public Scope child() {
    checkOpen();
    Scope child = new Scope(manager.newSubManager(), this);
    children.add(child);
    return child;
  }

  /** Opens a shorter lifetime inside this one, in the host's memory. */
  public Scope hostChild() {
    checkOpen();
    Scope child = new Scope(manager.newSubManager(Device.cpu()), this);
    children.add(child);
    return child;
  }

  /** The manager in which arrays of this lifetime are created. Never close it. */
  public NDManager manager() {
    checkOpen();
    return manager;
  }

  /** The device on which arrays of this scope live. */
  public Device device() {
    checkOpen();
    return manager.getDevice();
  }

  /** Moves an array one lifetime up, so that it outlives this scope. Returns the same array. */
  public NDArray promote(NDArray array) {
    checkOpen();
    if (parent == null) {
      throw new SextantException("a scope without a parent has no longer lifetime to promote to");
    }
    array.attach(parent.manager);
    return array;
  }

  /** Makes this scope the owner of an array that was created elsewhere. Returns the same array. */
  public NDArray adopt(NDArray array) {
    array.attach(manager());
    return array;
  }

  /** How many scopes are open in this process: what a leak check compares before and after. */
  public static long liveScopes() {
    return LIVE.get();
  }

  @Override
  public void close() {
    if (markClosed()) {
      if (parent != null) {
        parent.children.remove(this);
      }
      manager.close();
    }
  }

  /** Whether it was open. The memory of children goes with their parent's. */
  private boolean markClosed() {
    if (!closed.compareAndSet(false, true)) {
      return false;
    }
    LIVE.decrementAndGet();
    children.forEach(Scope::markClosed);
    children.clear();
    return true;
  }

  private void checkOpen() {
    if (closed.get()) {
      throw new SextantException(
          "this scope is closed: its arrays are freed and it makes no others");
    }
  }
}
