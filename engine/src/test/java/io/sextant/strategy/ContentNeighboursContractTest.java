package io.sextant.strategy;

import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import java.util.List;

final class ContentNeighboursContractTest extends StrategyContract {

  @Override
  Strategy strategy(long seed) {
    return ContentNeighbours.attributes();
  }

  /** The block is the brand. */
  @Override
  Dataset dataset(Interactions train) {
    int[] brands = new int[train.numItems()];
    for (int item = 0; item < brands.length; item++) {
      brands[item] = 1 + item % BLOCKS;
    }
    FeatureTable items =
        FeatureTable.builder(brands.length)
            .add(new FeatureColumn.Categorical("brand", List.of("", "a", "b", "c", "d"), brands))
            .build();
    return new Dataset(train, FeatureTable.empty(train.numUsers()), items);
  }
}
