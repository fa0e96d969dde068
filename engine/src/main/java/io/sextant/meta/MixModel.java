package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A policy network that tilts the weights of strategies around a baseline that is known to be good:
 *
 * <pre>
 *   w_m = b_m exp(kappa c (2 y_m - 1)),   c = n / (n + n0)
 *   S   = sum_m w_m n_m + c beta (2 y_b - 1)
 * </pre>
 *
 * with y the network's outputs, n_m the normalised scores and n the length of the user's history.
 * The tilt is bounded, a user without history gets the baseline, and the network's last layer
 * starts at zero, so training starts at the baseline. The additive term is there only where the
 * outputs depend on the item.
 *
 * <p>Thread safety: forward passes on several threads as long as nobody trains.
 */
final class MixModel {

  private final PolicyNetwork network;
  private final NDArray logBase;
  private final MixShape shape;

  /**
   * A model in the memory of the scope.
   *
   * @param baseline (M) weights, floored at 1 % of the greatest so that a tilt can revive a
   *     strategy
   */
  MixModel(Scope scope, MixShape shape, float[] baseline, long seed) {
    this.shape = shape;
    int numStrategies = baseline.length;
    network =
        new PolicyNetwork(
            scope,
            shape.userWidth(),
            shape.secondInput(),
            shape.hidden(),
            numStrategies + (shape.itemAware() ? 1 : 0),
            true,
            seed);
    logBase = HostArrays.floats(scope.manager(), logFloored(baseline), 1, numStrategies);
  }

  MixShape shape() {
    return shape;
  }

  List<NamedParameter> parameters() {
    return network.namedParameters();
  }

  /**
   * The weights of the strategies: (B, M), or (B * N, M) if they depend on the item.
   *
   * @param confidence (B, 1), c above
   */
  Outputs outputs(ParameterStore values, NDArray users, NDArray items, NDArray confidence) {
    long size = users.getShape().get(0);
    long perUser = items.getShape().get(0) / Math.max(1, size);
    NDArray repeated =
        perUser == 1
            ? confidence
            : confidence
                .reshape(size, 1, 1)
                .broadcast(new Shape(size, perUser, 1))
                .reshape(size * perUser, 1);
    return outputs(tilts(values, users, items), repeated);
  }

  /** What the network says: 2 y - 1 for each strategy and, if there is one, the additive term. */
  NDArray tilts(ParameterStore values, NDArray users, NDArray items) {
    long perUser = items.getShape().get(0) / Math.max(1, users.getShape().get(0));
    NDArray logits = network.logitsOfMany(values, users, withUsers(users, items, perUser));
    // 2 sigmoid(x) - 1 = tanh(x / 2).
    return Activation.tanh(Grad.times(logits, 0.5f));
  }

  /**
   * What follows from that.
   *
   * @param tilts (R, M) or (R, M + 1)
   * @param confidence (R, 1)
   */
  Outputs outputs(NDArray tilts, NDArray confidence) {
    NDArray trusted = tilts.mul(confidence);
    long numStrategies = logBase.getShape().get(1);
    if (!shape.itemAware()) {
      return new Outputs(Grad.times(trusted, shape.kappa()).add(logBase).exp(), null);
    }
    NDArray gates = trusted.get(":, 0:" + numStrategies);
    NDArray bias = trusted.get(":, %d:%d".formatted(numStrategies, numStrategies + 1));
    return new Outputs(
        Grad.times(gates, shape.kappa()).add(logBase).exp(), Grad.times(bias, shape.beta()));
  }

  /** Appends the user's features to the item's: only within one layer can they interact. */
  private NDArray withUsers(NDArray users, NDArray items, long perUser) {
    if (!shape.itemAware()) {
      return items;
    }
    long size = users.getShape().get(0);
    long width = users.getShape().get(1);
    NDArray repeated =
        users
            .reshape(size, 1, width)
            .broadcast(new Shape(size, perUser, width))
            .reshape(size * perUser, width);
    return NDArrays.concat(new NDList(items, repeated), 1);
  }

  /**
   * The scores of the candidates (B, N).
   *
   * @param normalised (B, N, M)
   */
  NDArray scores(
      ParameterStore values, NDArray users, NDArray items, NDArray confidence, NDArray normalised) {
    long size = normalised.getShape().get(0);
    long n = normalised.getShape().get(1);
    long numStrategies = normalised.getShape().get(2);
    Outputs outputs = outputs(values, users, items, confidence);
    NDArray weights = outputs.weights().reshape(size, shape.itemAware() ? n : 1, numStrategies);
    NDArray scores = normalised.mul(weights).sum(new int[] {2});
    return outputs.bias() == null ? scores : scores.add(outputs.bias().reshape(size, n));
  }

  /** Baseline weights that a tilt can revive, in logarithms. */
  static float[] logFloored(float[] baseline) {
    float greatest = 0;
    for (float weight : baseline) {
      greatest = Math.max(greatest, weight);
    }
    float[] logs = new float[baseline.length];
    for (int m = 0; m < logs.length; m++) {
      logs[m] = (float) Math.log(Math.max(baseline[m], 0.01f * greatest));
    }
    return logs;
  }

  /**
   * What the network gives.
   *
   * @param weights (R, M)
   * @param bias (R, 1); null if the model does not depend on the item
   */
  record Outputs(NDArray weights, @Nullable NDArray bias) {}
}
