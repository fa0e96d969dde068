package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.data.Dataset;
import io.sextant.data.Interactions;
import io.sextant.meta.GuidedTraining;
import io.sextant.models.WeightSignal;
import io.sextant.models.WeightsSection;
import io.sextant.strategy.FitContext;
import io.sextant.strategy.Strategy;
import io.sextant.train.ExampleFeatures;
import io.sextant.train.WeightReport;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What strategies learn from: the events as they are, or with learned weights where these pay.
 *
 * @param plain the events as they are
 * @param weighted the same with learned weights
 * @param kept names of the strategies that learn from weighted events
 * @param record what happened, for the training record; null if no weights were asked for
 */
record WeightFit(
    Events plain, Events weighted, Set<String> kept, @Nullable Map<String, Object> record) {

  /** Where the learner saves itself. */
  private static final String LEARNER = "learner";

  /** All events and their parts. */
  record Events(Dataset data, EventParts parts) {}

  /** No weights: every strategy learns from the events as they are. */
  static WeightFit none(Dataset data, EventParts parts) {
    Events events = new Events(data, parts);
    return new WeightFit(events, events, Set.of(), null);
  }

  /** What a strategy learns from before a policy is fitted. */
  Fitted.Lessons beforeSlice(Strategy strategy) {
    Events events = of(strategy);
    Dataset early = events.data().withInteractions(events.parts().early());
    return new Fitted.Lessons(early, early, plain.parts().late());
  }

  /** What it learns from in the end. */
  Fitted.Lessons inTheEnd(Strategy strategy) {
    Events events = of(strategy);
    return new Fitted.Lessons(
        events.data(),
        events.data().withInteractions(events.parts().learned()),
        plain.parts().late());
  }

  private Events of(Strategy strategy) {
    return kept.contains(strategy.name()) ? weighted : plain;
  }

  /**
   * Learns weights and tries them with each strategy that heeds them.
   *
   * @param partOfRow of the data's rows, see {@link EventParts#partOfRow}
   * @param policy whether a policy will be fitted to the slice, of which then nothing may know
   */
  static WeightFit of(
      WeightsSection section,
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
    IntPredicate trusted = section.trusted(all);
    TrustedSlices slices =
        TrustedSlices.of(all, among, trusted, section.metaShare(), section.guardShare(), seed);
    requireSlices(slices);
    boolean[] learnable = slices.learnable();
    ExampleFeatures features =
        WeightSignal.features(all, row -> learnable[row], section.features());
    GuidedTraining training = section.training(strategies, seed);
    GuidedTraining.Learned learned;
    Map<String, Object> tried = new LinkedHashMap<>();
    Set<String> kept = new LinkedHashSet<>();
    try (StopSignal signal = StopSignal.heed();
        ConsoleListener listener = new ConsoleListener("weights")) {
      // Rows that are not learned from are weighed all the same: strategies will learn from them.
      learned =
          training.learn(
              FitContext.of(device, data.withInteractions(all.reweighted(mask(learnable))))
                  .withListener(listener)
                  .withCheckpoints(checkpoints.of(LEARNER)),
              features,
              slices.metaSet(),
              slices.guardSet());
      Interactions train = all.filter(row -> learnable[row]);
      GuidedTraining.Learned some =
          new GuidedTraining.Learned(select(learned.weights(), learnable), learned.report());
      for (Strategy strategy : strategies) {
        if (WeightsSection.heeds(strategy)) {
          FitContext context =
              FitContext.of(device, data.withInteractions(train))
                  .withValidation(strategy.usesValidation() ? parts.late() : null)
                  .withCheckpoints(checkpoints.of(strategy.name() + "-weighted"));
          try (GuidedTraining.Result result =
              training.retrain(
                  strategy,
                  context,
                  checkpoints.of(strategy.name() + "-plain"),
                  some,
                  train.concat(slices.metaSet()),
                  slices.guardSet())) {
            boolean keeps =
                learned.isLearned()
                    && switch (section.mode()) {
                      case WHERE_THEY_PAY -> result.fits().pays();
                      case ALWAYS -> true;
                      case NEVER -> false;
                    };
            if (keeps) {
              kept.add(strategy.name());
            }
            tried.put(
                strategy.name(),
                Map.of(
                    "differences", Intervals.json(result.fits().differences()),
                    "pays", result.fits().pays(),
                    "kept", keeps));
          }
        }
      }
    }
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("mode", section.mode().name());
    record.put("learner", training.learner().name());
    record.put("metaSet", slices.metaSet().size());
    record.put("guardSet", slices.guardSet().size());
    record.putAll(WeightRecord.of(learned.report()));
    record.put("strategies", tried);
    trust(all, learned, trusted).ifPresent(separation -> record.put("trusted", separation));
    Interactions reweighted = all.reweighted(learned.weights());
    System.err.printf(
        "weights: %s, kept for %s%n",
        learned.report().outcome(), kept.isEmpty() ? "no strategy" : kept);
    Events plain = new Events(data, parts);
    Events weighted =
        kept.isEmpty()
            ? plain
            : new Events(
                data.withInteractions(reweighted), EventParts.of(reweighted, ordered, seed));
    return new WeightFit(plain, weighted, kept, record);
  }

  private static void requireSlices(TrustedSlices slices) {
    if (slices.metaSet().size() == 0 || slices.guardSet().size() == 0) {
      throw new InvalidInputException(
          "weights cannot be learned: of the trusted events %d are in the meta set and %d in the guard; trust more of them (weights.metaTypes, weights.minValue), take larger weights.metaShare and weights.guardShare, or leave [weights] out"
              .formatted(slices.metaSet().size(), slices.guardSet().size()));
    }
  }

  /** How the weights of trusted events compare with those of others, where there are both. */
  private static Optional<Map<String, Object>> trust(
      Interactions all, GuidedTraining.Learned learned, IntPredicate trusted) {
    boolean[] others = new boolean[all.size()];
    int count = 0;
    for (int row = 0; row < others.length; row++) {
      others[row] = !trusted.test(row);
      count += others[row] ? 1 : 0;
    }
    return learned.isLearned() && count > 0 && count < others.length
        ? Optional.of(WeightRecord.of(WeightReport.separation(all, learned.weights(), others)))
        : Optional.empty();
  }

  private static float[] mask(boolean[] learnable) {
    float[] mask = new float[learnable.length];
    for (int row = 0; row < mask.length; row++) {
      mask[row] = learnable[row] ? 1 : 0;
    }
    return mask;
  }

  private static float[] select(float[] weights, boolean[] chosen) {
    float[] some = new float[weights.length];
    int n = 0;
    for (int row = 0; row < weights.length; row++) {
      if (chosen[row]) {
        some[n++] = weights[row];
      }
    }
    return Arrays.copyOf(some, n);
  }
}
