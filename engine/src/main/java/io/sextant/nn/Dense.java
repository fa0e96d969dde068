package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import io.sextant.tensor.CounterRandom;
import io.sextant.tensor.HostArrays;
import java.util.ArrayList;
import java.util.List;

/**
 * DJL's {@link Linear} layer with a reproducible start: weights uniform within the bound of Glorot
 * and Bengio (AISTATS 2010), or zero.
 */
final class Dense {

  private final Linear linear;

  private Dense(Linear linear) {
    this.linear = linear;
  }

  /** (in) -> (out), started from the seed; the name keeps layers of one model apart. */
  static Dense random(NDManager manager, int in, int out, boolean bias, long seed, String name) {
    CounterRandom random = new CounterRandom(seed, "init." + name, 0);
    float bound = (float) Math.sqrt(6.0 / (in + out));
    float[] weight = new float[in * out];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (2 * random.nextFloat() - 1) * bound;
    }
    return of(manager, weight, in, out, bias);
  }

  /** (in) -> (out) that starts at zero. */
  static Dense zero(NDManager manager, int in, int out, boolean bias) {
    return of(manager, new float[in * out], in, out, bias);
  }

  private static Dense of(NDManager manager, float[] weight, int in, int out, boolean bias) {
    Linear linear = Linear.builder().setUnits(out).optBias(bias).build();
    for (var pair : linear.getDirectParameters()) {
      Parameter parameter = pair.getValue();
      parameter.setArray(
          parameter.getType() == Parameter.Type.BIAS
              ? manager.zeros(new Shape(out))
              : HostArrays.floats(manager, weight, out, in));
    }
    linear.initialize(manager, DataType.FLOAT32, new Shape(1, in));
    // Gradients go to leaves that are made for each step, never to the parameter itself.
    linear.getDirectParameters().values().forEach(p -> p.getArray().setRequiresGradient(false));
    return new Dense(linear);
  }

  /** The layer's parameters: the weight (out, in) and, if there is one, the bias (out). */
  List<NamedParameter> parameters(String name, NamedParameter.Group group) {
    List<NamedParameter> named = new ArrayList<>();
    for (Parameter parameter : linear.getDirectParameters().values()) {
      named.add(NamedParameter.dense(name + "." + parameter.getName(), parameter, group));
    }
    return named;
  }

  Block block() {
    return linear;
  }

  NDArray apply(ParameterStore values, NDArray input) {
    return linear.forward(values, new NDList(input), true).singletonOrThrow();
  }
}
