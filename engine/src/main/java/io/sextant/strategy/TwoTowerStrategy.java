package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import io.sextant.data.ItemStatistics;
import io.sextant.eval.RankingMetric;
import io.sextant.eval.RatingMetrics;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.FewShotOptions;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.store.TensorSource;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorFiles;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingResult;
import io.sextant.train.TwoTowerTask;
import io.sextant.train.Validation;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A two-tower model, trained on interactions. See {@link TwoTower} for the model and {@link
 * TwoTowerTask} for how it learns.
 *
 * @param name unique in a pool
 * @param shape of the model
 * @param sampling what is compared with what
 * @param training how it is trained
 * @param itemStatistics whether items also have popularity and age at the cut as features
 * @param validationMetric by which epochs are compared, as {@code ndcg@10}; {@code rmse} for the
 *     squared error
 * @param validationUsers at most so many users are ranked after each epoch
 * @param fewShot how users without an interaction in training are adapted to their events, over the
 *     trained item vectors; null to serve them by the user tower without an id
 */
public record TwoTowerStrategy(
    String name,
    TwoTowerOptions shape,
    SamplingOptions sampling,
    TrainingOptions training,
    boolean itemStatistics,
    String validationMetric,
    int validationUsers,
    @Nullable FewShotSettings fewShot)
    implements GradientTrained {

  static final String TYPE = "two-tower";
  private static final String RMSE = "rmse";

  public TwoTowerStrategy {
    if (fewShot != null && fewShot.adaptation().items() == FewShotOptions.Items.TUNED) {
      throw new InvalidInputException(
          "the few-shot adaptation of a two-tower keeps the tower's item vectors: items must be GIVEN or MAPPED but was TUNED");
    }
    if (validationUsers <= 0) {
      throw new InvalidInputException("validationUsers must be > 0 but was " + validationUsers);
    }
    if (!validationMetric.equals(RMSE)) {
      RankingMetric.parse(validationMetric);
    }
  }

  /** Under the name {@code two-tower}, judged by NDCG@10 of at most 10,000 users. */
  public static TwoTowerStrategy of(
      TwoTowerOptions shape, SamplingOptions sampling, TrainingOptions training) {
    String metric = sampling.objective() == Objective.SQUARED_ERROR ? RMSE : "ndcg@10";
    return new TwoTowerStrategy(TYPE, shape, sampling, training, false, metric, 10_000, null);
  }

  /** The same with popularity and age of items at the cut as features, or without. */
  public TwoTowerStrategy withItemStatistics(boolean use) {
    return new TwoTowerStrategy(
        name, shape, sampling, training, use, validationMetric, validationUsers, fewShot);
  }

  /** The same with epochs compared by another metric. */
  public TwoTowerStrategy withValidationMetric(String metric) {
    return new TwoTowerStrategy(
        name, shape, sampling, training, itemStatistics, metric, validationUsers, fewShot);
  }

  @Override
  public TwoTowerStrategy withTraining(TrainingOptions options) {
    return new TwoTowerStrategy(
        name, shape, sampling, options, itemStatistics, validationMetric, validationUsers, fewShot);
  }

  /** The same with users unseen in training adapted to their events. */
  public TwoTowerStrategy withFewShot(@Nullable FewShotSettings settings) {
    return new TwoTowerStrategy(
        name,
        shape,
        sampling,
        training,
        itemStatistics,
        validationMetric,
        validationUsers,
        settings);
  }

  @Override
  public TwoTowerStrategy withSeed(long seed) {
    return withTraining(training.withSeed(seed))
        .withFewShot(fewShot == null ? null : fewShot.withSeed(seed));
  }

  @Override
  public boolean usesValidation() {
    return true;
  }

  @Override
  public SearchSpace searchSpace() {
    SearchSpace.Builder space =
        SearchSpace.builder()
            .logReals("userLearningRate", 0.02, 0.6)
            .logReals("itemLearningRate", 0.02, 0.6)
            .logReals("l2", 1e-3, 0.5)
            .logReals("initStd", 0.01, 0.2)
            .integers("epochs", 2, 20)
            .choice("batchSize", 512, 1024, 2048, 4096);
    if (shape.similarity() == TwoTowerOptions.Similarity.COSINE) {
      space.logReals("temperature", 0.03, 0.3);
    }
    return space.build();
  }

  @Override
  public FittedTwoTower fit(FitContext context) {
    return TensorThreads.call(() -> fitOnTensorThread(context));
  }

  private FittedTwoTower fitOnTensorThread(FitContext context) {
    Dataset data = context.train();
    Interactions train = data.interactions();
    if (train.size() == 0) {
      throw new InvalidInputException(
          "strategy '%s' has no interaction to learn from".formatted(name));
    }
    EntityFeatures users = EntityFeatures.of(data.users());
    EntityFeatures items = EntityFeatures.of(itemTable(data));
    Scope scope = Scope.open(context.device());
    try {
      Scope tables = training.tableMemory() > 0 ? scope.hostChild() : scope;
      TwoTower model = new TwoTower(scope, tables, users, items, shape, training.seed());
      ColdRows cold = ColdRows.of(train, items);
      cold.clear(model);
      start(model, context.start());
      TwoTowerScorer scorer =
          new TwoTowerScorer(model, users, items, scoreOffset(train, sampling.objective()));
      TwoTowerTask task =
          new TwoTowerTask(model, train, users, items, sampling, scorer.offset(), training.seed());
      Trainer trainer =
          new Trainer(training, context.hooks(), context.listener(), context.checkpoints());
      try (Ranker ranker = new Ranker()) {
        Interactions validation = context.validation();
        TrainingResult result =
            trainer.train(
                scope,
                task,
                validation == null || validation.size() == 0
                    ? null
                    : validation(scorer, scope, train, validation, ranker));
        cold.levelBiases(model);
        return FittedTwoTower.of(scope, scorer, result, train, fewShot);
      }
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /** Puts given values in the place of random ones; what the model does not have is passed over. */
  private void start(TwoTower model, List<TensorSource> given) {
    if (given.isEmpty()) {
      return;
    }
    boolean used = false;
    for (NamedParameter parameter : model.namedParameters()) {
      for (TensorSource source : given) {
        if (source.spec().name().equals(parameter.name())) {
          TensorFiles.loadInto(parameter.parameter().getArray(), source);
          used = true;
        }
      }
    }
    if (!used) {
      throw new InvalidInputException(
          "none of the values that strategy '%s' is to start at belongs to one of its parameters %s"
              .formatted(
                  name, model.namedParameters().stream().map(NamedParameter::name).toList()));
    }
  }

  /** Values are learned around their mean, which is the global bias. */
  private static float scoreOffset(Interactions train, Objective objective) {
    if (objective != Objective.SQUARED_ERROR) {
      return 0;
    }
    double sum = 0;
    for (int row = 0; row < train.size(); row++) {
      sum += train.valueAt(row);
    }
    return (float) (sum / train.size());
  }

  private FeatureTable itemTable(Dataset data) {
    if (!itemStatistics) {
      return data.items();
    }
    FeatureTable.Builder table = FeatureTable.builder(data.items().numRows());
    for (FeatureColumn column : data.items().columns()) {
      table.add(column);
    }
    ItemStatistics.columns(data.interactions()).forEach(table::add);
    return table.build();
  }

  private Validation validation(
      TwoTowerScorer scorer,
      Scope model,
      Interactions train,
      Interactions validation,
      Ranker ranker) {
    if (validationMetric.equals(RMSE)) {
      return new RatingValidation(scorer, model, train, validation);
    }
    return new RankingValidation(
        ranker,
        () -> FittedTwoTower.snapshot(model.child(), scorer),
        train,
        validation,
        RankingMetric.parse(validationMetric),
        validationUsers,
        training.seed());
  }

  /** Root mean squared error of the validation rows' values. */
  private record RatingValidation(
      TwoTowerScorer scorer, Scope model, Interactions train, Interactions validation)
      implements Validation {

    @Override
    public Map<String, Double> evaluate() {
      try (Scope scope = model.child();
          FittedTwoTower now = FittedTwoTower.snapshot(scope, scorer)) {
        float[] predicted = now.predict(train, validation);
        float[] observed = new float[validation.size()];
        for (int row = 0; row < observed.length; row++) {
          observed[row] = validation.valueAt(row);
        }
        RatingMetrics metrics = RatingMetrics.of(predicted, observed);
        return Map.of(RMSE, metrics.rmse(), "mae", metrics.mae());
      }
    }

    @Override
    public String objective() {
      return RMSE;
    }

    @Override
    public boolean higherIsBetter() {
      return false;
    }
  }
}
