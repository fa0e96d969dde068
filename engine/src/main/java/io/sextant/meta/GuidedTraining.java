package io.sextant.meta;

import io.sextant.InvalidInputException;
import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.strategy.TwoTowerStrategy;
import io.sextant.train.CheckpointOptions;
import io.sextant.train.ExampleFeatures;
import io.sextant.train.ExampleWeighting;
import io.sextant.train.WeightReport;
import io.sextant.train.WeightingOptions;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Training whose examples a policy weighs: {@link ExampleWeighting} in one of two modes, and a
 * guard on whether the weights pay.
 *
 * <p>The guard: the strategy is fitted with equal weights as well, and both are judged on the guard
 * set, which nothing has learned from. Unless the weighted one is better by more than chance (the
 * 95 % interval of the paired difference over users lies above 0), the plain one is kept. So
 * weights can cost time, a second fit, but hardly ever quality.
 *
 * <p>Thread safety: immutable.
 *
 * @param mode how weights and strategy are learned
 * @param learner the two-tower model beside which weights are learned: best small and quick, with
 *     few epochs; it is thrown away afterwards. In mode {@link Mode#JOINT} it is not used
 * @param weighting how weights are learned
 * @param metric by which the guard judges
 */
public record GuidedTraining(
    Mode mode, TwoTowerStrategy learner, WeightingOptions weighting, RankingMetric metric) {

  private static final int RESAMPLES = 1000;

  /** How weights and strategy are learned. */
  public enum Mode {
    /**
     * Weights are learned beside the learner and frozen, and any strategy is fitted to the weighted
     * interactions. The better one where both were tried.
     */
    FREEZE_AND_RETRAIN,
    /** A two-tower strategy and its weights learn together, in one training. */
    JOINT
  }

  /** Freezes and retrains, judged by NDCG@100: long lists tell the two apart with fewer users. */
  public static GuidedTraining of(TwoTowerStrategy learner, WeightingOptions weighting) {
    return new GuidedTraining(Mode.FREEZE_AND_RETRAIN, learner, weighting, RankingMetric.ndcg(100));
  }

  /**
   * The two fits and which one is kept.
   *
   * @param plain with equal weights
   * @param weighted with the learned ones; the same as plain where none were learned
   * @param weights of the training interactions, mean 1, whether they are kept or not
   * @param report what the policy did
   * @param differences of weighted to plain on the guard set, by metric; empty where no weights
   *     were learned
   * @param pays whether the weights are kept
   */
  @SuppressWarnings("ArrayRecordComponent") // Results are handed over, not compared.
  public record Result(
      FittedStrategy plain,
      FittedStrategy weighted,
      float[] weights,
      WeightReport report,
      Map<String, Interval> differences,
      boolean pays)
      implements AutoCloseable {

    /** The fit that is kept. */
    public FittedStrategy kept() {
      return pays ? weighted : plain;
    }

    /** Closes the fit that is not kept and returns the other, which is the caller's to close. */
    public FittedStrategy take() {
      if (plain != weighted) {
        (pays ? plain : weighted).close();
      }
      return kept();
    }

    @Override
    public void close() {
      plain.close();
      if (plain != weighted) {
        weighted.close();
      }
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
    FittedStrategy plain = strategy.fit(context.withCheckpoints(plainCheckpoints));
    if (!learned.isLearned()) {
      return new Result(plain, plain, learned.weights(), learned.report(), Map.of(), false);
    }
    FittedStrategy weighted = null;
    try {
      Interactions reweighted = context.train().interactions().reweighted(learned.weights());
      weighted = strategy.fit(context.withInteractions(reweighted));
      return judged(plain, weighted, learned, known, guardSet);
    } catch (RuntimeException | Error e) {
      if (weighted != null) {
        weighted.close();
      }
      plain.close();
      throw e;
    }
  }

  private Result judged(
      FittedStrategy plain,
      FittedStrategy weighted,
      Learned learned,
      Interactions known,
      Interactions guardSet) {
    Map<String, Interval> differences = differences(weighted, plain, known, guardSet);
    boolean pays = differences.values().stream().allMatch(gain -> gain.isAbove(0));
    return new Result(plain, weighted, learned.weights(), learned.report(), differences, pays);
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
   *     and the strategy is no two-tower model
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
    if (!(strategy instanceof TwoTowerStrategy)) {
      throw new InvalidInputException(
          "strategy '%s' cannot learn together with weights of its examples: freeze the weights and retrain"
              .formatted(strategy.name()));
    }
    ExampleWeighting policy = new ExampleWeighting(weighting, features, metaSet, guardSet);
    FittedStrategy weighted = strategy.fit(context.withHooks(List.of(policy)));
    FittedStrategy plain = null;
    try {
      Learned learned = new Learned(policy.weights(), policy.report());
      plain = strategy.fit(context.withCheckpoints(null));
      if (!learned.isLearned()) {
        weighted.close();
        return new Result(plain, plain, learned.weights(), learned.report(), Map.of(), false);
      }
      return judged(plain, weighted, learned, known, guardSet);
    } catch (RuntimeException | Error e) {
      weighted.close();
      if (plain != null) {
        plain.close();
      }
      throw e;
    }
  }

  private Map<String, Interval> differences(
      FittedStrategy weighted, FittedStrategy plain, Interactions known, Interactions guardSet) {
    try (Ranker ranker = new Ranker()) {
      MetricTable better = ranker.evaluate(weighted, known, guardSet, List.of(metric));
      MetricTable than = ranker.evaluate(plain, known, guardSet, List.of(metric));
      return better.differenceTo(than, RESAMPLES, weighting.seed());
    }
  }
}
