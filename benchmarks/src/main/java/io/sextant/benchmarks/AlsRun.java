package io.sextant.benchmarks;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import io.sextant.data.CleaningOptions;
import io.sextant.data.ColumnMapping;
import io.sextant.data.Dataset;
import io.sextant.data.EventCleaner;
import io.sextant.data.EventFormat;
import io.sextant.data.EventReaders;
import io.sextant.data.Interactions;
import io.sextant.strategy.Als;
import io.sextant.strategy.FitContext;
import io.sextant.train.TrainingListener;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Alternating least squares for implicit feedback beside Spark's, in turns.
 *
 * <p>The time of an iteration, both halves, is the difference of two fits, of {@value #FEW}
 * iteration and of so many more, over their number: for all sides alike, so that nobody is charged
 * for its start, for reading the pairs or for arranging them. Spark ({@link SparkPeer}) solves each
 * half exactly. So does the engine with as many steps of conjugate gradient as there are factors,
 * under {@code exact}; under {@code steps} it is as it comes.
 *
 * <p>Both minimise the same sum over the pairs: with {@code alpha = 1/a}, a the engine's weight of
 * what is not observed, and Spark's factors each divided by {@code sqrt(1 + a)}, Spark's is the
 * engine's times a constant, and its penalty becomes {@code a regParam / (1 + a)} times the degree.
 * The engine's grows with the degree plus a expected one; {@code l2} makes the two the same in sum
 * over all rows. After the timed turns Spark's factors, thus divided, are put into the engine's
 * objective. A peer which computes something else is no peer: what is too far away fails.
 */
final class AlsRun {

  /** Iterations of the shorter fit. */
  static final int FEW = 1;

  private static final int WARMUP_TURNS = 2;
  private static final double UNOBSERVED = 0.01;
  private static final double REG_PARAM = 0.1;

  /** By so much the objectives may differ after the same number of iterations. */
  private static final double TOLERANCE = 0.05;

  private final Interactions train;
  private final int rank;
  private final int iterations;
  private final double l2;

  /**
   * @param train each pair once
   * @param iterations so many are timed at a time
   * @throws IllegalArgumentException if a pair occurs twice: Spark would add the two up
   */
  AlsRun(Interactions train, int rank, int iterations) {
    Set<Long> seen = new HashSet<>();
    for (int row = 0; row < train.size(); row++) {
      int user = train.userAt(row);
      int item = train.itemAt(row);
      if (!seen.add((long) user * train.numItems() + item)) {
        throw new IllegalArgumentException(
            "user %d has item %d twice: leave one of them out".formatted(user, item));
      }
    }
    this.train = train;
    this.rank = rank;
    this.iterations = iterations;
    double possible = UNOBSERVED * train.numUsers() * train.numItems();
    l2 = UNOBSERVED * REG_PARAM / (1 + UNOBSERVED) * train.size() / (train.size() + possible);
  }

  /**
   * The training part of Gowalla in the folder that SEXTANT_DATA names.
   *
   * @throws IllegalStateException where the variable is not set
   */
  static Interactions gowalla() {
    String data = System.getenv("SEXTANT_DATA");
    if (data == null) {
      throw new IllegalStateException("SEXTANT_DATA is not set to the folder with the data sets");
    }
    Path file = Path.of(data, "gowalla-lightgcn", "train.txt.gz");
    return new EventCleaner(CleaningOptions.defaults())
        .clean(EventReaders.open(file, EventFormat.LISTS, ColumnMapping.DEFAULT))
        .interactions();
  }

  /** Milliseconds an iteration and how many times Spark's they go into. */
  String run(Optional<String> classPath, int rounds) {
    if (classPath.isEmpty()) {
      return "\"skipped\": \"Spark is absent: mvn -B -f benchmarks/peers/spark/pom.xml package\"";
    }
    int threads = Runtime.getRuntime().availableProcessors();
    double[] steps = new double[rounds];
    double[] exact = new double[rounds];
    double[] theirs = new double[rounds];
    try (SparkPeer spark =
        new SparkPeer(classPath.get(), train.numUsers(), train.numItems(), rank)) {
      JsonNode opened = spark.open(users(), items(), threads);
      for (int round = -WARMUP_TURNS; round < rounds; round++) {
        double first = perIteration(n -> seconds(options(n).build()));
        double second = perIteration(n -> seconds(options(n).cgSteps(rank).build()));
        double third = perIteration(n -> spark.fit(n, 1 / UNOBSERVED, REG_PARAM));
        if (round >= 0) {
          steps[round] = first;
          exact[round] = second;
          theirs[round] = third;
        }
      }
      double ofSteps = objective(options(1 + iterations).build());
      double ofExact = objective(options(1 + iterations).cgSteps(rank).build());
      double ofSpark =
          objective(spark.factors(1 + iterations, 1 / UNOBSERVED, REG_PARAM)) / train.size();
      // Written so that NaN fails too.
      if (!(Math.abs(ofSpark / ofExact - 1) <= TOLERANCE)) {
        throw new IllegalStateException(
            "Spark's objective is %f, the engine's %f: they do not compute the same"
                .formatted(ofSpark, ofExact));
      }
      return String.format(
          Locale.ROOT,
          "\"users\": %d, \"items\": %d, \"pairs\": %d, \"rank\": %d, \"iterations\": %d,"
              + " \"rounds\": %d, \"threads\": %d, \"alpha\": %.1f, \"regParam\": %.3f, \"peer\": \"%s\","
              + " \"kernels\": \"%s\", \"unit\": \"ms/iteration\", \"steps\": %s, \"exact\": %s,"
              + " \"spark\": %s, \"sparkToSteps\": %s, \"sparkToExact\": %s,"
              + " \"objective\": {\"steps\": %.5f, \"exact\": %.5f, \"spark\": %.5f}",
          train.numUsers(),
          train.numItems(),
          train.size(),
          rank,
          iterations,
          rounds,
          threads,
          1 / UNOBSERVED,
          REG_PARAM,
          opened.get("version").asText(),
          opened.get("kernels").asText(),
          Spread.of(steps),
          Spread.of(exact),
          Spread.of(theirs),
          Spread.ofRatios(theirs, steps),
          Spread.ofRatios(theirs, exact),
          ofSteps,
          ofExact,
          ofSpark);
    }
  }

  /** Seconds of a fit with so many iterations. */
  private interface Fit {
    double seconds(int iterations);
  }

  private double perIteration(Fit fit) {
    double few = fit.seconds(FEW);
    return (fit.seconds(FEW + iterations) - few) / iterations * 1e3;
  }

  private Als.Builder options(int epochs) {
    return Als.builder()
        .factors(rank)
        .epochs(epochs)
        .unobservedWeight(UNOBSERVED)
        .l2(l2)
        .l2Power(1)
        // Spark's vectors start with length 1.
        .initStd(1)
        .seed(1);
  }

  private double seconds(Als als) {
    FitContext context = FitContext.of(Device.cpu(), Dataset.of(train));
    long start = System.nanoTime();
    als.fit(context).close();
    return (System.nanoTime() - start) / 1e9;
  }

  /** The engine's own, after the last epoch, a pair. */
  private double objective(Als als) {
    double[] last = new double[1];
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onEpoch(
              int epoch, double meanLoss, Map<String, Double> validation, boolean best) {
            last[0] = meanLoss;
          }
        };
    als.fit(FitContext.of(Device.cpu(), Dataset.of(train)).withListener(listener)).close();
    return last[0];
  }

  /** The engine's objective for Spark's factors, which are divided by the root of 1 + a. */
  double objective(SparkPeer.Factors factors) {
    double scale = 1 / (1 + UNOBSERVED);
    double total = 0;
    double[] ofUsers = new double[train.numUsers()];
    double[] ofItems = new double[train.numItems()];
    for (int row = 0; row < train.size(); row++) {
      int user = train.userAt(row);
      int item = train.itemAt(row);
      ofUsers[user]++;
      ofItems[item]++;
      double score = 0;
      for (int d = 0; d < rank; d++) {
        score += (double) factors.users()[user * rank + d] * factors.items()[item * rank + d];
      }
      total += (1 - scale * score) * (1 - scale * score);
    }
    double[] users = gramian(factors.users());
    double[] items = gramian(factors.items());
    for (int d = 0; d < users.length; d++) {
      total += UNOBSERVED * scale * scale * users[d] * items[d];
    }
    return total
        + scale * penalty(factors.users(), ofUsers, train.numItems())
        + scale * penalty(factors.items(), ofItems, train.numUsers());
  }

  private double[] gramian(float[] table) {
    double[] gramian = new double[rank * rank];
    for (int row = 0; row < table.length; row += rank) {
      for (int d = 0; d < rank; d++) {
        for (int e = 0; e < rank; e++) {
          gramian[d * rank + e] += (double) table[row + d] * table[row + e];
        }
      }
    }
    return gramian;
  }

  private double penalty(float[] table, double[] degrees, int possible) {
    double sum = 0;
    for (int at = 0; at < table.length; at++) {
      sum += l2 * (degrees[at / rank] + UNOBSERVED * possible) * table[at] * table[at];
    }
    return sum;
  }

  private int[] users() {
    int[] users = new int[train.size()];
    for (int row = 0; row < users.length; row++) {
      users[row] = train.userAt(row);
    }
    return users;
  }

  private int[] items() {
    int[] items = new int[train.size()];
    for (int row = 0; row < items.length; row++) {
      items[row] = train.itemAt(row);
    }
    return items;
  }
}
