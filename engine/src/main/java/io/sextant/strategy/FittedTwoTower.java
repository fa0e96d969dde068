package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import com.google.gson.Gson;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.FeatureBags;
import io.sextant.nn.FewShotModel;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.StoredStrategy;
import io.sextant.store.StoredTensors;
import io.sextant.store.TensorSource;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import io.sextant.train.TrainingListener;
import io.sextant.train.TrainingResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A trained two-tower model: the vectors of all items, computed once, and the user tower. Where
 * few-shot adaptation was learned, it makes the queries of users who were not in training: those
 * without an index, and those of the index who had no interaction, whose features give the start.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 */
public final class FittedTwoTower implements FittedStrategy, DenseScores {

  private static final String TRAINED = "users.trained";
  private static final int MEAN_USERS = 1000;
  private static final Gson GSON = new Gson();

  private final Scope scope;
  private final TwoTowerScorer scorer;
  private final NDArray itemVectors;
  private final @Nullable TrainingResult result;
  private final @Nullable Unseen unseen;

  /**
   * @param scope owned from here on
   * @param itemVectors (I, D) in the scope's memory
   */
  private FittedTwoTower(
      Scope scope,
      TwoTowerScorer scorer,
      NDArray itemVectors,
      @Nullable TrainingResult result,
      @Nullable Unseen unseen) {
    this.scope = scope;
    this.scorer = scorer;
    this.itemVectors = itemVectors;
    this.result = result;
    this.unseen = unseen;
  }

  static FittedTwoTower of(
      Scope scope,
      TwoTowerScorer scorer,
      TrainingResult result,
      Interactions train,
      @Nullable FewShotSettings fewShot) {
    NDArray itemVectors = scorer.itemVectors(scope);
    Unseen unseen = fewShot == null ? null : learn(scope, scorer, itemVectors, train, fewShot);
    return new FittedTwoTower(scope, scorer, itemVectors, result, unseen);
  }

  /** Learns to adapt, from the mean of some trained users on. */
  private static Unseen learn(
      Scope scope,
      TwoTowerScorer scorer,
      NDArray itemVectors,
      Interactions train,
      FewShotSettings settings) {
    int[] trained = new int[train.numUsers()];
    List<UserState> some = new ArrayList<>();
    for (int user = 0; user < trained.length; user++) {
      trained[user] = train.degree(user) > 0 ? 1 : 0;
      if (trained[user] == 1 && some.size() < MEAN_USERS) {
        some.add(new UserState(user, train.historyOf(user)));
      }
    }
    FeatureBags features = FeatureBags.of(scorer.users());
    try (Scope session = scope.child()) {
      NDArray mean = scorer.queries(session, some).mean(new int[] {0});
      FewShotModel learned =
          settings.fit(
              session,
              itemVectors,
              HostArrays.toFloats(mean),
              features,
              train,
              TrainingListener.NONE);
      return new Unseen(FewShotAdapter.of(learned, features), trained);
    }
  }

  /**
   * What serves users who were not in training.
   *
   * @param trained (U) 1 for a user of training, 0 for one without an interaction
   */
  @SuppressWarnings("ArrayRecordComponent") // Held, not compared.
  private record Unseen(FewShotAdapter adapter, int[] trained) {
    boolean isOne(UserState user) {
      return user.userIndex() < 0 || trained[user.userIndex()] == 0;
    }
  }

  /** The model as it is at this moment of its training; closing it leaves the parameters alone. */
  static FittedTwoTower snapshot(Scope scope, TwoTowerScorer scorer) {
    return new FittedTwoTower(scope, scorer, scorer.itemVectors(scope), null, null);
  }

  /** How training went, unless the strategy was loaded from a bundle. */
  public Optional<TrainingResult> trainingResult() {
    return Optional.ofNullable(result);
  }

  @Override
  public String type() {
    return TwoTowerStrategy.TYPE;
  }

  @Override
  public int numItems() {
    return scorer.items().numEntities();
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
    NDArray queries = scorer.queries(request, users);
    Unseen those = unseen;
    if (those == null || users.stream().noneMatch(those::isOne)) {
      return queries;
    }
    int width = (int) itemVectors.getShape().get(1);
    float[] rows = HostArrays.toFloats(queries);
    for (int u = 0; u < users.size(); u++) {
      if (those.isOne(users.get(u))) {
        System.arraycopy(those.adapter().adapt(users.get(u)), 0, rows, u * width, width);
      }
    }
    return HostArrays.floats(request.manager(), rows, users.size(), width);
  }

