package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.DeviceMemoryException;
import io.sextant.InvalidInputException;
import io.sextant.RankedLists;
import io.sextant.SextantException;
import io.sextant.tensor.DeviceMemory;
import io.sextant.tensor.Devices;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A range of items, the device on which they are searched, and the thread that does it: all native
 * memory of the part is made, used and freed there.
 *
 * <p>Thread safety: safe; what is asked of it is done one after the other.
 */
final class Shard implements AutoCloseable {

  /** Makes the index of a part on a device. */
  @FunctionalInterface
  interface Kind {
    ShardIndex build(IndexedItems part, Device device);
  }

  private final IndexedItems items;
  private final int first;
  private final int end;
  private final Device device;
  private final ExecutorService thread;

  private @Nullable Scope home;
  private @Nullable NDArray rows;
  private @Nullable ShardIndex index;

  /** Starts a thread for items [first, end). */
  Shard(IndexedItems items, int first, int end, Device device) {
    this.items = items;
    this.first = first;
    this.end = end;
    this.device = device;
    thread =
        Executors.newSingleThreadExecutor(
            TensorThreads.factory("sextant-shard-" + Devices.name(device)));
  }

  int first() {
    return first;
  }

  /** Makes the index. */
  Future<ShardIndex> build(Kind kind) {
    return submit(
        "be prepared",
        () -> {
          home = Scope.open(items.vectors().getDevice());
          rows = Tiles.rows(items.vectors(), first, end, home);
          ShardIndex built =
              kind.build(new IndexedItems(rows, end - first, items.scales()), device);
          index = built;
          return built;
        });
  }

  /**
   * Searches.
   *
   * @param queries (B, D) those of the search
   * @param asked the search of all items
   */
  Future<RankedLists> search(float[] queries, Search asked) {
    return submit("be searched", () -> searchHere(queries, asked));
  }

  private RankedLists searchHere(float[] queries, Search asked) {
    if (rows == null || index == null) {
      throw new IllegalStateException("not built");
    }
    try (Scope request = Scope.open(items.vectors().getDevice())) {
      NDArray own =
          HostArrays.floats(request.manager(), queries, asked.numLists, items.dimension());
      return index.search(asked.part(own, ItemRows.of(rows), first));
    }
  }

  private <T> Future<T> submit(String what, Callable<T> work) {
    return thread.submit(
        () -> {
          try {
            return work.call();
          } catch (InvalidInputException | DeviceMemoryException e) {
            throw e;
          } catch (Exception e) {
            String where =
                "items %d to %d could not %s on %s"
                    .formatted(first, end - 1, what, Devices.name(device));
            throw DeviceMemory.isExhausted(e)
                ? new DeviceMemoryException(
                    where
                        + ", which has not enough free memory: use more devices or store items in"
                        + " fewer bits",
                    e)
                : new SextantException(
                    "%s: %s; if the device is broken, leave it out of the index's devices"
                        .formatted(where, e.getMessage()),
                    e);
          }
        });
  }

  /** Waits for all, whatever happens: what they use is freed afterwards. */
  static <T> void await(List<Future<T>> futures, Consumer<T> use) {
    boolean interrupted = false;
    Throwable failure = null;
    for (Future<T> future : futures) {
      while (true) {
        try {
          T result = future.get();
          if (failure == null) {
            use.accept(result);
          }
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          failure = failure == null ? e.getCause() : failure;
          break;
        }
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

  /** Frees the part when searches before have ended. */
  @Override
  public void close() {
    Future<Boolean> freed =
        submit(
            "be freed",
            () -> {
              try (Scope itsHome = home;
                  ShardIndex itsIndex = index) {
                return true;
              }
            });
    thread.shutdown();
    await(List.of(freed), done -> {});
  }
}
