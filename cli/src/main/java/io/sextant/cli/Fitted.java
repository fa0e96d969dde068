package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.StrategyPool;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.FittedStrategy;
import io.sextant.strategy.Ranker;
import io.sextant.strategy.Strategy;
import io.sextant.train.CheckpointOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The strategies of a recipe, fitted to one data set, by name in the recipe's order. One that
 * cannot be fitted is left out with a warning.
 */
final class Fitted implements AutoCloseable {

  private final StrategyPool pool;

  private Fitted(StrategyPool pool) {
    this.pool = pool;
  }

  /** Where and how often training saves itself. */
  record Checkpoints(Path folder, Duration interval, boolean resume, String fingerprint) {

    /** The same in a folder inside. */
    Checkpoints in(String inner) {
      return new Checkpoints(folder.resolve(inner), interval, resume, fingerprint);
    }

    /** Those of one training. */
    CheckpointOptions of(String name) {
      return new CheckpointOptions(
          folder.resolve(name + ".safetensors"), interval, resume, fingerprint);
    }
  }

  /**
   * What strategies learn from.
   *
   * @param all for those that do not look at validation data
   * @param train for those that do
   * @param validation what stops these; null for nothing
   */
  record Lessons(Dataset all, Dataset train, @Nullable Interactions validation) {

    /** All learn from the same, and nothing stops them. */
    static Lessons of(Dataset train) {
      return new Lessons(train, train, null);
    }
  }

  static Fitted fit(
      List<Strategy> strategies,
      Device device,
      Lessons lessons,
      @Nullable Checkpoints checkpoints) {
    return fit(strategies, device, strategy -> lessons, checkpoints);
  }

  /**
   * Fits strategies that do not all learn from the same.
   *
   * @param lessonsOf what each learns from
   */
  static Fitted fit(
      List<Strategy> strategies,
      Device device,
      Function<Strategy, Lessons> lessonsOf,
      @Nullable Checkpoints checkpoints) {
    try (StopSignal signal = checkpoints == null ? null : StopSignal.heed();
        Listeners listeners = new Listeners()) {
      return new Fitted(
          StrategyPool.fit(
              strategies,
              strategy -> {
                Lessons lessons = lessonsOf.apply(strategy);
                boolean validates = strategy.usesValidation();
                return FitContext.of(device, validates ? lessons.train() : lessons.all())
                    .withValidation(validates ? lessons.validation() : null)
                    .withListener(listeners.next(strategy.name()))
                    .withCheckpoints(checkpoints == null ? null : checkpoints.of(strategy.name()));
              }));
    }
  }

  /** The strategies that could be fitted, owned by this, with a warning for each of the others. */
  StrategyPool pool() {
    return pool;
  }

  Map<String, FittedStrategy> strategies() {
    Map<String, FittedStrategy> strategies = new LinkedHashMap<>();
    pool.members().forEach(member -> strategies.put(member.name(), member.fitted()));
    return strategies;
  }

  Map<String, MetricTable> evaluate(
      Interactions history, Interactions truth, List<RankingMetric> metrics) {
    Map<String, MetricTable> tables = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker()) {
      strategies()
          .forEach(
              (name, strategy) ->
                  tables.put(name, ranker.evaluate(strategy, history, truth, metrics)));
    }
    return tables;
  }

  @Override
  public void close() {
    pool.close();
  }

  /** One listener after the other; each ends when the next begins. */
  private static final class Listeners implements AutoCloseable {
    private @Nullable ConsoleListener last;

    ConsoleListener next(String name) {
      close();
      ConsoleListener next = new ConsoleListener(name);
      last = next;
      return next;
    }

    @Override
    public void close() {
      ConsoleListener open = last;
      if (open != null) {
        open.close();
      }
    }
  }
}
