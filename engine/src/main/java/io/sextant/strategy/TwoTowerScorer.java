package io.sextant.strategy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.sextant.nn.EntityFeatures;
import io.sextant.nn.EntityInput;
import io.sextant.nn.HistoryInput;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import io.sextant.train.Histories;
import java.util.ArrayList;
import java.util.List;

/**
 * Evaluates a two-tower model with whole tables: users to queries, the catalogue to item vectors.
 *
 * @param model the towers
 * @param users features of users
 * @param items features of items
 * @param offset what is added to every score, the global bias; part of the user's row if there are
 *     biases
 */
record TwoTowerScorer(TwoTower model, EntityFeatures users, EntityFeatures items, float offset) {

  private static final int ITEM_CHUNK = 16_384;

  /** Vectors of all items (I, outputDimension) in the scope's memory. */
  NDArray itemVectors(Scope scope) {
    NDList parts = new NDList();
    for (int start = 0; start < items.numEntities(); start += ITEM_CHUNK) {
      int size = Math.min(ITEM_CHUNK, items.numEntities() - start);
      int[] chunk = new int[size];
      for (int i = 0; i < size; i++) {
        chunk[i] = start + i;
      }
      try (Scope step = scope.child()) {
        ParameterValues values = new ParameterValues(step.manager());
        NDArray rows = model.encodeItems(values, input(step.manager(), chunk, items));
        parts.add(step.promote(rows));
      }
    }
    if (parts.size() == 1) {
      return parts.singletonOrThrow();
    }
    NDArray all = NDArrays.concat(parts, 0);
    scope.adopt(all);
    parts.close();
    return all;
  }

  /** Queries of users (B, outputDimension) in the scope's memory. */
  NDArray queries(Scope scope, List<UserState> states) {
    try (Scope step = scope.child()) {
      ParameterValues values = new ParameterValues(step.manager());
      int[] indices = new int[states.size()];
      int[][] histories = new int[states.size()][];
      for (int e = 0; e < indices.length; e++) {
        indices[e] = states.get(e).userIndex();
        histories[e] = states.get(e).history();
      }
      HistoryInput history =
          model.options().history() == TwoTowerOptions.History.NONE
              ? null
              : new Histories(histories, model.options()).input(step.manager());
      return step.promote(
          model.encodeUsers(values, input(step.manager(), indices, users), history));
    }
  }

  /** Inputs of entities; a negative index is an entity of which nothing is known. */
  private static EntityInput input(NDManager manager, int[] entities, EntityFeatures features) {
    int size = entities.length;
    int[] ids = new int[size];
    int[] rows = new int[size];
    float[] keep = new float[size];
    for (int i = 0; i < size; i++) {
      boolean known = entities[i] >= 0;
      ids[i] = known ? entities[i] : 0;
      rows[i] = known ? entities[i] : features.numEntities();
      keep[i] = known ? 1 : 0;
    }
    List<NDArray> codes = new ArrayList<>();
    List<NDArray> codeWeights = new ArrayList<>();
    for (EntityFeatures.Codes column : features.codes()) {
      int width = column.width();
      int[] values = new int[size * width];
      float[] weights = new float[size * width];
      for (int i = 0; i < size; i++) {
        if (entities[i] >= 0) {
          System.arraycopy(column.codes(), entities[i] * width, values, i * width, width);
          System.arraycopy(column.weights(), entities[i] * width, weights, i * width, width);
        }
      }
      codes.add(HostArrays.longs(manager, values, size, width));
      codeWeights.add(HostArrays.floats(manager, weights, size, width));
    }
    return new EntityInput(
        HostArrays.longs(manager, ids, size),
        HostArrays.floats(manager, keep, size, 1),
        HostArrays.longs(manager, rows, size),
        codes,
        codeWeights);
  }
}
