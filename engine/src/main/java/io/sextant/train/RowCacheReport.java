package io.sextant.train;

/**
 * How a table fared of which only a part is on the device ({@link io.sextant.tensor.RowCache}).
 *
 * @param table the name of its parameter
 * @param rows how many it has
 * @param slots how many are on the device at a time
 * @param bytes what these take there, with their accumulators
 * @param reads how many rows were asked for, each once a batch
 * @param hits how many of them were on the device already
 */
public record RowCacheReport(
    String table, long rows, long slots, long bytes, long reads, long hits) {

  /** The share of reads that found their row on the device; NaN without reads. */
  public double hitRate() {
    return (double) hits / reads;
  }
}
