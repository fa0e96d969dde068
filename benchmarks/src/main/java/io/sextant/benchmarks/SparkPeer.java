package io.sextant.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Spark's ALS for implicit feedback in a JVM of its own: {@code benchmarks/peers/spark}. Not
 * thread-safe.
 *
 * <p>It minimises, with weight 1 for what is not observed, {@code sum over observed (1 + alpha) (1
 * - xy)^2 + sum over the others (xy)^2 + regParam (sum n_u |x_u|^2 + sum n_i |y_i|^2)}, each half
 * exactly by Cholesky's decomposition, in double precision.
 */
final class SparkPeer implements AutoCloseable {

  /** Spark's own kernels are faster with the vector module. */
  private static final List<String> FLAGS = flags();

  /** Of users and of items: Spark's default. */
  private static final int BLOCKS = 10;

  private final PeerProcess process;
  private final int numUsers;
  private final int numItems;
  private final int rank;

  /** What Spark needs of a JVM from 17 on. */
  private static List<String> flags() {
    List<String> flags = new ArrayList<>(List.of("-Xmx4g", "--add-modules=jdk.incubator.vector"));
    for (String opened :
        List.of(
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "jdk.internal.ref",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar")) {
      flags.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
    }
    return List.copyOf(flags);
  }

  /** The class path with Spark, empty where {@code benchmarks/peers/spark/pom.xml} never ran. */
  static Optional<String> classPath() {
    Path jars = PeerProcess.peers().resolveSibling("target").resolve("spark-lib");
    return Files.isDirectory(jars) ? Optional.of(jars.resolve("*").toString()) : Optional.empty();
  }

  SparkPeer(String classPath, int numUsers, int numItems, int rank) {
    this.numUsers = numUsers;
    this.numItems = numItems;
    this.rank = rank;
    // A task is a thread: OpenBLAS shall not start further ones.
    process = PeerProcess.java("spark/SparkAls.java", classPath, FLAGS, 1);
  }

  /**
   * Hands the pairs over; nothing of this is timed.
   *
   * @return the version and the kernels that Spark found
   */
  JsonNode open(int[] users, int[] items, int threads) {
    Map<String, Integer> options =
        Map.of(
            "users", numUsers, "items", numItems, "rank", rank, "threads", threads, "blocks",
            BLOCKS);
    ObjectNode request = PeerProcess.request("open", "als", options);
    request.put("users", process.write("users", users).toString());
    request.put("items", process.write("items", items).toString());
    return process.ask(request);
  }

  /** Seconds of a fit with so many iterations. */
  double fit(int iterations, double alpha, double regParam) {
    return process.ask(turn(iterations, alpha, regParam)).get("seconds").asDouble();
  }

  /** The same, with the factors; not to be timed. */
  Factors factors(int iterations, double alpha, double regParam) {
    Path users = process.file("userFactors");
    Path items = process.file("itemFactors");
    ObjectNode request = turn(iterations, alpha, regParam);
    request.put("userFactors", users.toString()).put("itemFactors", items.toString());
    process.ask(request);
    Factors factors = new Factors(rank, PeerProcess.floats(users), PeerProcess.floats(items));
    if (factors.users().length != numUsers * rank || factors.items().length != numItems * rank) {
      throw new IllegalStateException("Spark's factors are not those of all users and items");
    }
    return factors;
  }

  private static ObjectNode turn(int iterations, double alpha, double regParam) {
    return PeerProcess.request("turn", "als", Map.of())
        .put("iterations", iterations)
        .put("alpha", alpha)
        .put("regParam", regParam);
  }

  /**
   * What was learned.
   *
   * @param users (U * D)
   * @param items (I * D)
   */
  record Factors(int rank, float[] users, float[] items) {}

  @Override
  public void close() {
    process.close();
  }
}
