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
 * The same training plain, and with a policy that weighs its examples by five features and learns
 * at every batch or at every fourth. Not thread-safe.
 */
final class Weighting implements AutoCloseable {

  static final int NEGATIVES = 4;
  private static final int FEATURES = 5;

  private final Interactions metaSet;
  private final Interactions guardSet;
  private final ExampleFeatures features;
  private final SextantTraining plain;
  private final SextantTraining everyBatch;
  private final SextantTraining everyFourth;

  Weighting(Sizes sizes, int steps, Device device) {
    Workload workload = Workload.random(sizes, steps);
    Interactions rows = SextantTraining.interactions(workload);
    metaSet = rows.filter(row -> row % 10 == 0);
    guardSet = rows.filter(row -> row % 10 == 1);
    float[] values = new float[rows.size() * FEATURES];
    CounterRandom random = new CounterRandom(1, "weighting-features", 0);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    features =
        ExampleFeatures.of(new ExampleFeatures.Columns(List.of("a", "b", "c", "d", "e"), values));
    plain = new SextantTraining(workload, rows, NEGATIVES, device, List::of);
    everyBatch = new SextantTraining(workload, rows, NEGATIVES, device, () -> policy(1));
    everyFourth = new SextantTraining(workload, rows, NEGATIVES, device, () -> policy(4));
  }

  private List<StepHook> policy(int every) {
    WeightingOptions options = WeightingOptions.builder().every(every).warmUpEpochs(0).build();
    return List.of(new ExampleWeighting(options, features, metaSet, guardSet));
  }

  Training.Outcome plain() {
    return plain.train();
  }

  Training.Outcome everyBatch() {
    return everyBatch.train();
  }

  Training.Outcome everyFourth() {
    return everyFourth.train();
  }

  @Override
  public void close() {
    plain.close();
    everyBatch.close();
    everyFourth.close();
  }
}