  /**
   * The predicted value of each row, for a model that was trained on values.
   *
   * @param history what the users are known by
   * @param rows user-item pairs, over the same users and items
   */
  public float[] predict(Interactions history, Interactions rows) {
    float[] predicted = Ranker.scores(this, history, rows);
    for (int row = 0; row < predicted.length; row++) {
      predicted[row] += scorer.offset();
    }
    return predicted;
  }

  @Override
  public String configJson() {
    return GSON.toJson(
        new Config(
            scorer.model().options(),
            scorer.offset(),
            FeatureShape.of(scorer.users()),
            FeatureShape.of(scorer.items()),
            unseen == null ? null : unseen.adapter().options()));
  }

  @Override
  public List<TensorSource> tensors() {
    List<TensorSource> sources = new ArrayList<>();
    for (NamedParameter parameter : scorer.model().namedParameters()) {
      sources.add(TensorFiles.source(parameter.name(), parameter.parameter().getArray()));
    }
    sources.addAll(featureTensors("features.user", scorer.users()));
    sources.addAll(featureTensors("features.item", scorer.items()));
    if (unseen != null) {
      sources.addAll(unseen.adapter().tensors());
      sources.add(TensorSource.of(TRAINED, unseen.trained(), unseen.trained().length));
    }
    return sources;
  }

  static FittedStrategy load(Scope scope, StoredStrategy stored) {
    Config config;
    try {
      config = GSON.fromJson(stored.configJson(), Config.class);
    } catch (RuntimeException e) {
      // Gson wraps what a record's constructor throws into a plain RuntimeException.
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new InvalidInputException(
          "strategy '%s' has an unreadable configuration: %s; save the model again with this engine"
              .formatted(stored.name(), cause.getMessage()),
          e);
    }
    StoredTensors tensors = stored.tensors();
    config.users().check("user", stored.numUsers(), config.shape(), tensors);
    config.items().check("item", stored.numItems(), config.shape(), tensors);
    EntityFeatures users = config.users().read("features.user", tensors);
    EntityFeatures items = config.items().read("features.item", tensors);
    TwoTower model = new TwoTower(scope, users, items, config.shape(), 0);
    for (NamedParameter parameter : model.namedParameters()) {
      TensorFiles.loadInto(parameter.parameter().getArray(), tensors.tensor(parameter.name()));
    }
    TwoTowerScorer scorer = new TwoTowerScorer(model, users, items, config.offset());
    NDArray itemVectors = scorer.itemVectors(scope);
    FewShotOptions fewShot = config.fewShot();
    Unseen unseen = fewShot == null ? null : loadUnseen(fewShot, itemVectors, users, tensors);
    return new FittedTwoTower(scope, scorer, itemVectors, null, unseen);
  }

  private static Unseen loadUnseen(
      FewShotOptions options, NDArray itemVectors, EntityFeatures users, StoredTensors tensors) {
    int[] trained = tensors.tensor(TRAINED).toInts();
    OptionChecks.check(
        trained.length == users.numEntities(),
        "tensor '%s' must have %d values but has %d"
            .formatted(TRAINED, users.numEntities(), trained.length));
    return new Unseen(
        FewShotAdapter.load(options, itemVectors, FeatureBags.of(users), tensors), trained);
  }

  private static List<TensorSource> featureTensors(String prefix, EntityFeatures features) {
    List<TensorSource> sources = new ArrayList<>();
    int rows = features.numEntities();
    for (EntityFeatures.Codes column : features.codes()) {
      String name = prefix + ".code." + column.name();
      sources.add(TensorSource.of(name, column.codes(), rows, column.width()));
      sources.add(TensorSource.of(name + ".weight", column.weights(), rows, column.width()));
    }
    if (features.numericWidth() > 0) {
      sources.add(
          TensorSource.of(prefix + ".numeric", features.numeric(), rows, features.numericWidth()));
    }
    for (EntityFeatures.Vectors column : features.vectors()) {
      sources.add(
          TensorSource.of(
              prefix + ".vector." + column.name(), column.values(), rows, column.dimension()));
    }
    return sources;
  }

  @Override
  public void close() {
    scope.close();
  }

  /** What a bundle holds beside the tensors. */
  private record Config(
      TwoTowerOptions shape,
      float offset,
      FeatureShape users,
      FeatureShape items,
      @Nullable FewShotOptions fewShot) {
    Config {
      Objects.requireNonNull(shape, "shape");
      Objects.requireNonNull(users, "users");
      Objects.requireNonNull(items, "items");
    }
  }

