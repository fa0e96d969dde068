package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import io.sextant.tensor.Scope;

/**
 * Draws negatives that all examples of a step share on the device: a function of seed and step, the
 * same on every device.
 *
 * <p>Thread safety: immutable.
 */
final class ResidentSharedDraws implements SharedNegatives {

  private final ResidentSampler items;
  private final int perStep;

  /** What it knows of the distribution goes to the session's device. */
  ResidentSharedDraws(Scope session, ItemSampler sampler, int numItems, int perStep, long seed) {
    items = new ResidentSampler(session, sampler, numItems, seed, "resident-shared-negatives");
    this.perStep = perStep;
  }

  @Override
  public NDArray draw(Scope scope, long firstStep, int steps) {
    int count = Math.multiplyExact(steps, perStep);
    try (Scope own = scope.child()) {
      NDArray numbers = own.manager().arange(0, count, 1, DataType.INT64);
      NDArray counters = numbers.addi(firstStep * perStep).muli(ResidentSampler.PER_DRAW);
      return scope.adopt(items.items(own, counters)).reshape(steps, perStep);
    }
  }
}
