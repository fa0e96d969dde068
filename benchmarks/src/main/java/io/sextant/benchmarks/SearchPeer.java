package io.sextant.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Python process that searches when it is told to, with FAISS, hnswlib or a product alone, and
 * says how long it took: {@code benchmarks/peers/search.py}. Between two requests it waits for its
 * input, so that two processes can be timed in turns. Not thread-safe.
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

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Process process;
  private final BufferedWriter requests;
  private final BufferedReader answers;
  private final int dimension;

  /** Starts the interpreter that the variable SEXTANT_PEER_PYTHON names, or Debian's. */
  SearchPeer(int dimension, int threads) {
    this.dimension = dimension;
    String python = System.getenv().getOrDefault("SEXTANT_PEER_PYTHON", "/usr/bin/python3");
    ProcessBuilder builder = new ProcessBuilder(python, script().toString());
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    Map<String, String> environment = builder.environment();
    // They would choose another machine's kernels.
    environment.remove("OPENBLAS_CORETYPE");
    environment.remove("OPENBLAS_L2_SIZE");
    environment.put("OMP_NUM_THREADS", Integer.toString(threads));
    environment.put("OPENBLAS_NUM_THREADS", Integer.toString(threads));
    // Threads that spin would take the cores while the other side is timed, and each other's.
    environment.put("OMP_WAIT_POLICY", "passive");
    try {
      folder = Files.createTempDirectory("sextant-peer");
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException("the peers cannot be started with " + python, e);
    }
    requests = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
  }

  private static Path script() {
    return Path.of(System.getProperty("sextant.peers", "benchmarks/peers"), "search.py");
  }

  /** Writes vectors where the process can read them. */
  Path write(String name, float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    try {
      return Files.write(folder.resolve(name), bytes.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
    return ask(request);
  }

  /** Seconds for all queries, so many at a time. */
  double search(Kind kind, Path queries, int batch, int k, Map<String, Integer> options) {
    return search(kind, queries, batch, k, options, null);
  }

  /** The items that were found (B * k); not timed. */
  int[] found(Kind kind, Path queries, int batch, int k, Map<String, Integer> options) {
    Path file = folder.resolve("found");
    search(kind, queries, batch, k, options, file);
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      int[] items = new int[bytes.remaining() / Integer.BYTES];
      bytes.asIntBuffer().get(items);
      return items;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
    return ask(request).get("seconds").asDouble();
  }

  private ObjectNode request(String what, Kind kind, Map<String, Integer> options) {
    ObjectNode request = JSON.createObjectNode();
    request.put("do", what).put("kind", kind.name().toLowerCase(java.util.Locale.ROOT));
    request.put("dimension", dimension);
    request.set("options", JSON.valueToTree(options));
    return request;
  }

  private JsonNode ask(ObjectNode request) {
    try {
      requests.write(request + "\n");
      requests.flush();
      String line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException("the peers' process ended at the request " + request);
      }
      JsonNode answer = JSON.readTree(line);
      if (answer.has("failure")) {
        throw new IllegalStateException("%s failed: %s".formatted(request, answer));
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException("the peers' process does not answer", e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
