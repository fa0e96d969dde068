package io.sextant.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Python process that searches when it is told to, with FAISS, hnswlib or a product alone, and
 * says how long it took: {@code benchmarks/peers/search.py}. Not thread-safe.
 */
final class SearchPeer implements AutoCloseable {

  /** What can be opened. */
  enum Kind {
    /** FAISS's exact index. */
    FLAT,
    /** The matrix product of BLAS, without any selection. */
    PRODUCT,
    /** hnswlib's graph with the settings of its examples: 16 links, width 200 while it is built. */
    HNSW,
    /** hnswlib's graph with 32 links and width 400, which finds more at the same width. */
    HNSW_DENSE
  }

  private final PeerProcess python;
  private final int dimension;

  SearchPeer(int dimension, int threads) {
    this.dimension = dimension;
    python = PeerProcess.python("search.py", threads);
  }

  /** Writes vectors where the process can read them. */
  Path write(String name, float[] values) {
    return python.write(name, values);
  }

  /**
   * Builds an index.
   *
   * @return the library's version and its BLAS under {@code version}, and {@code seconds}; {@code
   *     absent} with the reason where the library is not installed
   */
  JsonNode open(Kind kind, Path items, Map<String, Integer> options) {
    ObjectNode request = request("open", kind, options);
    request.put("items", items.toString());
    return python.ask(request);
  }

  /** Seconds for all queries, so many at a time. */
  double search(Kind kind, Path queries, int batch, int k, Map<String, Integer> options) {
    return search(kind, queries, batch, k, options, null);
  }

  /** The items that were found (B * k); not timed. */
  int[] found(Kind kind, Path queries, int batch, int k, Map<String, Integer> options) {
    Path file = python.file("found");
    search(kind, queries, batch, k, options, file);
    return PeerProcess.ints(file);
  }

  private double search(
      Kind kind,
      Path queries,
      int batch,
      int k,
      Map<String, Integer> options,
      @Nullable Path found) {
    ObjectNode request = request("search", kind, options);
    request.put("queries", queries.toString()).put("batch", batch).put("k", k);
    if (found != null) {
      request.put("found", found.toString());
    }
    return python.ask(request).get("seconds").asDouble();
  }

  private ObjectNode request(String what, Kind kind, Map<String, Integer> options) {
    return PeerProcess.request(what, kind.name().toLowerCase(Locale.ROOT), options)
        .put("dimension", dimension);
  }

  @Override
  public void close() {
    python.close();
  }
}
