package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;

/** Layer normalisation over the last axis, of width D. Source: Ba et al., arXiv:1607.06450. */
final class Norm extends ReadyBlock {

  private static final float EPSILON = 1e-5f;

  private final Parameter gamma;
  private final Parameter beta;
  private final Shape width;

  @SuppressWarnings("this-escape")
  Norm(NDManager manager, int dimension) {
    width = new Shape(dimension);
    gamma =
        addParameter(Parameter.builder().setName("gamma").setType(Parameter.Type.GAMMA).build());
    beta = addParameter(Parameter.builder().setName("beta").setType(Parameter.Type.BETA).build());
    gamma.setArray(manager.ones(width));
    beta.setArray(manager.zeros(width));
  }

  NDArray apply(ParameterStore values, NDArray input) {
    return LayerNorm.layerNorm(
            input,
            width,
            values.getValue(gamma, input.getDevice(), true),
            values.getValue(beta, input.getDevice(), true),
            EPSILON)
        .singletonOrThrow();
  }

  List<NamedParameter> parameters(String name) {
    return List.of(
        NamedParameter.dense(name + ".gamma", gamma, NamedParameter.Group.DENSE),
        NamedParameter.dense(name + ".beta", beta, NamedParameter.Group.DENSE));
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    return new NDList(apply(values, inputs.singletonOrThrow()));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return inputs.clone();
  }
}
