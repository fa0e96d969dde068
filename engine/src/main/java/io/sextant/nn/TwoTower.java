package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.sextant.tensor.Grad;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A user tower and an item tower whose vectors are compared by an inner product. Source: Covington,
 * Adams and Sargin, RecSys 2016; Yi et al., RecSys 2019. Without histories, features and hidden
 * layers it is matrix factorisation (Koren, Bell and Volinsky, Computer 2009).
 *
 * <p>Biases are two extra dimensions, so that a score is always one inner product:
 *
 * <pre>
 *   user row:  [ u / temperature , 1        , b_u ]
 *   item row:  [ v               , b_i      , 1   ]      (cosine: u and v have length 1)
 * </pre>
 *
 * <p>Thread safety: forward passes may run on several threads at the same time as long as nobody
 * changes the parameters.
 */
public final class TwoTower extends ReadyBlock {

  private static final float NORM_EPSILON = 1e-12f;

  private final TwoTowerOptions options;
  private final ItemEncoder items;
  private final UserEncoder users;

  /** A model with random embeddings, in the memory of {@code scope}. */
  public TwoTower(
      Scope scope,
      EntityFeatures userFeatures,
      EntityFeatures itemFeatures,
      TwoTowerOptions options,
      long seed) {
    this(scope, scope, userFeatures, itemFeatures, options, seed);
  }

  /**
   * The same whose embedding tables may be in another memory than all else.
   *
   * @param tables the tables' memory, which must live as long as {@code scope}
   */
  @SuppressWarnings("this-escape")
  public TwoTower(
      Scope scope,
      Scope tables,
      EntityFeatures userFeatures,
      EntityFeatures itemFeatures,
      TwoTowerOptions options,
      long seed) {
    this.options = options;
    items =
        addChildBlock(
            "item",
            new ItemEncoder(scope.manager(), tables.manager(), itemFeatures, options, seed));
    users =
        addChildBlock(
            "user",
            new UserEncoder(
                scope.manager(),
                tables.manager(),
                userFeatures,
                itemFeatures.numEntities(),
                items.ids(),
                options,
                seed));
  }

  /** The shape of this model. */
  public TwoTowerOptions options() {
    return options;
  }

  /** Item rows (K, outputDimension). */
  public NDArray encodeItems(ParameterStore values, EntityInput input) {
    NDArray vectors = similarityForm(items.encode(values, input));
    if (!options.biases()) {
      return vectors;
    }
    NDArray bias = items.bias(values, input);
    return NDArrays.concat(new NDList(vectors, bias, bias.onesLike()), 1);
  }

  /** User rows (B, outputDimension). */
  public NDArray encodeUsers(
      ParameterStore values, EntityInput input, @Nullable HistoryInput history) {
    NDArray vectors = similarityForm(users.encode(values, input, history));
    if (options.temperature() != 1) {
      vectors = Grad.times(vectors, 1 / options.temperature());
    }
    if (!options.biases()) {
      return vectors;
    }
    NDArray bias = users.bias(values, input);
    return NDArrays.concat(new NDList(vectors, bias.onesLike(), bias), 1);
  }

  /** All parameters with the names under which they are saved. */
  public List<NamedParameter> namedParameters() {
    List<NamedParameter> named = new ArrayList<>(users.namedParameters());
    named.addAll(items.namedParameters());
    return named;
  }

  private NDArray similarityForm(NDArray vectors) {
    if (options.similarity() == TwoTowerOptions.Similarity.DOT) {
      return vectors;
    }
    NDArray square = vectors.square().sum(new int[] {1}, true);
    return vectors.div(square.add(NORM_EPSILON).sqrt());
  }

  /**
   * Inputs: those of the user encoder and then those of the item encoder, as many users as items.
   * Output: the score of each pair (B,).
   */
  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    int split = inputs.size() - items.numInputs();
    NDList user = users.forward(values, inputs.subNDList(0, split), training, params);
    NDList item = items.forward(values, inputs.subNDList(split), training, params);
    NDArray product =
        Grad.times(similarityForm(user.get(0)), 1 / options.temperature())
            .mul(similarityForm(item.get(0)))
            .sum(new int[] {1});
    return new NDList(product.add(user.get(1).squeeze(1)).add(item.get(1).squeeze(1)));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0]};
  }
}
