package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The network behind a {@link StepPolicy}: from the training's age, the logarithm of 1 + the epochs
 * made, and from nothing else yet as its second input, to S outputs. Each output starts where it is
 * told to, whatever the age.
 *
 * <p>Thread safety: belongs to the training thread; its memory is the session's.
 */
final class StepPolicyNetwork {

  /** Beside a {@link WeightPolicy} in one checkpoint it needs names of its own. */
  private static final String PREFIX = "step.";

  private final Scope session;
  private final double[] startLogits;
  private final PolicyNetwork network;
  private final ModelParameters parameters;

  /**
   * @param starts (S) in (0, 1)
   */
  StepPolicyNetwork(Scope session, StepPolicyOptions options, double[] starts) {
    this.session = session;
    startLogits = Arrays.stream(starts).map(y -> Math.log(y / (1 - y))).toArray();
    network =
        new PolicyNetwork(session, 1, 1, options.hidden(), starts.length, true, options.seed());
    List<NamedParameter> named = new ArrayList<>();
    for (NamedParameter own : network.namedParameters()) {
      named.add(new NamedParameter(PREFIX + own.name(), own.parameter(), own.table(), own.group()));
    }
    parameters =
        new ModelParameters(
            session, named, TrainingOptions.builder().learningRate(options.policyRate()).build());
  }

  /** What a checkpoint holds of the policy. */
  ModelParameters parameters() {
    return parameters;
  }

  /** The outputs (S) before anything is learned. */
  double[] outputsAtStart() {
    return Arrays.stream(startLogits).map(StepPolicyNetwork::sigmoid).toArray();
  }

  /** The outputs (S) in (0, 1). */
  double[] outputs(double age) {
    try (Scope scope = session.child();
        Grad off = Grad.pause()) {
      PolicyBatch batch = batch(scope, age);
      float[] logits =
          HostArrays.toFloats(
              network.logits(new ParameterValues(scope.manager()), batch.users(), batch.items()));
      double[] outputs = new double[logits.length];
      Arrays.setAll(outputs, s -> sigmoid(logits[s] + startLogits[s]));
      return outputs;
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /**
   * One step of the policy.
   *
   * @param slopes (S) derivative of the loss by each output's logit
   */
  void update(double age, float[] slopes) {
    try (Scope scope = session.child()) {
      PolicyBatch batch = batch(scope, age);
      ModelParameters.Leaves leaves = parameters.leaves(scope, batch);
      NDArray factors = HostArrays.floats(scope.manager(), slopes, 1, slopes.length);
      try (Grad grad = Grad.record()) {
        NDArray logits = network.logits(leaves.values(), batch.users(), batch.items());
        grad.backward(logits.mul(factors).sum());
      }
      parameters.update(scope, batch, leaves, 1);
    }
  }

  private PolicyBatch batch(Scope scope, double age) {
    NDArray known = scope.manager().full(new Shape(1, 1), (float) Math.log1p(age));
    NDArray none = scope.manager().zeros(new Shape(1, 1));
    return new PolicyBatch(1, new float[0], known, none, none);
  }
}
