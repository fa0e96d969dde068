package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.nn.NamedParameter;
import io.sextant.nn.TwoTower;
import io.sextant.nn.TwoTowerOptions;
import io.sextant.tensor.RowOptimizer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a two-tower model that is matrix factorisation and no more.
 *
 * @param users (U, D)
 * @param items (I, D)
 * @param userBiases (U, 1), null for none
 * @param itemBiases (I, 1), null for none
 */
record FactorTables(
    NDArray users, NDArray items, @Nullable NDArray userBiases, @Nullable NDArray itemBiases) {

  /** The tables, or null if the model is more than ids. */
  static @Nullable FactorTables of(TwoTower model, SamplingOptions options) {
    TwoTowerOptions shape = model.options();
    if (!shape.userIds()
        || shape.history() != TwoTowerOptions.History.NONE
        || !shape.hidden().isEmpty()
        || shape.similarity() != TwoTowerOptions.Similarity.DOT
        || options.idDropout() > 0
        || options.itemIdDropout() > 0) {
      return null;
    }
    Map<String, NDArray> tables = new LinkedHashMap<>();
    for (NamedParameter parameter : model.namedParameters()) {
      tables.put(parameter.name(), parameter.parameter().getArray());
    }
    NDArray users = tables.remove("user.id");
    NDArray items = tables.remove("item.id");
    NDArray userBiases = tables.remove("user.bias");
    NDArray itemBiases = tables.remove("item.bias");
    return users == null || items == null || !tables.isEmpty()
        ? null
        : new FactorTables(users, items, userBiases, itemBiases);
  }

  /** Whether Java can walk the memory of the tables. */
  boolean onHost() {
    return RowOptimizer.onHost(users) && RowOptimizer.onHost(items);
  }
}
