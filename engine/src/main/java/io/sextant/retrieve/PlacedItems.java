package io.sextant.retrieve;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.sextant.RankedLists;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;

/** Float32 vectors on a device: a copy, or a view if they are there already. */
final class PlacedItems implements ShardIndex {

  private final TopK topK;
  private final Scope scope;
  private final NDArray vectors;

  /**
   * Copies.
   *
   * @param topK searches; lent
   */
  PlacedItems(TopK topK, IndexedItems items, Device device) {
    this.topK = topK;
    scope = Scope.open(device);
    try {
      vectors = RowCodes.placed(items.vectors(), 0, items.size(), scope);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  @Override
  public RankedLists search(Search asked) {
    try (Scope request = scope.child()) {
      NDArray queries =
          HostArrays.floats(
              request.manager(),
              HostArrays.toFloats(asked.queries),
              asked.numLists,
              asked.items.dimension());
      Search search = asked.over(queries, ItemRows.of(vectors), asked.k);
      topK.run(search);
      return search.result();
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
