package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.sextant.tensor.Grad;
import io.sextant.tensor.RowOptimizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One layer of a transformer: masked self-attention, then a feed-forward part, each with a residual
 * connection. Source: Vaswani et al., NeurIPS 2017. Tokens are a flat (N, D), so that the large
 * products know nothing of rows; only attention itself sees (R, T).
 */
final class AttentionBlock extends ReadyBlock {

  /** How many places of a block drop activations. */
  static final int DROPOUT_SITES = 4;

  private final int dimension;
  private final int heads;
  private final boolean normFirst;
  private final Norm attentionNorm;
  private final Dense queryKeyValue;
  private final Dense attentionOutput;
  private final @Nullable Parameter distanceBias;
  private final Norm hiddenNorm;
  private final Dense hidden;
  private final Dense hiddenOutput;

  @SuppressWarnings("this-escape")
  AttentionBlock(NDManager manager, SequenceOptions options, long seed, String name) {
    int d = options.dimension();
    dimension = d;
    heads = options.heads();
    normFirst = options.normFirst();
    attentionNorm = addChildBlock("attentionNorm", new Norm(manager, d));
    queryKeyValue = Dense.random(manager, d, 3 * d, true, seed, name + ".queryKeyValue");
    attentionOutput = Dense.random(manager, d, d, true, seed, name + ".attentionOutput");
    hiddenNorm = addChildBlock("hiddenNorm", new Norm(manager, d));
    hidden = Dense.random(manager, d, options.hidden(), true, seed, name + ".hidden");
    hiddenOutput = Dense.random(manager, options.hidden(), d, true, seed, name + ".hiddenOutput");
    addChildBlock("queryKeyValue", queryKeyValue.block());
    addChildBlock("attentionOutput", attentionOutput.block());
    addChildBlock("hidden", hidden.block());
    addChildBlock("hiddenOutput", hiddenOutput.block());
    if (options.distances()) {
      distanceBias =
          addParameter(
              Parameter.builder().setName("distances").setType(Parameter.Type.WEIGHT).build());
      distanceBias.setArray(
          manager.zeros(new Shape(options.historyLength(), heads), DataType.FLOAT32));
    } else {
      distanceBias = null;
    }
  }

  List<NamedParameter> parameters(String name) {
    NamedParameter.Group group = NamedParameter.Group.DENSE;
    List<NamedParameter> named = new ArrayList<>(attentionNorm.parameters(name + ".attentionNorm"));
    named.addAll(queryKeyValue.parameters(name + ".queryKeyValue", group));
    named.addAll(attentionOutput.parameters(name + ".attentionOutput", group));
    named.addAll(hiddenNorm.parameters(name + ".hiddenNorm"));
    named.addAll(hidden.parameters(name + ".hidden", group));
    named.addAll(hiddenOutput.parameters(name + ".hiddenOutput", group));
    if (distanceBias != null) {
      named.add(NamedParameter.dense(name + ".distances", distanceBias, group));
    }
    return named;
  }

  /**
   * States (N, D) to states (N, D).
   *
   * @param site the block's first dropout site
   */
  NDArray apply(
      ParameterStore values, NDArray states, SequenceInput input, Dropout dropout, int site) {
    NDArray read = normFirst ? attentionNorm.apply(values, states) : states;
    NDArray seen = attentionOutput.apply(values, attend(values, read, input, dropout, site));
    NDArray middle = states.add(dropout.apply(site + 1, seen));
    middle = normFirst ? middle : attentionNorm.apply(values, middle);

    read = normFirst ? hiddenNorm.apply(values, middle) : middle;
    NDArray wide = Activation.gelu(hidden.apply(values, read));
    NDArray narrow = hiddenOutput.apply(values, dropout.apply(site + 2, wide));
    NDArray out = middle.add(dropout.apply(site + 3, narrow));
    return normFirst ? out : hiddenNorm.apply(values, out);
  }

  private NDArray attend(
      ParameterStore values, NDArray read, SequenceInput input, Dropout dropout, int site) {
    int rows = input.rows();
    int length = input.length();
    int width = dimension / heads;
    NDList parts =
        queryKeyValue
            .apply(values, read)
            .reshape(rows, length, 3L * heads, width)
            .swapAxes(1, 2)
            .split(3, 1); // each (R, H, T, D/H)
    NDArray queries = Grad.times(parts.get(0), (float) (1 / Math.sqrt(width)));
    NDArray scores = queries.matMul(parts.get(1).swapAxes(2, 3)); // (R, H, T, T)
    scores.addi(input.mask()); // In place: the gradient needs neither summand.
    if (distanceBias != null) {
      NDArray table = values.getValue(distanceBias, read.getDevice(), true);
      scores.addi(RowOptimizer.gather(table, input.distances()).transpose(2, 0, 1));
    }
    NDArray shares = dropout.apply(site, scores.softmax(3));
    return shares.matMul(parts.get(2)).swapAxes(1, 2).reshape(read.getShape());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    SequenceInput input = SequenceEncoder.input(inputs.subNDList(1));
    return new NDList(apply(values, inputs.get(0), input, Dropout.NONE, 0));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0]};
  }
}
