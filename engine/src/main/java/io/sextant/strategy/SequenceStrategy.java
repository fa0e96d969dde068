package io.sextant.strategy;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.nn.SequenceEncoder;
import io.sextant.nn.SequenceOptions;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.TensorThreads;
import io.sextant.train.SequenceSampling;
import io.sextant.train.SequenceTask;
import io.sextant.train.Trainer;
import io.sextant.train.TrainingOptions;
import io.sextant.train.TrainingResult;
import io.sextant.train.Validation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Self-attention over the user's latest items, trained by a sampled softmax. See {@link
 * SequenceEncoder} for the model and {@link SequenceTask} for how it learns.
 *
 * <p>Users are known by their history alone; one without history is served with the mean query of
 * the training users, which ranks about by popularity.
 *
 * @param name unique in a pool
 * @param shape of the model
 * @param sampling what is compared with what
 * @param training how it is trained; the rate of items is that of the item table
 * @param validationMetric by which epochs are compared, as {@code ndcg@10}
 * @param validationUsers at most so many users are ranked after each epoch
 */
public record SequenceStrategy(
    String name,
    SequenceOptions shape,
    SequenceSampling sampling,
    TrainingOptions training,
    String validationMetric,
    int validationUsers)
    implements GradientTrained {

  static final String TYPE = "sequence";

  /** The mean query is taken over at most so many users. */
  private static final int MEAN_USERS = 10_000;

  public SequenceStrategy {
    if (validationUsers <= 0) {
      throw new InvalidInputException("validationUsers must be > 0 but was " + validationUsers);
    }
    RankingMetric.parse(validationMetric);
  }

  /** Under the name {@code sequence}, judged by NDCG@10 of at most 10,000 users. */
  public static SequenceStrategy of(
      SequenceOptions shape, SequenceSampling sampling, TrainingOptions training) {
    return new SequenceStrategy(TYPE, shape, sampling, training, "ndcg@10", 10_000);
  }

  /** The defaults, which were chosen on the validation part of the Amazon Beauty sequences. */
  public static SequenceStrategy standard() {
    return of(
        SequenceOptions.builder().build(),
        SequenceSampling.builder().build(),
        trainingDefaults().build());
  }

  /** How it is trained unless said otherwise: small batches, Adam for all parameters. */
  public static TrainingOptions.Builder trainingDefaults() {
    return TrainingOptions.builder()
        .epochs(60)
        .batchSize(128)
        .learningRate(1e-3f)
        .itemLearningRate(1e-3f)
        .rowOptimizer(RowOptimizer.Kind.ADAM)
        .patience(4);
  }

  @Override
  public SequenceStrategy withTraining(TrainingOptions options) {
    return new SequenceStrategy(name, shape, sampling, options, validationMetric, validationUsers);
  }

  @Override
  public SequenceStrategy withSeed(long seed) {
    return withTraining(training.withSeed(seed));
  }

  @Override
  public boolean usesValidation() {
    return true;
  }

  @Override
  public SearchSpace searchSpace() {
    return SearchSpace.builder()
        .logReals("learningRate", 3e-4, 5e-3)
        .logReals("itemLearningRate", 3e-4, 5e-3)
        .reals("dropout", 0, 0.5)
        .choice("batchSize", 64, 128, 256)
        .integers("epochs", 5, 40)
        .build();
  }

  @Override
  public FittedSequence fit(FitContext context) {
    return TensorThreads.call(() -> fitOnTensorThread(context));
  }

  private FittedSequence fitOnTensorThread(FitContext context) {
    Interactions train = context.train().interactions();
    Scope scope = Scope.open(context.device());
    try {
      Scope tables = training.tableMemory() > 0 ? scope.hostChild() : scope;
      SequenceEncoder encoder =
          new SequenceEncoder(scope, tables, train.numItems(), shape, training.seed());
      TrainingResult result;
      try (Scope session = scope.child();
          Ranker ranker = new Ranker()) {
        SequenceTask task = new SequenceTask(session, encoder, train, sampling, training.seed());
        if (task.numExamples() == 0) {
          throw new InvalidInputException(
              "strategy '%s' has nothing to learn from: no user has two interactions"
                  .formatted(name));
        }
        result =
            new Trainer(training, context.hooks(), context.listener(), context.checkpoints())
                .train(session, task, validation(context, scope, encoder, ranker));
      }
      FittedSequence fitted = FittedSequence.of(scope, encoder, result);
      fitted.serveUnknownAsMeanOf(someUsers(train));
      return fitted;
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  private @Nullable Validation validation(
      FitContext context, Scope model, SequenceEncoder encoder, Ranker ranker) {
    Interactions truth = context.validation();
    if (truth == null || truth.size() == 0) {
      return null;
    }
    return new RankingValidation(
        ranker,
        () -> FittedSequence.snapshot(model.child(), encoder),
        context.train().interactions(),
        truth,
        RankingMetric.parse(validationMetric),
        validationUsers,
        training.seed());
  }

  private List<UserState> someUsers(Interactions train) {
    int[] users = Ranker.usersWith(train);
    new CounterRandom(training.seed(), "mean-users", 0).shuffle(users);
    List<UserState> some = new ArrayList<>();
    for (int user : Arrays.copyOf(users, Math.min(users.length, MEAN_USERS))) {
      some.add(UserState.unseen(train.historyOf(user)));
    }
    return some;
  }
}
