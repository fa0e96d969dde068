package io.sextant.benchmarks;

import ai.djl.Device;

/**
 * The same training plain, and with a policy that weighs its examples by five features and learns
 * at every batch or at every fourth. Not thread-safe.
 */
final class Weighting implements AutoCloseable {

  static final int NEGATIVES = GuidedWorkload.NEGATIVES;

  private final SextantTraining plain;
  private final SextantTraining everyBatch;
  private final SextantTraining everyFourth;

  Weighting(Sizes sizes, int steps, Device device) {
    GuidedWorkload workload = new GuidedWorkload(sizes, steps);
    plain = workload.plain(device);
    everyBatch = workload.guided(device, 1);
    everyFourth = workload.guided(device, 4);
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
