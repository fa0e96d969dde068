package io.sextant.retrieve;

import io.sextant.InvalidInputException;

/**
 * How {@link TopK} works; the results do not depend on it.
 *
 * <p>Thread safety: immutable.
 *
 * @param method where the best items are selected
 * @param threads how many threads select on the host, the caller's included; with {@link
 *     Method#BLAS} they multiply too, else the product uses libtorch's threads
 * @param temporaryBytes how much memory of a device a search may use beside its arguments and its
 *     result, at least 1 MiB: it decides how many scores are made at once. What libraries keep for
 *     themselves (cuBLAS's workspace, blocks that libtorch holds for later) is not counted. Where a
 *     device refuses memory, later searches there plan for half as much
 */
public record TopKOptions(Method method, int threads, long temporaryBytes) {

  /** Where the best items of a tile of scores are selected. */
  public enum Method {
    /**
     * For tensors on the CPU {@link #BLAS}, or {@link #HOST} where there is no OpenBLAS; {@link
     * #DEVICE} for all others.
     */
    AUTO,
    /**
     * By a scan in Java over products of OpenBLAS, each thread over its own; for tensors on the CPU
     * only. What that cannot do goes the way of {@link #HOST}: items that are not one matrix of at
     * most 2 GiB, lists so long that candidates for each thread would take too much memory.
     */
    BLAS,
    /** By a scan in Java over products of libtorch; for tensors on the CPU only. */
    HOST,
    /** By the device's own top-k operation, merged there; for tensors anywhere. */
    DEVICE
  }

  private static final long MIN_TEMPORARY_BYTES = 1 << 20;

  public TopKOptions {
    if (threads < 1 || threads > 1024) {
      throw new InvalidInputException("threads must lie in 1..1024 but was " + threads);
    }
    if (temporaryBytes < MIN_TEMPORARY_BYTES) {
      throw new InvalidInputException(
          "temporaryBytes must be >= %d but was %d".formatted(MIN_TEMPORARY_BYTES, temporaryBytes));
    }
  }

  /** Automatic method, all processors, 256 MiB. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; each has a default. */
  public static final class Builder {
    private Method method = Method.AUTO;
    private int threads = Runtime.getRuntime().availableProcessors();
    private long temporaryBytes = 256L << 20;

    private Builder() {}

    public Builder method(Method method) {
      this.method = method;
      return this;
    }

    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    public Builder temporaryBytes(long temporaryBytes) {
      this.temporaryBytes = temporaryBytes;
      return this;
    }

    public TopKOptions build() {
      return new TopKOptions(method, threads, temporaryBytes);
    }
  }
}
