package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.store.StoredStrategy;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The same list for everybody: items by the summed weight of their interactions, which may lose
 * half of it in so many days before the latest interaction. O(rows) time; D = 1.
 *
 * @param name unique in a pool
 * @param halfLifeDays infinite for all-time popularity; data without times know only that
 */
public record Popularity(String name, double halfLifeDays) implements Strategy {

  static final String TYPE = "popularity";

  public Popularity {
    if (!(halfLifeDays > 0)) {
      throw new InvalidInputException("halfLifeDays must be > 0 but was " + halfLifeDays);
    }
  }

  /** All-time popularity under the name {@code popularity}. */
  public static Popularity allTime() {
    return new Popularity(TYPE, Double.POSITIVE_INFINITY);
  }

  @Override
  public FittedStrategy fit(FitContext context) {
    Interactions train = context.train().interactions();
    boolean decays = Double.isFinite(halfLifeDays);
    if (decays && !train.hasTimes()) {
      throw new InvalidInputException(
          "strategy '%s' decays with time but the interactions have no times: leave halfLifeDays out"
              .formatted(name));
    }
    double halfLife = halfLifeDays * TimeUnit.DAYS.toMillis(1);
    double[] sums = new double[train.numItems()];
    for (int row = 0; row < train.size(); row++) {
      double weight = train.weightAt(row);
      if (decays) {
        weight *= Math.pow(0.5, (train.maxTime() - train.timeAt(row)) / halfLife);
      }
      sums[train.itemAt(row)] += weight;
    }
    float[] scores = new float[sums.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) sums[i];
    }
    Scope model = Scope.open(context.device());
    NDArray vectors = HostArrays.floats(model.manager(), scores, scores.length, 1);
    return new Fitted(model, vectors, halfLifeDays);
  }

  static FittedStrategy load(Scope model, StoredStrategy stored) {
    TensorSource vectors = stored.tensors().tensor("items.vectors");
    if (!vectors.spec().shape().equals(List.of((long) stored.numItems(), 1L))) {
      throw new InvalidInputException(
          "tensor 'items.vectors' of strategy '%s' has the shape %s but must have [%d, 1], a score for each item: save the model again"
              .formatted(stored.name(), vectors.spec().shape(), stored.numItems()));
    }
    double halfLifeDays = halfLifeOf(stored);
    return new Fitted(model, TensorFiles.load(model.manager(), vectors), halfLifeDays);
  }

  private static double halfLifeOf(StoredStrategy stored) {
    JsonElement halfLife =
        JsonParser.parseString(stored.configJson()).getAsJsonObject().get("halfLifeDays");
    if (halfLife == null) {
      return Double.POSITIVE_INFINITY;
    }
    if (!halfLife.isJsonPrimitive()
        || !halfLife.getAsJsonPrimitive().isNumber()
        || !(halfLife.getAsDouble() > 0)) {
      throw new InvalidInputException(
          "halfLifeDays of strategy '%s' must be a number > 0 but is %s"
              .formatted(stored.name(), halfLife));
    }
    return halfLife.getAsDouble();
  }

  private record Fitted(Scope model, NDArray itemVectors, double halfLifeDays)
      implements FittedStrategy, DenseScores {

    @Override
    public String type() {
      return TYPE;
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
    public NDArray queries(Scope scope, List<UserState> users) {
      return scope.manager().ones(new Shape(users.size(), 1));
    }

    @Override
    public String configJson() {
      return Double.isFinite(halfLifeDays)
          ? String.format(Locale.ROOT, "{\"halfLifeDays\": %s}", halfLifeDays)
          : "{}";
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
}
