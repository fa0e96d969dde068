package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.Gson;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotOptions;
import io.sextant.store.StoredStrategy;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Item vectors and the steps that adapt a user's vector to events.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 */
final class FittedFewShot implements FittedStrategy, DenseScores {

  private static final String ITEMS = "items.vectors";
  private static final String STEPS = "items.steps";
  private static final String BAG_ROWS = "users.bags.rows";
  private static final String BAG_WEIGHTS = "users.bags.weights";
  private static final Gson GSON = new Gson();

  private final Scope scope;
  private final NDArray itemVectors;
  private final FewShotAdapter adapter;

  /**
   * @param scope owned from here on
   * @param itemVectors (I, D) in the scope's memory
   */
  FittedFewShot(Scope scope, NDArray itemVectors, FewShotAdapter adapter) {
    this.scope = scope;
    this.itemVectors = itemVectors;
    this.adapter = adapter;
  }

  /** What a bundle holds beside the tensors. */
  private record Config(FewShotOptions adaptation, int featureRows, int featureWidth) {
    Config {
      Objects.requireNonNull(adaptation, "adaptation");
      OptionChecks.check(
          featureRows >= 0 && featureWidth >= 0,
          "featureRows and featureWidth must be >= 0 but were %d and %d"
              .formatted(featureRows, featureWidth));
    }
  }

  static FittedStrategy load(Scope scope, StoredStrategy stored) {
    return Restored.from(
        stored, Config.class, (config, tensors) -> load(scope, stored, config, tensors));
  }

  private static FittedStrategy load(
      Scope scope, StoredStrategy stored, Config config, StoredTensors tensors) {
    NDArray items = TensorFiles.load(scope.manager(), tensors.tensor(ITEMS));
    OptionChecks.check(
        items.getShape().dimension() == 2,
        "%s is %s but must have two dimensions".formatted(ITEMS, items.getShape()));
    FeatureBags features = features(stored, config, tensors);
    try (Scope step = scope.child()) {
      NDArray given = items;
      if (tensors.contains(STEPS)) {
        given = TensorFiles.load(step.manager(), tensors.tensor(STEPS));
        OptionChecks.check(
            given.getShape().equals(items.getShape()),
            "%s is %s but %s is %s".formatted(STEPS, given.getShape(), ITEMS, items.getShape()));
      }
      return new FittedFewShot(
          scope, items, FewShotAdapter.load(config.adaptation(), given, features, tensors));
    }
  }

  private static FeatureBags features(StoredStrategy stored, Config config, StoredTensors tensors) {
    if (config.featureWidth() == 0) {
      return FeatureBags.none();
    }
    int[] rows = tensors.tensor(BAG_ROWS).toInts();
    float[] weights = tensors.tensor(BAG_WEIGHTS).toFloats();
    OptionChecks.check(
        rows.length == (long) stored.numUsers() * config.featureWidth()
            && weights.length == rows.length,
        "%s and %s must have %d values for each of %d users"
            .formatted(BAG_ROWS, BAG_WEIGHTS, config.featureWidth(), stored.numUsers()));
    OptionChecks.check(
        Arrays.stream(rows).allMatch(row -> row >= 0 && row < config.featureRows()),
        "%s has a row outside of 0 to %d".formatted(BAG_ROWS, config.featureRows() - 1));
    return new FeatureBags(config.featureRows(), config.featureWidth(), rows, weights);
  }

  @Override
  public String type() {
    return FewShotStrategy.TYPE;
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
  public NDArray queries(Scope request, List<UserState> users) {
    NDManager manager = request.manager();
    return HostArrays.floats(
        manager, adapter.adapt(users), users.size(), itemVectors.getShape().get(1));
  }

  @Override
  public String configJson() {
    FeatureBags features = adapter.features();
    return GSON.toJson(new Config(adapter.options(), features.numRows(), features.width()));
  }

  @Override
  public List<TensorSource> tensors() {
    List<TensorSource> sources = new ArrayList<>(adapter.tensors());
    sources.add(TensorFiles.source(ITEMS, itemVectors));
    FewShotOptions options = adapter.options();
    if (options.items() == FewShotOptions.Items.TUNED
        && options.method() == FewShotOptions.Method.META_SGD) {
      sources.add(TensorSource.of(STEPS, adapter.stepVectors(), itemVectors.getShape().getShape()));
    }
    FeatureBags features = adapter.features();
    if (features.width() > 0) {
      int users = features.rows().length / features.width();
      sources.add(TensorSource.of(BAG_ROWS, features.rows(), users, features.width()));
      sources.add(TensorSource.of(BAG_WEIGHTS, features.weights(), users, features.width()));
    }
    return sources;
  }

  @Override
  public void close() {
    scope.close();
  }
}
