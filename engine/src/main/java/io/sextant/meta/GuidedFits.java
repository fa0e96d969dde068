package io.sextant.meta;

import io.sextant.data.Interactions;
import io.sextant.eval.Interval;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A strategy fitted as it is and fitted as a policy has learned to, with which of the two is kept.
 *
 * <p>The guard: both are judged on interactions that nothing has learned from, and the plain one is
 * kept unless the difference is good enough. So guidance can cost time, a second fit, but hardly
 * ever quality.
 *
 * <p>Thread safety: as {@link FittedStrategy}.
 *
 * @param plain as it is
 * @param guided as was learned; the same as plain where nothing was
 * @param differences of guided to plain on the guard set, by metric; empty where nothing was
 *     learned
 * @param pays whether the guided fit is kept
 */
public record GuidedFits(
    FittedStrategy plain, FittedStrategy guided, Map<String, Interval> differences, boolean pays)
    implements AutoCloseable {

  private static final int RESAMPLES = 1000;

  public GuidedFits {
    differences = Map.copyOf(differences);
  }

  /** Where nothing was learned. */
  static GuidedFits unguided(FittedStrategy plain) {
    return new GuidedFits(plain, plain, Map.of(), false);
  }

  /**
   * Fits one after the other and judges; what was fitted is closed if anything fails.
   *
   * @param known what users are known by when they are judged
   * @param enough which 95 % interval of the paired difference over users lets the guided one pass
   * @param seed of the interval's resampling
   */
  static GuidedFits judged(
      Supplier<FittedStrategy> plain,
      Supplier<FittedStrategy> guided,
      Interactions known,
      Interactions guardSet,
      RankingMetric metric,
      Predicate<Interval> enough,
      long seed) {
    FittedStrategy second = guided.get();
    FittedStrategy first = null;
    try (Ranker ranker = new Ranker()) {
      first = plain.get();
      MetricTable of = ranker.evaluate(second, known, guardSet, List.of(metric));
      MetricTable than = ranker.evaluate(first, known, guardSet, List.of(metric));
      Map<String, Interval> differences = of.differenceTo(than, RESAMPLES, seed);
      boolean pays = differences.values().stream().allMatch(enough);
      return new GuidedFits(first, second, differences, pays);
    } catch (RuntimeException | Error e) {
      if (first != null) {
        first.close();
      }
      second.close();
      throw e;
    }
  }

  /** The fit that is kept. */
  public FittedStrategy kept() {
    return pays ? guided : plain;
  }

  /** Closes the fit that is not kept and returns the other, which is the caller's to close. */
  public FittedStrategy take() {
    if (plain != guided) {
      (pays ? plain : guided).close();
    }
    return kept();
  }

  @Override
  public void close() {
    plain.close();
    if (plain != guided) {
      guided.close();
    }
  }
}
