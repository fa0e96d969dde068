package io.sextant.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;

/**
 * Adam with decoupled weight decay for one dense weight. Sources: Kingma and Ba, arXiv:1412.6980;
 * Loshchilov and Hutter, arXiv:1711.05101.
 *
 * <p>Thread safety: a weight and its optimizer belong to one thread at a time.
 */
public final class DenseAdam {

  private static final float BETA1 = 0.9f;
  private static final float BETA2 = 0.999f;
  private static final float EPSILON = 1e-8f;

  private final NDArray first;
  private final NDArray second;
  private long steps;

  /** Makes the moments of a weight in the scope, all zero. */
  public DenseAdam(Scope scope, NDArray weight) {
    first = scope.manager().zeros(weight.getShape(), weight.getDataType());
    second = scope.manager().zeros(weight.getShape(), weight.getDataType());
  }

  /**
   * One update of the weight, in place; temporaries go to the gradient's manager.
   *
   * @param weightDecay decoupled: {@code weight -= learningRate * weightDecay * weight}
   */
  public void step(NDArray weight, NDArray gradient, float learningRate, float weightDecay) {
    steps++;
    NDManager manager = gradient.getManager();
    try (NDArray beta1 = Numbers.of(manager, BETA1);
        NDArray beta2 = Numbers.of(manager, BETA2);
        NDArray rest1 = Numbers.of(manager, 1 - BETA1);
        NDArray rest2 = Numbers.of(manager, 1 - BETA2);
        NDArray g1 = gradient.mul(rest1);
        NDArray g2 = gradient.square()) {
      first.muli(beta1).addi(g1);
      g2.muli(rest2);
      second.muli(beta2).addi(g2);
    }
    if (weightDecay != 0) {
      try (NDArray kept = Numbers.of(manager, 1 - learningRate * weightDecay)) {
        weight.muli(kept);
      }
    }
    double rate = learningRate / (1 - Math.pow(BETA1, (double) steps));
    double correction = 1 / (1 - Math.pow(BETA2, (double) steps));
    try (NDArray byRate = Numbers.of(manager, (float) rate);
        NDArray byCorrection = Numbers.of(manager, (float) correction);
        NDArray epsilon = Numbers.of(manager, EPSILON);
        NDArray scaled = second.mul(byCorrection);
        NDArray root = scaled.sqrt();
        NDArray change = first.mul(byRate)) {
      root.addi(epsilon);
      change.divi(root);
      weight.subi(change);
    }
  }

  /**
   * What the next step would multiply a gradient with beside the step size, from the second moment
   * alone; 0 where nothing was ever to be moved. In the memory of the gradient's manager.
   */
  public NDArray diagonal(NDArray gradient) {
    double correction = 1 / (1 - Math.pow(BETA2, (double) steps + 1));
    NDArray v = gradient.square().muli(1 - BETA2);
    try (NDArray before = second.mul(BETA2)) {
      v.addi(before);
    }
    NDArray moved = v.gt(0).toType(v.getDataType(), false);
    return moved.divi(v.muli((float) correction).sqrt().addi(EPSILON));
  }

  /** The moments by name, to be saved and restored with the weight; they are the live arrays. */
  public Map<String, NDArray> state() {
    return Map.of("adam.m", first, "adam.v", second);
  }

  /** How many updates were made; part of the state. */
  public long steps() {
    return steps;
  }

  /** Restores what {@link #steps} returned. */
  public void restoreSteps(long steps) {
    this.steps = steps;
  }
}
