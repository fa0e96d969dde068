package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Item factors, and the least squares by which a history becomes a query. On the CPU in Java, on
 * any other device, and for tables beyond 2 GiB, with tensors.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 */
final class FittedAls implements FittedStrategy, DenseScores {

  /** From nothing, more steps are needed than from the last epoch's value. */
  private static final int QUERY_STEPS = 10;

  private static final Gson GSON = new Gson();

  private final Scope model;
  private final Als options;
  private final NDArray itemVectors;
  private final NDArray gramian;
  private final @Nullable OnHost host;

  /** What the CPU's way of making queries needs. */
  private record OnHost(ItemRows items, float[][] gramian) {}

  /**
   * @param model owned from here on
   * @param itemVectors (I, D) in the model's memory
   */
  FittedAls(Scope model, Als options, NDArray itemVectors) {
    this.model = model;
    this.options = options;
    this.itemVectors = itemVectors;
    gramian = AlsOnDevice.gramian(model, options, itemVectors);
    host =
        RowOptimizer.onHost(itemVectors)
            ? new OnHost(new ItemRows(itemVectors), rows(gramian, options.factors()))
            : null;
  }

  private static float[][] rows(NDArray square, int width) {
    float[] values = HostArrays.toFloats(square);
    float[][] rows = new float[width][width];
    for (int d = 0; d < width; d++) {
      System.arraycopy(values, d * width, rows[d], 0, width);
    }
    return rows;
  }

  static FittedStrategy load(Scope model, StoredStrategy stored) {
    return Restored.from(
        stored,
        Als.class,
        (options, tensors) -> {
          NDArray vectors = TensorFiles.load(model.manager(), tensors.tensor("items.vectors"));
          Shape shape = vectors.getShape();
          OptionChecks.check(
              shape.dimension() == 2 && shape.get(1) == options.factors(),
              "items.vectors is %s but must have %d columns".formatted(shape, options.factors()));
          return new FittedAls(model, options, vectors);
        });
  }

  @Override
  public String type() {
    return Als.TYPE;
  }

  @Override
  public int numItems() {
    return (int) itemVectors.getShape().get(0);
  }

  @Override
  public Optional<DenseScores> dense() {
    return Optional.of(this);
  }

  @Override
  public NDArray itemVectors() {
    return itemVectors;
  }

  @Override
  public NDArray queries(Scope scope, List<UserState> users) {
    return host == null ? queriesOnDevice(scope, users) : queriesOnHost(scope, host, users);
  }

  private NDArray queriesOnHost(Scope scope, OnHost host, List<UserState> users) {
    int width = options.factors();
    float[] queries = new float[users.size() * width];
    IntStream.range(0, users.size())
        .parallel()
        .forEach(
            u -> {
              int[] items = BinaryMatrix.distinct(users.get(u).history());
              float[] query = new float[width];
              new AlsRow(host.gramian())
                  .solve(
                      host.items().read(items),
                      items.length,
                      options.regularisation(items.length, numItems()),
                      query,
                      QUERY_STEPS);
              System.arraycopy(query, 0, queries, u * width, width);
            });
    return HostArrays.floats(scope.manager(), queries, users.size(), width);
  }

  /** The same with tensors. */
  NDArray queriesOnDevice(Scope scope, List<UserState> users) {
    NDArray queries =
        scope.manager().zeros(new Shape(users.size(), options.factors()), DataType.FLOAT32);
    Links histories = BinaryMatrix.ofHistories(users, numItems()).toLinks();
    try (Scope step = scope.child()) {
      AlsOnDevice.solve(
          step,
          itemVectors,
          gramian,
          AlsOnDevice.regularisation(step, options, histories),
          PaddedRows.of(step, histories, AlsOnDevice.maxEntries(options.factors())),
          queries,
          QUERY_STEPS);
    }
    return queries;
  }

  @Override
  public String configJson() {
    return GSON.toJson(options);
  }

  @Override
  public List<TensorSource> tensors() {
    return List.of(TensorFiles.source("items.vectors", itemVectors));
  }

  @Override
  public void close() {
    model.close();
  }
}
