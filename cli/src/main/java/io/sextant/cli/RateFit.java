package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.meta.GuidedRates;
import io.sextant.models.RatesSection;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.GradientTrained;
import io.sextant.strategy.Strategy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Strategies with the step sizes that a policy has learned for them, where these pay.
 *
 * @param strategies all of the recipe, some with other rates
 * @param record what happened, for the training record; null if no rates were to be learned
 */
record RateFit(List<Strategy> strategies, @Nullable Map<String, Object> record) {

  /** The rates of the recipe. */
  static RateFit none(List<Strategy> strategies) {
    return new RateFit(strategies, null);
  }

  /**
   * Learns the rates of each strategy that is trained by gradients, on what may be learned from
   * before all else is fitted.
   *
   * @param policy whether a policy will be fitted to the slice, of which then nothing may know
   */
  static RateFit of(
      RatesSection section,
      List<Strategy> strategies,
      Device device,
      Dataset data,
      EventParts parts,
      boolean ordered,
      boolean policy,
      long seed,
      Fitted.Checkpoints checkpoints) {
    Interactions all = data.interactions();
    byte[] partOfRow = EventParts.partOfRow(all, ordered, seed);
    IntPredicate among = row -> partOfRow[row] == 0 || !policy && partOfRow[row] == 1;
    TrustedSlices slices =
        TrustedSlices.of(
            all, among, section.trusted(all), section.metaShare(), section.guardShare(), seed);
    if (slices.metaSet().size() == 0 || slices.guardSet().size() == 0) {
      throw new InvalidInputException(
          "rates cannot be learned: of the events that may judge %d are in the meta set and %d in the guard; let more of them judge (rates.metaTypes, rates.minValue), take larger rates.metaShare and rates.guardShare, or leave [rates] out"
              .formatted(slices.metaSet().size(), slices.guardSet().size()));
    }
    Dataset train = data.withInteractions(all.filter(row -> slices.learnable()[row]));
    List<Strategy> rated = new ArrayList<>();
    Map<String, Object> tried = new LinkedHashMap<>();
    try (StopSignal signal = StopSignal.heed()) {
      for (Strategy strategy : strategies) {
        if (strategy instanceof GradientTrained trained) {
          try (ConsoleListener listener = new ConsoleListener("rates of " + strategy.name())) {
            FitContext context =
                FitContext.of(device, train)
                    .withValidation(parts.late())
                    .withListener(listener)
                    .withCheckpoints(checkpoints.of(strategy.name()));
            try (GuidedRates.Result result =
                section
                    .training(trained, seed)
                    .fit(trained, context, slices.metaSet(), slices.guardSet())) {
              System.err.printf(
                  "rates of %s: %s, now %s%n", strategy.name(), result.outcome(), result.rates());
              tried.put(strategy.name(), RateRecord.of(result));
              rated.add(trained.withTraining(GuidedRates.with(trained.training(), result.rates())));
            }
          }
        } else {
          rated.add(strategy);
        }
      }
    }
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("metaSet", slices.metaSet().size());
    record.put("guardSet", slices.guardSet().size());
    record.put("strategies", tried);
    return new RateFit(rated, record);
  }
}
