package io.sextant.models;

import io.sextant.EventType;
import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.meta.GuidedTraining;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.strategy.Als;
import io.sextant.strategy.GradientTrained;
import io.sextant.strategy.ItemNeighbours;
import io.sextant.strategy.SequenceStrategy;
import io.sextant.strategy.SessionTransitions;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.strategy.UserNeighbours;
import io.sextant.train.Objective;
import io.sextant.train.SamplingOptions;
import io.sextant.train.TrainingOptions;
import io.sextant.train.WeightingOptions;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code [weights]}: a policy learns how much each event counts, so that what is
 * learned from all of them ranks the trusted ones high. The options of the policy are written
 * without their group.
 *
 * <p>Weights are learned beside a model that is thrown away; then they are frozen, and the
 * strategies that heed them are fitted to the weighted events: the two-tower model, sequence
 * models, ALS with {@code weighted = true}, neighbours and transitions.
 *
 * @param mode where the weights are kept
 * @param learner beside which model they are learned
 * @param features by which events are weighed
 * @param metaTypes events of these types can be trusted; empty: of all types
 * @param minValue events with at least this value can be trusted; null: whatever their value
 * @param metaShare of the trusted pairs of user and item, from which the policy learns
 * @param guardShare of the trusted pairs, by which it is judged
 * @param epochs of the learner
 * @param dimension of the factors
 * @param batchSize of the factors: the larger, the more trusted events judge a step of the policy
 * @param stepSize of the factors (row-wise Adagrad)
 * @param l2 of the factors
 * @param negatives of the factors, for each example
 * @param policy how the policy learns
 */
public record WeightsSection(
    Mode mode,
    Learner learner,
    Set<WeightSignal> features,
    Set<EventType> metaTypes,
    @Nullable Float minValue,
    double metaShare,
    double guardShare,
    int epochs,
    int dimension,
    int batchSize,
    float stepSize,
    float l2,
    int negatives,
    WeightingOptions policy) {

  /** Where learned weights are kept. */
  public enum Mode {
    /** For each strategy that ranks the guard's events better by them, by more than chance. */
    WHERE_THEY_PAY,
    /** For all strategies, if any were learned. */
    ALWAYS,
    /** For none: they are learned, judged and reported. */
    NEVER
  }

  /** Beside which model weights are learned. */
  public enum Learner {
    /** Matrix factorisation with the BPR loss: quick, and blind to the order of events. */
    FACTORS,
    /** The first sequence model of the recipe, as the recipe has it but for the epochs. */
    SEQUENCE
  }

  /** Nothing is trusted yet: that is the recipe's to say. */
  static WeightsSection defaults() {
    return new WeightsSection(
        Mode.WHERE_THEY_PAY,
        Learner.FACTORS,
        WeightSignal.STANDARD,
        Set.of(),
        null,
        0.1,
        0.1,
        12,
        32,
        4096,
        0.1f,
        0.01f,
        4,
        WeightingOptions.builder().every(1).metaBatchSize(2048).build());
  }

  public WeightsSection {
    features = Set.copyOf(features);
    metaTypes = Set.copyOf(metaTypes);
    check(!features.isEmpty(), "weights.features needs at least one feature, such as \"VALUE\"");
    check(
        minValue == null || Float.isFinite(minValue),
        "weights.minValue must be finite but was " + minValue);
    check(
        metaShare > 0 && guardShare > 0 && metaShare + guardShare <= 0.9,
        "weights.metaShare and weights.guardShare must be > 0 and at most 0.9 together but were %s and %s"
            .formatted(metaShare, guardShare));
    // The builders of the learner's options say what is wrong with the others.
    factors(epochs, dimension, batchSize, stepSize, l2, negatives, 0);
    check(
        epochs > policy.warmUpEpochs(),
        "weights.epochs must be more than weights.warmUpEpochs (%d) but was %d"
            .formatted(policy.warmUpEpochs(), epochs));
  }

  /** A complete section says which events can be trusted. */
  void requireTrust() {
    check(
        minValue != null || !metaTypes.isEmpty(),
        "[weights] must say which events can be trusted: metaTypes = [\"PURCHASE\"] or minValue = 4.0");
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new InvalidInputException(message);
    }
  }

  /** Whether a strategy learns more from events that weigh more. */
  public static boolean heeds(Strategy strategy) {
    return strategy instanceof GradientTrained
        || strategy instanceof Als als && als.weighted()
        || strategy instanceof ItemNeighbours
        || strategy instanceof UserNeighbours
        || strategy instanceof SessionTransitions;
  }

  /** Which rows can be trusted. */
  public IntPredicate trusted(Interactions rows) {
    return trusted(rows, metaTypes, minValue);
  }

  /**
   * Rows of some types, or of all if none is given, with at least some value, or with any or none
   * if none is given.
   */
  static IntPredicate trusted(Interactions rows, Set<EventType> types, @Nullable Float minValue) {
    float least = minValue == null ? Float.NEGATIVE_INFINITY : minValue;
    boolean anyValue = minValue == null;
    return row ->
        (types.isEmpty() || types.contains(rows.typeAt(row)))
            && (anyValue || rows.valueAt(row) >= least);
  }

  /**
   * How weights are learned and judged.
   *
   * @param strategies of the recipe
   */
  public GuidedTraining training(List<Strategy> strategies, long seed) {
    WeightingOptions seeded =
        new WeightingOptions(
            policy.hidden(),
            policy.learningRate(),
            policy.weightDecay(),
            policy.lookAhead(),
            policy.metaBatchSize(),
            policy.warmUpEpochs(),
            policy.every(),
            policy.patience(),
            policy.collapse(),
            seed);
    GradientTrained beside =
        switch (learner) {
          case FACTORS -> factors(epochs, dimension, batchSize, stepSize, l2, negatives, seed);
          case SEQUENCE -> sequence(strategies).withSeed(seed);
        };
    return GuidedTraining.of(beside, seeded);
  }

  private SequenceStrategy sequence(List<? extends Strategy> strategies) {
    for (Strategy strategy : strategies) {
      if (strategy instanceof SequenceStrategy sequence) {
        return sequence.withTraining(sequence.training().withEpochs(epochs));
      }
    }
    throw new InvalidInputException(
        "weights.learner = \"SEQUENCE\" learns weights beside a sequence model: add [sequence], or take \"FACTORS\"");
  }

  /** A complete recipe has the learner that is named. */
  void requireLearner(List<SequenceStrategy> sequences) {
    if (learner == Learner.SEQUENCE) {
      sequence(sequences);
    }
  }

  private static TwoTowerStrategy factors(
      int epochs,
      int dimension,
      int batchSize,
      float stepSize,
      float l2,
      int negatives,
      long seed) {
    return TwoTowerStrategy.of(
        TwoTowerOptions.builder().dimension(dimension).biases(true).initStd(0.05f).build(),
        SamplingOptions.builder().objective(Objective.BPR).negatives(negatives).build(),
        TrainingOptions.builder()
            .epochs(epochs)
            .batchSize(batchSize)
            .userLearningRate(stepSize)
            .itemLearningRate(stepSize)
            .l2(l2)
            .patience(0)
            .seed(seed)
            .build());
  }
}
