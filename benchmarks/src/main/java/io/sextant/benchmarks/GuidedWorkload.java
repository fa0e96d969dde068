package io.sextant.benchmarks;

import ai.djl.Device;
import io.sextant.data.Interactions;
import io.sextant.tensor.CounterRandom;
import io.sextant.train.ExampleFeatures;
import io.sextant.train.ExampleWeighting;
import io.sextant.train.StepHook;
import io.sextant.train.WeightingOptions;
import java.util.List;

/**
 * A workload with what a policy needs that weighs its examples: five features of each, and the sets
 * that judge it.
 */
final class GuidedWorkload {

  static final int NEGATIVES = 4;
  private static final int FEATURES = 5;

  private final Workload workload;
  private final Interactions rows;
  private final Interactions metaSet;
  private final Interactions guardSet;
  private final ExampleFeatures features;

  GuidedWorkload(Sizes sizes, int steps) {
    workload = Workload.random(sizes, steps);
    rows = SextantTraining.interactions(workload);
    metaSet = rows.filter(row -> row % 10 == 0);
    guardSet = rows.filter(row -> row % 10 == 1);
    float[] values = new float[rows.size() * FEATURES];
    CounterRandom random = new CounterRandom(1, "weighting-features", 0);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    features =
        ExampleFeatures.of(new ExampleFeatures.Columns(List.of("a", "b", "c", "d", "e"), values));
  }

  /** The training without a policy. */
  SextantTraining plain(Device device) {
    return new SextantTraining(workload, rows, NEGATIVES, device, List::of);
  }

  /** The training with a policy that learns at every so many batches. */
  SextantTraining guided(Device device, int every) {
    return new SextantTraining(
        workload, rows, NEGATIVES, device, () -> List.<StepHook>of(policy(every)));
  }

  private ExampleWeighting policy(int every) {
    WeightingOptions options = WeightingOptions.builder().every(every).warmUpEpochs(0).build();
    return new ExampleWeighting(options, features, metaSet, guardSet);
  }
}
