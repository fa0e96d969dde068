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
 * half of it in so many days before the latest interaction, or a share with each step back from the
 * end of the user's history: where events are in order but have no times, what users did last is
 * what is popular now. O(rows) time; D = 1.
 *
 * @param name unique in a pool
 * @param halfLifeDays infinite for no decay with time; data without times know only that
 * @param positionDecay what is left of a weight with each step back from the user's latest event,
 *     in (0, 1]; 1 for no decay
 */
public record Popularity(String name, double halfLifeDays, double positionDecay)
    implements Strategy {

  static final String TYPE = "popularity";

  public Popularity {
    if (!(halfLifeDays > 0)) {
      throw new InvalidInputException("halfLifeDays must be > 0 but was " + halfLifeDays);
    }
    if (!(positionDecay > 0 && positionDecay <= 1)) {
      throw new InvalidInputException("positionDecay must be in (0, 1] but was " + positionDecay);
    }
  }

  /** Popularity that decays with time. */
  public Popularity(String name, double halfLifeDays) {
    this(name, halfLifeDays, 1);
  }

  /** What users did last, under the name {@code late-popularity}: half with each step back. */
  public static Popularity late() {
    return new Popularity("late-popularity", Double.POSITIVE_INFINITY, 0.5);
  }

  /** All-time popularity under the name {@code popularity}. */
  public static Popularity allTime() {
    return new Popularity(TYPE, Double.POSITIVE_INFINITY);
  }

  @Override
  public SearchSpace searchSpace() {
    SearchSpace.Builder space = SearchSpace.builder();
    if (Double.isFinite(halfLifeDays)) {
      space.logReals("halfLifeDays", 3, 1000);
    }
    if (positionDecay < 1) {
      space.reals("positionDecay", 0.1, 0.95);
    }
    return space.build();
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
    for (int user = 0; user < train.numUsers(); user++) {
      for (int row = train.start(user); row < train.end(user); row++) {
        double weight = train.weightAt(row);
        if (decays) {
          weight *= Math.pow(0.5, (train.maxTime() - train.timeAt(row)) / halfLife);
        }
        if (positionDecay < 1) {
          weight *= Math.pow(positionDecay, train.end(user) - 1.0 - row);
        }
        sums[train.itemAt(row)] += weight;
      }
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
