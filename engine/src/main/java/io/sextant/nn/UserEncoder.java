package io.sextant.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code u = f_u(h_u)}: id embedding, weighted mean of the history's item embeddings, and features,
 * then a residual MLP: users (B) to vectors (B, D) and biases (B, 1). A user without an id, unseen
 * in training, is represented by history and features alone.
 */
public final class UserEncoder extends ReadyBlock {

  private final EntityEncoder entity;
  private final @Nullable EmbeddingTable historyTable;
  private final boolean ownsHistory;
  private final @Nullable Dense meanMap;
  private final @Nullable Dense lastMap;
  private final ResidualMlp mlp;
  private final int dimension;

  @SuppressWarnings("this-escape")
  UserEncoder(
      NDManager manager,
      NDManager tables,
      EntityFeatures features,
      int numItems,
      @Nullable EmbeddingTable itemIds,
      TwoTowerOptions options,
      long seed) {
    entity =
        new EntityEncoder(
            manager,
            tables,
            "user",
            NamedParameter.Group.USER,
            features,
            options,
            options.userIds(),
            options.biases(),
            seed);
    dimension = options.dimension();
    ownsHistory = options.history() == TwoTowerOptions.History.OWN;
    historyTable =
        switch (options.history()) {
          case NONE -> null;
          case SHARED -> itemIds;
          case OWN ->
              Tables.random(tables, numItems, dimension, options.initStd(), seed, "user.history");
        };
    boolean maps = options.lastItem();
    meanMap = maps ? Dense.identity(manager, dimension, 1) : null;
    lastMap = maps ? Dense.identity(manager, dimension, 0.5f) : null;
    mlp = new ResidualMlp(manager, dimension, options.hidden(), seed, "user");
    entity.blocks().forEach(this::addChildBlock);
    if (ownsHistory && historyTable != null) {
      addChildBlock("history", historyTable);
    }
    if (meanMap != null && lastMap != null) {
      addChildBlock("meanMap", meanMap.block());
      addChildBlock("lastMap", lastMap.block());
    }
    mlp.blocks().forEach(this::addChildBlock);
  }

  /** Vectors (B, D); histories are needed where the options ask for them. */
  public NDArray encode(ParameterStore values, EntityInput input, @Nullable HistoryInput history) {
    NDArray fromHistory = null;
    if (historyTable != null) {
      if (history == null) {
        throw new InvalidInputException("this user encoder reads histories but was given none");
      }
      fromHistory =
          EntityEncoder.weightedMean(
              historyTable.lookUp(values, history.items()), history.weights());
      if (meanMap != null && lastMap != null) {
        NDArray last =
            EntityEncoder.weightedMean(
                historyTable.lookUp(values, history.last()), history.hasLast());
        fromHistory = meanMap.apply(values, fromHistory).add(lastMap.apply(values, last));
      }
    }
    return mlp.apply(values, entity.sum(values, input, fromHistory, dimension));
  }

  /** Biases (B, 1). */
  public NDArray bias(ParameterStore values, EntityInput input) {
    return entity.bias(values, input);
  }

  List<NamedParameter> namedParameters() {
    List<NamedParameter> named = new ArrayList<>(entity.parameters());
    if (ownsHistory && historyTable != null) {
      named.add(NamedParameter.table("user.history", historyTable, NamedParameter.Group.ITEM));
    }
    if (meanMap != null && lastMap != null) {
      named.addAll(meanMap.parameters("user.meanMap", NamedParameter.Group.DENSE));
      named.addAll(lastMap.parameters("user.lastMap", NamedParameter.Group.DENSE));
    }
    named.addAll(mlp.parameters("user"));
    return named;
  }

  /**
   * Inputs: id, keep, entity, codes, weights of codes, then history items and weights, last item
   * and whether there is one. Outputs: vectors (B, D), biases (B, 1).
   */
  @Override
  protected NDList forwardInternal(
      ParameterStore values, NDList inputs, boolean training, PairList<String, Object> params) {
    EntityInput input = entity.input(inputs);
    int at = 3 + 2 * entity.numCodes();
    HistoryInput history =
        inputs.size() < at + 4
            ? null
            : new HistoryInput(
                inputs.get(at), inputs.get(at + 1), inputs.get(at + 2), inputs.get(at + 3));
    return new NDList(encode(values, input, history), bias(values, input));
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputs) {
    return new Shape[] {inputs[0].add(dimension), inputs[0].add(1)};
  }
}
