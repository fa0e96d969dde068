package io.sextant.cli;

import ai.djl.Device;
import io.sextant.data.Dataset;
import io.sextant.eval.RankingMetric;
import io.sextant.meta.MetaOptions;
import io.sextant.models.ModelZoo;
import io.sextant.models.Recipe;
import io.sextant.models.RecipeTuner;
import io.sextant.models.StrategyTuning;
import io.sextant.models.TuningJournal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Looks for better settings before {@code train} fits. Strategies learn from all but the late
 * events and are judged by these: the slice that a policy is fitted to says nothing of the
 * settings, so that the policy sees each strategy on events that are new to it.
 */
final class Tuning {

  private static final String JOURNAL = "tuning.jsonl";

  private Tuning() {}

  /** The overrides with the settings that were found; what was tried goes into the result. */
  static Map<String, String> of(
      String text,
      String where,
      Map<String, String> overrides,
      int trials,
      long seed,
      Device device,
      Dataset data,
      EventParts parts,
      Fitted.Checkpoints checkpoints,
      Map<String, Object> result) {
    Recipe recipe = ModelZoo.parse(text, where, overrides);
    int k = recipe.meta(seed).map(MetaOptions::k).orElse(10);
    List<StrategyTuning> tunings;
    try (TuningJournal journal =
        TuningJournal.open(
            checkpoints.folder().resolve(JOURNAL),
            checkpoints.resume(),
            checkpoints.fingerprint())) {
      RecipeTuner.Options options = new RecipeTuner.Options(trials, RankingMetric.ndcg(k), seed);
      tunings =
          new RecipeTuner(options, device, journal, line -> System.err.println("tune: " + line))
              .tune(
                  text,
                  where,
                  overrides,
                  new RecipeTuner.Data(data.withInteractions(parts.learned()), parts.late()));
    }
    Map<String, String> found = RecipeTuner.overrides(recipe, overrides, tunings);
    double seconds = tunings.stream().mapToDouble(StrategyTuning::seconds).sum();
    System.out.printf(
        Locale.ROOT,
        "tuned %d strategies in %d trials, %.1f s%n",
        tunings.size(),
        tunings.stream().mapToInt(tuning -> tuning.trials().size()).sum(),
        seconds);
    found.forEach(
        (key, value) -> {
          if (!value.equals(overrides.get(key))) {
            System.out.println("  --set " + key + "=" + value);
          }
        });
    Map<String, Object> byStrategy = new LinkedHashMap<>();
    tunings.forEach(tuning -> byStrategy.put(tuning.strategy(), tuning));
    result.put("tuning", byStrategy);
    result.put("tuningSeconds", seconds);
    return found;
  }
}
