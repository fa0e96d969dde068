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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The network behind a {@link StepPolicy}: one row for each output, with the training's age as what
 * is known of the state and the output's number, one-hot, as what is asked for. Each output starts
 * where it is told to, whatever the age.
 *
 * <p>Thread safety: belongs to the training thread; its memory is the session's.
 */
final class StepPolicyNetwork {

  /** Beside a {@link WeightPolicy} in one checkpoint it needs names of its own. */
  private static final String PREFIX = "step.";

  private final Scope session;
  private final double[] startLogits;
  private final PolicyNetwork network;
  private final List<NamedParameter> named = new ArrayList<>();
  private final ModelParameters parameters;

  /**
   * @param starts (S) in (0, 1)
   */
  StepPolicyNetwork(Scope session, StepPolicyOptions options, double[] starts) {
    this.session = session;
    startLogits = Arrays.stream(starts).map(y -> Math.log(y / (1 - y))).toArray();
    network =
        new PolicyNetwork(session, 1, starts.length, options.hidden(), 1, true, options.seed());
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

  /** The outputs (S) in (0, 1). */
  double[] outputs(double age) {
    try (Scope scope = session.child();
        Grad off = Grad.pause()) {
      PolicyBatch batch = batch(scope, age);
      float[] logits =
          HostArrays.toFloats(
              network.logits(new ParameterValues(scope.manager()), batch.users(), batch.items()));
      double[] outputs = new double[logits.length];
      Arrays.setAll(outputs, s -> 1 / (1 + Math.exp(-(logits[s] + startLogits[s]))));
      return outputs;
    }
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
      NDArray factors = HostArrays.floats(scope.manager(), slopes, slopes.length, 1);
      try (Grad grad = Grad.record()) {
        NDArray logits = network.logits(leaves.values(), batch.users(), batch.items());
        grad.backward(logits.mul(factors).sum());
      }
      parameters.update(scope, batch, leaves, 1);
    }
  }

  private PolicyBatch batch(Scope scope, double age) {
    int outputs = startLogits.length;
    float[] ages = new float[outputs];
    Arrays.fill(ages, (float) Math.log1p(age));
    float[] which = new float[outputs * outputs];
    for (int s = 0; s < outputs; s++) {
      which[s * outputs + s] = 1;
    }
    return new PolicyBatch(
        outputs,
        new float[0],
        HostArrays.floats(scope.manager(), ages, outputs, 1),
        HostArrays.floats(scope.manager(), which, outputs, outputs),
        scope.manager().zeros(new Shape(outputs, 1)));
  }

  /** A copy of the parameters, to begin another run with. */
  Map<String, float[]> copy() {
    Map<String, float[]> copy = new LinkedHashMap<>();
    for (NamedParameter parameter : named) {
      copy.put(parameter.name(), HostArrays.toFloats(parameter.parameter().getArray()));
    }
    return copy;
  }

  /** Puts a copy in the place of the parameters. */
  void begin(Map<String, float[]> copy) {
    for (NamedParameter parameter : named) {
      float[] values = copy.get(parameter.name());
      NDArray array = parameter.parameter().getArray();
      if (values == null || values.length != array.size()) {
        throw new IllegalStateException("the policy is of another shape: " + parameter.name());
      }
      array.set(values);
    }
  }
}
