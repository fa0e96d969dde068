package io.sextant.meta;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.ParameterValues;
import io.sextant.strategy.UserState;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Weights of strategies that depend on the user at most: what the fused product is scaled with.
 *
 * <p>Thread safety: safe.
 *
 * @param baseline (M) global weights over standardised scores
 * @param gate the network that tilts them; null for none
 * @param standardiser of the gate's features
 * @param blind whether the gate sees zeros in place of features: the control
 */
record StageOne(
    float[] baseline, @Nullable MixModel gate, Standardiser standardiser, boolean blind) {

  /** The scale of {@link Normalisation#Z}, on which the weights were fitted. */
  static final float Z_SCALE = 0.1f;

  /** Weights (B * M) for the fused product. */
  float[] weights(Scope scope, List<UserState> users, float[] features, float halfTrust) {
    int size = users.size();
    int numStrategies = baseline.length;
    float[] weights = new float[size * numStrategies];
    if (gate == null) {
      for (int i = 0; i < weights.length; i++) {
        weights[i] = baseline[i % numStrategies] * Z_SCALE;
      }
      return weights;
    }
    try (Scope step = scope.child()) {
      float[] ones = new float[size];
      Arrays.fill(ones, 1);
      NDArray outputs =
          gate.outputs(
                  new ParameterValues(step.manager()),
                  HostArrays.floats(step.manager(), prepared(features), size, standardiser.width()),
                  HostArrays.floats(step.manager(), ones, size, 1),
                  HostArrays.floats(step.manager(), confidence(users, halfTrust), size, 1))
              .weights();
      float[] values = HostArrays.toFloats(outputs);
      for (int i = 0; i < weights.length; i++) {
        // Without a history exactly the baseline, not the floored one that a tilt starts from.
        boolean untilted = users.get(i / numStrategies).history().length == 0;
        weights[i] = (untilted ? baseline[i % numStrategies] : values[i]) * Z_SCALE;
      }
      return weights;
    }
  }

  /** What the gate sees of raw features, which are left alone. */
  float[] prepared(float[] features) {
    return blind ? new float[features.length] : standardiser.apply(features.clone());
  }

  /** n / (n + n0) for each user. */
  static float[] confidence(List<UserState> users, float halfTrust) {
    float[] confidence = new float[users.size()];
    for (int u = 0; u < confidence.length; u++) {
      float n = users.get(u).history().length;
      confidence[u] = n == 0 ? 0 : n / (n + halfTrust);
    }
    return confidence;
  }
}