  /** The shapes of features, from which their tensors can be read. */
  private record FeatureShape(
      int numEntities, List<Column> codes, int numericWidth, List<Column> vectors) {

    FeatureShape {
      codes = List.copyOf(codes);
      vectors = List.copyOf(vectors);
      require(numEntities > 0, "numEntities must be > 0 but was " + numEntities);
      require(numericWidth >= 0, "numericWidth must be >= 0 but was " + numericWidth);
      for (Column column : codes) {
        require(
            column.vocabularySize() > 0,
            "column '%s' must have a vocabularySize > 0 but had %d"
                .formatted(column.name(), column.vocabularySize()));
      }
    }

    /** Name, size of the vocabulary (0 for vectors) and width of a column. */
    private record Column(String name, int vocabularySize, int width) {
      Column {
        Objects.requireNonNull(name, "a feature column's name");
        require(width > 0, "column '%s' must have a width > 0 but had %d".formatted(name, width));
      }
    }

    private static void require(boolean holds, String message) {
      if (!holds) {
        throw new InvalidInputException(message);
      }
    }

    static FeatureShape of(EntityFeatures features) {
      return new FeatureShape(
          features.numEntities(),
          features.codes().stream()
              .map(c -> new Column(c.name(), c.vocabularySize(), c.width()))
              .toList(),
          features.numericWidth(),
          features.vectors().stream().map(v -> new Column(v.name(), 0, v.dimension())).toList());
    }

    /** Refuses what disagrees with the bundle's ids or its tables, before memory is taken. */
    void check(String entity, int numIds, TwoTowerOptions shape, StoredTensors tensors) {
      require(
          numEntities == numIds,
          "the model has %d %ss but the bundle has the ids of %d: save the model again"
              .formatted(numEntities, entity, numIds));
      if (entity.equals("item") || shape.userIds()) {
        sized(tensors, entity + ".id", numEntities, shape.dimension());
      }
      for (Column column : codes) {
        sized(
            tensors, entity + ".code." + column.name(), column.vocabularySize(), shape.dimension());
      }
      int width = shape.dimension();
      for (int i = 0; i < shape.hidden().size(); i++) {
        sized(tensors, "%s.mlp%d.weight".formatted(entity, i), shape.hidden().get(i), width);
        width = shape.hidden().get(i);
      }
    }

    /** The tensor, which must have so many rows of such a width. */
    private static TensorSource sized(StoredTensors tensors, String name, int numRows, int width) {
      TensorSource tensor = tensors.tensor(name);
      require(
          tensor.spec().shape().equals(List.of((long) numRows, (long) width)),
          "tensor '%s' has the shape %s but the configuration says [%d, %d]: save the model again"
              .formatted(name, tensor.spec().shape(), numRows, width));
      return tensor;
    }

    EntityFeatures read(String prefix, StoredTensors tensors) {
      List<EntityFeatures.Codes> readCodes = new ArrayList<>();
      for (Column column : codes) {
        String name = prefix + ".code." + column.name();
        int[] values = sized(tensors, name, numEntities, column.width()).toInts();
        checkCodes(name, values, column.vocabularySize());
        readCodes.add(
            new EntityFeatures.Codes(
                column.name(),
                column.vocabularySize(),
                column.width(),
                values,
                sized(tensors, name + ".weight", numEntities, column.width()).toFloats()));
      }
      float[] numeric =
          numericWidth > 0
              ? sized(tensors, prefix + ".numeric", numEntities, numericWidth).toFloats()
              : new float[0];
      List<EntityFeatures.Vectors> readVectors = new ArrayList<>();
      for (Column column : vectors) {
        String name = prefix + ".vector." + column.name();
        float[] values = sized(tensors, name, numEntities, column.width()).toFloats();
        readVectors.add(new EntityFeatures.Vectors(column.name(), column.width(), values));
      }
      return new EntityFeatures(
          numEntities, List.copyOf(readCodes), numeric, numericWidth, List.copyOf(readVectors));
    }

    private static void checkCodes(String name, int[] codes, int vocabularySize) {
      if (Arrays.stream(codes).anyMatch(code -> code < 0 || code >= vocabularySize)) {
        throw new InvalidInputException(
            "tensor '%s' has a code outside of 0 to %d".formatted(name, vocabularySize - 1));
      }
    }
  }
}
