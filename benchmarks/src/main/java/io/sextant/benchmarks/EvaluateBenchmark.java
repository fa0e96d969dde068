package io.sextant.benchmarks;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.RankedLists;
import io.sextant.eval.RankingEvaluation;
import io.sextant.eval.RankingMetric;
import io.sextant.retrieve.ExcludedItems;
import io.sextant.retrieve.TopK;
import io.sextant.tensor.Devices;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Evaluation by full ranking: every user's best 20 of the whole catalogue but what the user has,
 * and their metrics. The sizes are those of Gowalla unless told.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
// One search uses all cores by itself.
@Threads(1)
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@Fork(2)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 5, time = 5)
public class EvaluateBenchmark {

  private static final int K = 20;
  private static final int SEEN = 27;
  private static final int TRUE_ITEMS = 7;
  private static final List<RankingMetric> METRICS =
      List.of(RankingMetric.recall(K), RankingMetric.ndcg(K));

  /** {@code cpu}, {@code cuda} or {@code cuda:N}. */
  @Param("cpu")
  private String device = "cpu";

  @Param("29858")
  private int users = 1;

  @Param("40981")
  private int items = 1;

  @Param("64")
  private int dimension = 1;

  private final TopK topK = new TopK();
  private @Nullable Scope scope;
  private @Nullable NDArray queries;
  private @Nullable NDArray catalogue;
  private ExcludedItems seen = ExcludedItems.NONE;
  private int[][] truth = {};

  /** Draws users, items, what users have and what they are to be shown. */
  @Setup(Level.Trial)
  public void open() {
    Device where = Devices.parse(device);
    scope = Scope.open(where);
    queries = normal(scope, users);
    catalogue = normal(scope, items);
    Random random = new Random(1);
    int[][] histories = new int[users][];
    truth = new int[users][];
    for (int user = 0; user < users; user++) {
      int[] drawn = random.ints(0, items).distinct().limit(SEEN + TRUE_ITEMS).toArray();
      histories[user] = java.util.Arrays.stream(drawn, 0, SEEN).sorted().toArray();
      truth[user] = java.util.Arrays.stream(drawn, SEEN, drawn.length).sorted().toArray();
    }
    seen = ExcludedItems.of(histories);
    double recall = evaluate();
    // Of random scores about K / items of the truth is found.
    double expected = (double) K / items;
    if (!(recall > 0.2 * expected && recall < 5 * expected)) {
      throw new IllegalStateException(
          "random scores have recall %f instead of about %f".formatted(recall, expected));
    }
  }

  private NDArray normal(Scope scope, long rows) {
    return TensorThreads.call(
        () -> scope.manager().randomNormal(0, 1, new Shape(rows, dimension), DataType.FLOAT32));
  }

  /** Frees the vectors. */
  @TearDown(Level.Trial)
  public void close() {
    topK.close();
    if (scope != null) {
      scope.close();
    }
  }

  /** All users. */
  @Benchmark
  public double evaluate() {
    NDArray q = queries;
    NDArray c = catalogue;
    if (q == null || c == null) {
      throw new IllegalStateException("the benchmark was not set up");
    }
    RankedLists lists = topK.search(q, c, K, seen);
    return RankingEvaluation.perUser(lists, truth, METRICS).mean(METRICS.get(0));
  }
}
