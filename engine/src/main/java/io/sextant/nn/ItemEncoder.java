package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code i = f_i(h_i)}: id embedding plus features, then a residual MLP: items (K) to vectors (K,
 * D) and biases (K, 1). An item whose id is dropped or unknown is represented by its features
 * alone.
 */
public final class ItemEncoder extends ReadyBlock {

  private final EntityEncoder entity;
  private final ResidualMlp mlp;
  private final int dimension;

  @SuppressWarnings("this-escape")
  ItemEncoder(
      NDManager manager,
      NDManager tables,
      EntityFeatures features,
      TwoTowerOptions options,
      long seed) {
    entity =
        new EntityEncoder(
            manager,
            tables,
            "item",
            NamedParameter.Group.ITEM,
            features,
            options,
            true,
            options.biases(),
            seed);
    mlp = new ResidualMlp(manager, options.dimension(), options.hidden(), seed, "item");
    dimension = options.dimension();
    entity.blocks().forEach(this::addChildBlock);
    mlp.blocks().forEach(this::addChildBlock);
  }

  /** Vectors (K, D). */
  public NDArray encode(ParameterStore values, EntityInput input) {
    return mlp.apply(values, entity.sum(values, input, null, dimension));
  }

  /** Biases (K, 1). */
  public NDArray bias(ParameterStore values, EntityInput input) {
    return entity.bias(values, input);
  }

  /** How many arrays the inputs are. */
  int numInputs() {
    return 3 + 2 * entity.numCodes();
  }

  @Nullable EmbeddingTable ids() {
    return entity.ids();
  }

  List<NamedParameter> namedParameters() {
    List<NamedParameter> named = new ArrayList<>(entity.parameters());
    named.addAll(mlp.parameters("item"));
    return named;
  }

  /** Inputs: id, keep, entity, codes, weights of codes. Outputs: vectors (K, D), biases (K, 1). */
  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    EntityInput input = entity.input(inputs);
    return new NDList(encode(values, input), bias(values, input));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0].add(dimension), inputs[0].add(1)};
  }
}
