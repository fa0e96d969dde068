package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.eval.MetricTable;
import io.sextant.eval.RankingMetric;
import io.sextant.models.Recipe;
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
import org.jspecify.annotations.Nullable;

/** The strategies of a recipe, fitted to one data set, by name in the recipe's order. */
final class Fitted implements AutoCloseable {

  private final Map<String, FittedStrategy> strategies = new LinkedHashMap<>();

  private Fitted() {}

  /** Where and how often training saves itself. */
  record Checkpoints(Path folder, Duration interval, boolean resume, String fingerprint) {}

  static Fitted fit(
      Recipe recipe,
      long seed,
      Device device,
      Dataset train,
      @Nullable Interactions validation,
      @Nullable Checkpoints checkpoints) {
    Fitted fitted = new Fitted();
    try (StopSignal signal = checkpoints == null ? null : StopSignal.heed()) {
      for (Strategy strategy : recipe.strategies(seed)) {
        try (ConsoleListener listener = new ConsoleListener(strategy.name())) {
          FitContext context =
              FitContext.of(device, train).withValidation(validation).withListener(listener);
          if (checkpoints != null) {
            context =
                context.withCheckpoints(
                    new CheckpointOptions(
                        checkpoints.folder().resolve(strategy.name() + ".safetensors"),
                        checkpoints.interval(),
                        checkpoints.resume(),
                        checkpoints.fingerprint()));
          }
          fitted.strategies.put(strategy.name(), strategy.fit(context));
        }
      }
      return fitted;
    } catch (RuntimeException | Error e) {
      fitted.close();
      throw e;
    }
  }

  Map<String, FittedStrategy> strategies() {
    return strategies;
  }

  Map<String, MetricTable> evaluate(
      Interactions history, Interactions truth, List<RankingMetric> metrics) {
    Map<String, MetricTable> tables = new LinkedHashMap<>();
    try (Ranker ranker = new Ranker()) {
      strategies.forEach(
          (name, strategy) -> tables.put(name, ranker.evaluate(strategy, history, truth, metrics)));
    }
    return tables;
  }

  @Override
  public void close() {
    strategies.values().forEach(FittedStrategy::close);
  }
}
