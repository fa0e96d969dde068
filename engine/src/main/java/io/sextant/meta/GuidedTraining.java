package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.GradientTrained;
import io.sextant.strategy.Strategy;
import io.sextant.train.CheckpointOptions;
import io.sextant.train.ExampleFeatures;
import io.sextant.train.ExampleWeighting;
import io.sextant.train.WeightReport;
import io.sextant.train.WeightingOptions;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Training whose examples a policy weighs: {@link ExampleWeighting} in one of two modes, and a
 * guard, {@link GuidedFits}, on whether the weights pay: they must be better than equal ones by
 * more than chance, the 95 % interval above 0.
 *
 * <p>Thread safety: immutable.
 *
 * @param mode how weights and strategy are learned
 * @param learner the two-tower or sequence model beside which weights are learned: best small and
 *     quick, with few epochs; it is thrown away afterwards. In mode {@link Mode#JOINT} it is not
 *     used
 * @param weighting how weights are learned
 * @param metric by which the guard judges
 */
public record GuidedTraining(
    Mode mode, GradientTrained learner, WeightingOptions weighting, RankingMetric metric) {

  /** How weights and strategy are learned. */
  public enum Mode {
    /**
     * Weights are learned beside the learner and frozen, and any strategy is fitted to the weighted
     * interactions. The better one where both were tried.
     */
    FREEZE_AND_RETRAIN,
    /** A two-tower or sequence strategy and its weights learn together, in one training. */
    JOINT
  }

  /** Freezes and retrains, judged by NDCG@100: long lists tell the two apart with fewer users. */
  public static GuidedTraining of(GradientTrained learner, WeightingOptions weighting) {
    return new GuidedTraining(Mode.FREEZE_AND_RETRAIN, learner, weighting, RankingMetric.ndcg(100));
  }

  /**
   * The two fits, of which the plain one has equal weights.
   *
   * @param fits and which of them is kept
   * @param weights of the training interactions, mean 1, whether they are kept or not
   * @param report what the policy did
   */
  @SuppressWarnings("ArrayRecordComponent") // Results are handed over, not compared.
  public record Result(GuidedFits fits, float[] weights, WeightReport report)
      implements AutoCloseable {

    @Override
    public void close() {
      fits.close();
    }
  }

  /**
   * What was learned of the training interactions.
   *
   * @param weights one for each, mean 1; all 1 where none were learned
   * @param report what the policy did
   */
  @SuppressWarnings("ArrayRecordComponent") // Results are handed over, not compared.
  public record Learned(float[] weights, WeightReport report) {

    /** Whether the weights are those of the policy. */
    public boolean isLearned() {
      return report.outcome() == WeightReport.Outcome.LEARNED;
    }

    private Result with(GuidedFits fits) {
      return new Result(fits, weights, report);
    }
  }

  /**
   * Learns weights beside the learner, once for any number of strategies: see {@link #retrain}.
   *
   * @param context what the learner is fitted with, its checkpoints included; its interactions are
   *     those that are weighed. One whose own weight is 0 is not learned from, and is weighed all
   *     the same
   * @param features what the policy may know of each
   * @param metaSet trusted interactions over the same users and items, not among those to learn
   *     from
   * @param guardSet more of them, to stop the policy by
   * @throws InvalidInputException if the sets cannot judge the interactions
   */
  public Learned learn(
      FitContext context, ExampleFeatures features, Interactions metaSet, Interactions guardSet) {
    ExampleWeighting policy = new ExampleWeighting(weighting, features, metaSet, guardSet);
    learner.fit(context.withHooks(List.of(policy))).close();
    return new Learned(policy.weights(), policy.report());
  }

  /**
   * Fits a strategy to interactions as they are and to the weighted ones, and compares the two.
   *
   * @param context what it is fitted with; its checkpoints are those of the weighted fit
   * @param plainCheckpoints those of the other; null for none
   * @param learned weights of its interactions
   * @param known what users are known by when they are judged
   * @param guardSet trusted interactions to judge by, from which nothing has learned
   */
  public Result retrain(
      Strategy strategy,
      FitContext context,
      @Nullable CheckpointOptions plainCheckpoints,
      Learned learned,
      Interactions known,
      Interactions guardSet) {
    Supplier<FittedStrategy> plain = () -> strategy.fit(context.withCheckpoints(plainCheckpoints));
    if (!learned.isLearned()) {
      return learned.with(GuidedFits.unguided(plain.get()));
    }
    Interactions reweighted = context.train().interactions().reweighted(learned.weights());
    return learned.with(
        judged(plain, () -> strategy.fit(context.withInteractions(reweighted)), known, guardSet));
  }

  private GuidedFits judged(
      Supplier<FittedStrategy> plain,
      Supplier<FittedStrategy> weighted,
      Interactions known,
      Interactions guardSet) {
    return GuidedFits.judged(
        plain, weighted, known, guardSet, metric, gain -> gain.isAbove(0), weighting.seed());
  }

  /**
   * Fits a strategy.
   *
   * @param context what it is fitted with; its interactions are those that are weighed
   * @param features what the policy may know of each
   * @param metaSet trusted interactions over the same users and items, not among those to learn
   *     from
   * @param guardSet more of them, to judge by
   * @throws InvalidInputException if the sets cannot judge the interactions, or the mode is JOINT
   *     and the strategy is not trained by gradients
   */
  public Result fit(
      Strategy strategy,
      FitContext context,
      ExampleFeatures features,
      Interactions metaSet,
      Interactions guardSet) {
    Interactions known = context.train().interactions().concat(metaSet);
    if (mode == Mode.FREEZE_AND_RETRAIN) {
      Learned learned = learn(context.withCheckpoints(null), features, metaSet, guardSet);
      return retrain(strategy, context, null, learned, known, guardSet);
    }
    if (!(strategy instanceof GradientTrained)) {
      throw new InvalidInputException(
          "strategy '%s' cannot learn together with weights of its examples: freeze the weights and retrain"
              .formatted(strategy.name()));
    }
    ExampleWeighting policy = new ExampleWeighting(weighting, features, metaSet, guardSet);
    FittedStrategy weighted = strategy.fit(context.withHooks(List.of(policy)));
    Learned learned = new Learned(policy.weights(), policy.report());
    Supplier<FittedStrategy> plain = () -> strategy.fit(context.withCheckpoints(null));
    if (!learned.isLearned()) {
      weighted.close();
      return learned.with(GuidedFits.unguided(plain.get()));
    }
    return learned.with(judged(plain, () -> weighted, known, guardSet));
  }
}
