package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.sextant.InvalidInputException;
import io.sextant.tensor.Grad;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads sequences of items by causal self-attention: the state of a token is a query for the item
 * that comes next. One item table serves as input and as output. Source: SASRec (Kang and McAuley,
 * ICDM 2018, arXiv:1808.09781). Deviations: a GELU between the layers of the feed-forward part,
 * whose width is an option; positions count from the end and may be joined by a bias per distance;
 * similarity may be a cosine with a temperature, as in HSTU (Zhai et al., ICML 2024).
 *
 * <p>A pass over N tokens in rows of length T costs O(N D (D + hidden + T)) per block.
 *
 * <p>Thread safety: forward passes may run on several threads at the same time as long as nobody
 * changes the parameters.
 */
public final class SequenceEncoder extends ReadyBlock {

  private static final double NORM_EPSILON = 1e-6;

  private final SequenceOptions options;
  private final EmbeddingTable items;
  private final @Nullable Parameter positions;
  private final List<AttentionBlock> blocks = new ArrayList<>();
  private final @Nullable Norm outputNorm;

  /** A model with random weights, in the memory of {@code scope}. */
  public SequenceEncoder(Scope scope, int numItems, SequenceOptions options, long seed) {
    this(scope, scope, numItems, options, seed);
  }

  /**
   * The same whose table of items may be in another memory than all else.
   *
   * @param tables the table's memory, which must live as long as {@code scope}
   */
  @SuppressWarnings("this-escape")
  public SequenceEncoder(
      Scope scope, Scope tables, int numItems, SequenceOptions options, long seed) {
    this.options = options;
    NDManager manager = scope.manager();
    int d = options.dimension();
    items =
        addChildBlock(
            "item",
            Tables.random(tables.manager(), numItems, d, options.initStd(), seed, "sequence.item"));
    if (options.positions()) {
      positions =
          addParameter(
              Parameter.builder().setName("positions").setType(Parameter.Type.WEIGHT).build());
      positions.setArray(
          Tables.random(
                  manager,
                  options.historyLength(),
                  d,
                  options.initStd(),
                  seed,
                  "sequence.positions")
              .vectors());
    } else {
      positions = null;
    }
    for (int b = 0; b < options.blocks(); b++) {
      blocks.add(
          addChildBlock("block" + b, new AttentionBlock(manager, options, seed, "sequence.b" + b)));
    }
    outputNorm = options.normFirst() ? addChildBlock("norm", new Norm(manager, d)) : null;
  }

  /** The shape of this model. */
  public SequenceOptions options() {
    return options;
  }

  /** How many items it knows, I. */
  public int numItems() {
    return (int) items.vectors().getShape().get(0);
  }

  /** All parameters with the names under which they are saved. */
  public List<NamedParameter> namedParameters() {
    List<NamedParameter> named = new ArrayList<>();
    named.add(NamedParameter.table("item.id", items, NamedParameter.Group.ITEM));
    if (positions != null) {
      named.add(NamedParameter.dense("positions", positions, NamedParameter.Group.DENSE));
    }
    for (int b = 0; b < blocks.size(); b++) {
      named.addAll(blocks.get(b).parameters("block" + b));
    }
    if (outputNorm != null) {
      named.addAll(outputNorm.parameters("norm"));
    }
    return named;
  }

  /**
   * The query (N, D) of each token: for the item that comes after it.
   *
   * @throws InvalidInputException if a sequence is longer than the encoder reads
   */
  public NDArray encode(ParameterStore values, SequenceInput input, Dropout dropout) {
    if (input.length() > options.historyLength()) {
      throw new InvalidInputException(
          "a sequence has %d items but this encoder reads at most %d: cut it to the latest"
              .formatted(input.length(), options.historyLength()));
    }
    NDArray states = items.lookUp(values, input.items());
    // With the usual start embeddings are short; so scaled they are about as long as what is added.
    states = Grad.times(states, (float) Math.sqrt(options.dimension()));
    if (positions != null) {
      NDArray table = values.getValue(positions, states.getDevice(), true);
      states = states.add(RowOptimizer.gather(table, input.positions()));
    }
    states = dropout.apply(0, states);
    for (int b = 0; b < blocks.size(); b++) {
      int site = 1 + b * AttentionBlock.DROPOUT_SITES;
      states = blocks.get(b).apply(values, states, input, dropout, site);
    }
    if (outputNorm != null) {
      states = outputNorm.apply(values, states);
    }
    return options.similarity() == TwoTowerOptions.Similarity.DOT
        ? states
        : Grad.times(similarityForm(states), 1 / options.temperature());
  }

  /** The vectors (K, D) of those K items whose rows were put in the place of the item table. */
  public NDArray itemVectors(ParameterStore values) {
    return similarityForm(values.getValue(items.weight(), items.vectors().getDevice(), true));
  }

  /**
   * The vectors (I, D) of all items, in the memory of {@code scope}; those of an inner product are
   * a view of the table, which must outlive them.
   */
  public NDArray itemVectors(Scope scope) {
    NDArray table = items.vectors();
    NDArray here =
        table.getDevice().getDeviceType().equals(scope.device().getDeviceType())
            ? table.stopGradient()
            : table.toDevice(scope.device(), true);
    return similarityForm(scope.adopt(here));
  }

  private NDArray similarityForm(NDArray vectors) {
    return options.similarity() == TwoTowerOptions.Similarity.DOT
        ? vectors
        : vectors.normalize(2, 1, NORM_EPSILON);
  }

  /** Inputs: items, positions, mask, distances. Output: the query of each token (N, D). */
  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    return new NDList(encode(values, input(inputs), Dropout.NONE));
  }

  /** Reads an input from a list: items, positions, mask, distances. */
  static SequenceInput input(NDList list) {
    Shape mask = list.get(2).getShape();
    return new SequenceInput(
        (int) mask.get(0), (int) mask.get(2), list.get(0), list.get(1), list.get(2), list.get(3));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0].add(options.dimension())};
  }
}
