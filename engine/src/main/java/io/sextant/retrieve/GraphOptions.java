package io.sextant.retrieve;

import io.sextant.InvalidInputException;

/**
 * How a {@link GraphIndex} is built and searched.
 *
 * <p>Thread safety: immutable.
 *
 * @param degree how many neighbours an item keeps at most; more find more and cost memory, 4 bytes
 *     each
 * @param buildWidth how many candidates for neighbours are looked at when an item is put in
 * @param searchWidth how many of the best items so far a search goes on from; it is never below k.
 *     More find more and take longer
 * @param threads how many threads build and search, the caller's included. With one thread the same
 *     items give the same graph; with more it depends on the order in which they work
 */
public record GraphOptions(int degree, int buildWidth, int searchWidth, int threads) {

  public GraphOptions {
    require(degree >= 2 && degree <= 512, "degree must lie in 2..512 but was ", degree);
    require(buildWidth >= degree, "buildWidth must be at least the degree but was ", buildWidth);
    requireWidth(searchWidth);
    require(threads >= 1 && threads <= 1024, "threads must lie in 1..1024 but was ", threads);
  }

  /** Degree 32, build width 100, search width 200, all processors. */
  public static Builder builder() {
    return new Builder();
  }

  static void requireWidth(int searchWidth) {
    require(searchWidth >= 1, "searchWidth must be >= 1 but was ", searchWidth);
  }

  private static void require(boolean holds, String message, int value) {
    if (!holds) {
      throw new InvalidInputException(message + value);
    }
  }

  /** Collects options; each has a default. */
  public static final class Builder {
    private int degree = 32;
    private int buildWidth = 100;
    private int searchWidth = 200;
    private int threads = Runtime.getRuntime().availableProcessors();

    private Builder() {}

    public Builder degree(int degree) {
      this.degree = degree;
      return this;
    }

    public Builder buildWidth(int buildWidth) {
      this.buildWidth = buildWidth;
      return this;
    }

    public Builder searchWidth(int searchWidth) {
      this.searchWidth = searchWidth;
      return this;
    }

    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    public GraphOptions build() {
      return new GraphOptions(degree, buildWidth, searchWidth, threads);
    }
  }
}
