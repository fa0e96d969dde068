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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A process that answers requests, a line of JSON each, with what it measured. Between two requests
 * it waits for its input, so that two processes can be timed in turns. Not thread-safe.
 */
final class PeerProcess implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Process process;
  private final BufferedWriter requests;
  private final BufferedReader answers;

  /**
   * Starts the interpreter that the variable SEXTANT_PEER_PYTHON names, or Debian's.
   *
   * @param script its name in {@code benchmarks/peers}
   */
  static PeerProcess python(String script, int threads) {
    String python = System.getenv().getOrDefault("SEXTANT_PEER_PYTHON", "/usr/bin/python3");
    return new PeerProcess(List.of(python, peers().resolve(script).toString()), threads);
  }

  /**
   * Starts a JVM, the same as this one, that runs a source file.
   *
   * @param source its name in {@code benchmarks/peers}
   */
  static PeerProcess java(String source, String classPath, List<String> flags, int threads) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(List.of("-cp", classPath, peers().resolve(source).toString()));
    return new PeerProcess(command, threads);
  }

  /** Where the peers' scripts and sources are. */
  static Path peers() {
    return Path.of(System.getProperty("sextant.peers", "benchmarks/peers"));
  }

  private PeerProcess(List<String> command, int threads) {
    ProcessBuilder builder = new ProcessBuilder(command);
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
      throw new UncheckedIOException("the peers cannot be started with " + command.get(0), e);
    }
    requests = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Writes numbers where the process can read them. */
  Path write(String name, float[] values) {
    ByteBuffer bytes = buffer(values.length);
    bytes.asFloatBuffer().put(values);
    return write(name, bytes);
  }

  /** Writes whole numbers. */
  Path write(String name, int[] values) {
    ByteBuffer bytes = buffer(values.length);
    bytes.asIntBuffer().put(values);
    return write(name, bytes);
  }

  private static ByteBuffer buffer(int numbers) {
    return ByteBuffer.allocate(Math.multiplyExact(numbers, Integer.BYTES))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private Path write(String name, ByteBuffer bytes) {
    try {
      return Files.write(file(name), bytes.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file that both sides can read, gone when this is closed. */
  Path file(String name) {
    return folder.resolve(name);
  }

  /** Numbers that the process wrote. */
  static float[] floats(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      float[] values = new float[bytes.remaining() / Float.BYTES];
      bytes.asFloatBuffer().get(values);
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whole numbers that the process wrote. */
  static int[] ints(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      int[] values = new int[bytes.remaining() / Integer.BYTES];
      bytes.asIntBuffer().get(values);
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A request to be filled in. */
  static ObjectNode request(String what, String kind, Map<String, Integer> options) {
    ObjectNode request = JSON.createObjectNode();
    request.put("do", what).put("kind", kind);
    request.set("options", JSON.valueToTree(options));
    return request;
  }

  /**
   * Asks and waits for the answer.
   *
   * @throws IllegalStateException if the process failed at it
   */
  JsonNode ask(ObjectNode request) {
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
