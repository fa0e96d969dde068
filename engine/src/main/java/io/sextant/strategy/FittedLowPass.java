package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import io.sextant.tensor.TensorThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The singular vectors of the ideal filter, and the neighbour lists of the linear one. A query is
 * the weighted sum of the history's vectors.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 */
final class FittedLowPass implements FittedStrategy, DenseScores, HistoryScores {

  /** Gathered vectors take at most so many bytes at a time. */
  private static final int BATCH_BYTES = 1 << 28;

  private static final Gson GSON = new Gson();

  private final Scope model;
  private final LowPass options;
  private final NDArray itemVectors;
  private final float[] historyScale;
  private final @Nullable FittedItemItem linear;
  private final @Nullable ItemRows host;

  /**
   * @param model owned from here on
   * @param itemVectors (I, D) in the model's memory
   * @param historyScale what an item's vector is multiplied by when it is in a history
   */
  FittedLowPass(
      Scope model,
      LowPass options,
      NDArray itemVectors,
      float[] historyScale,
      @Nullable FittedItemItem linear) {
    this.model = model;
    this.options = options;
    this.itemVectors = itemVectors;
    this.historyScale = historyScale;
    this.linear = linear;
    host = RowOptimizer.onHost(itemVectors) ? new ItemRows(itemVectors) : null;
  }

  static FittedStrategy load(Scope model, StoredStrategy stored) {
    return Restored.from(
        stored,
        LowPass.class,
        (options, tensors) -> {
          NDArray vectors = TensorFiles.load(model.manager(), tensors.tensor("items.vectors"));
          float[] scale = tensors.tensor("items.scale").toFloats();
          OptionChecks.check(
              vectors.getShape().dimension() == 2 && vectors.getShape().get(0) == scale.length,
              "items.vectors is %s but items.scale has %d rows"
                  .formatted(vectors.getShape(), scale.length));
          FittedItemItem linear = null;
          if (options.neighbours() > 0) {
            ItemWeights weights =
                new ItemWeights(
                    tensors.tensor("starts").toInts(),
                    tensors.tensor("items").toInts(),
                    tensors.tensor("weights").toFloats());
            OptionChecks.check(
                weights.numItems() == scale.length,
                "starts has %d items but items.scale %d"
                    .formatted(weights.numItems(), scale.length));
            linear = new FittedItemItem(weights, options.history(), options.name());
          }
          return new FittedLowPass(model, options, vectors, scale, linear);
        });
  }

  @Override
  public String type() {
    return LowPass.TYPE;
  }

  @Override
  public int numItems() {
    return historyScale.length;
  }

  @Override
  public Optional<DenseScores> dense() {
    return Optional.of(this);
  }

  @Override
  public Optional<SparseScores> sparse() {
    return Optional.ofNullable(linear);
  }

  @Override
  public NDArray itemVectors() {
    return itemVectors;
  }

  @Override
  public NDArray queries(Scope scope, List<UserState> users) {
    return host == null ? queriesOnDevice(scope, users) : queriesOnHost(scope, host, users);
  }

  private NDArray queriesOnHost(Scope scope, ItemRows items, List<UserState> users) {
    int width = items.width();
    float[] queries = new float[users.size() * width];
    IntStream.range(0, users.size())
        .parallel()
        .forEach(
            u -> {
              float[] query = new float[width];
              float[] vector = new float[width];
              int[] history = users.get(u).history();
              float[] factors = factors(history);
              for (int back = 0; back < factors.length; back++) {
                items.read(history[history.length - 1 - back], vector);
                TallMatrix.add(factors[back], vector, query);
              }
              System.arraycopy(query, 0, queries, u * width, width);
            });
    return HostArrays.floats(scope.manager(), queries, users.size(), width);
  }

  /** The same with tensors. */
  NDArray queriesOnDevice(Scope scope, List<UserState> users) {
    int width = Math.toIntExact(itemVectors.getShape().get(1));
    NDArray queries = scope.manager().zeros(new Shape(users.size(), width));
    int maxEntries = Math.max(1, BATCH_BYTES / Float.BYTES / width);
    for (int from = 0; from < users.size(); ) {
      int longest = factors(users.get(from).history()).length;
      int to = from + 1;
      for (; to < users.size(); to++) {
        int length = Math.max(longest, factors(users.get(to).history()).length);
        if ((long) length * (to + 1 - from) > maxEntries) {
          break;
        }
        longest = length;
      }
      if (longest > 0) {
        try (Scope step = scope.child()) {
          NDArray sums = weightedSums(step, users.subList(from, to), longest);
          queries.set(new NDIndex("{}:{}", from, to), sums);
        }
      }
      from = to;
    }
    return queries;
  }

  /** Weighted sums of the vectors of histories that are padded to the same length, (B, D). */
  private NDArray weightedSums(Scope step, List<UserState> users, int longest) {
    int[] columns = new int[users.size() * longest];
    float[] weights = new float[columns.length];
    for (int u = 0; u < users.size(); u++) {
      int[] history = users.get(u).history();
      float[] factors = factors(history);
      for (int back = 0; back < factors.length; back++) {
        columns[u * longest + back] = history[history.length - 1 - back];
        weights[u * longest + back] = factors[back];
      }
    }
    NDArray vectors =
        step.adopt(
            RowOptimizer.gather(
                itemVectors, HostArrays.longs(step.manager(), columns, users.size(), longest)));
    return HostArrays.floats(step.manager(), weights, users.size(), 1, longest)
        .matMul(vectors)
        .squeeze(1);
  }

  @Override
  public Optional<HistoryScores> byHistory() {
    return Optional.of(this);
  }

  @Override
  public float[] parts(UserState user, int item) {
    int[] history = user.history();
    float[] parts = linear == null ? new float[history.length] : linear.parts(user, item);
    float[] factors = factors(history);
    float[][] vectors = vectors(history, item);
    for (int back = 0; back < factors.length; back++) {
      int place = history.length - 1 - back;
      parts[place] += factors[back] * dot(vectors[place], vectors[history.length]);
    }
    return parts;
  }

  /** The vectors of the history's items and, behind them, of the item. */
  private float[][] vectors(int[] history, int item) {
    int[] items = Arrays.copyOf(history, history.length + 1);
    items[history.length] = item;
    if (host != null) {
      return host.read(items);
    }
    return TensorThreads.call(
        () -> {
          try (Scope request = Scope.open(itemVectors.getDevice())) {
            NDArray rows =
                RowOptimizer.gather(
                    itemVectors, HostArrays.longs(request.manager(), items, items.length));
            float[] flat = HostArrays.toFloats(rows);
            int width = flat.length / items.length;
            float[][] vectors = new float[items.length][];
            for (int i = 0; i < vectors.length; i++) {
              vectors[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
            }
            return vectors;
          }
        });
  }

  private static float dot(float[] a, float[] b) {
    float sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }

  /** How much each item of a history counts, latest first. */
  private float[] factors(int[] history) {
    float[] factors = options.history().latestFirst(history.length);
    for (int back = 0; back < factors.length; back++) {
      factors[back] *= historyScale[history[history.length - 1 - back]];
    }
    return factors;
  }

  @Override
  public String configJson() {
    return GSON.toJson(options);
  }

  @Override
  public List<TensorSource> tensors() {
    List<TensorSource> tensors = new ArrayList<>();
    tensors.add(TensorFiles.source("items.vectors", itemVectors));
    tensors.add(TensorSource.of("items.scale", historyScale, historyScale.length));
    if (linear != null) {
      tensors.addAll(linear.tensors());
    }
    return tensors;
  }

  @Override
  public void close() {
    model.close();
  }
}
