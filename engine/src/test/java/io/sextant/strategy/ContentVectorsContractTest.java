package io.sextant.strategy;

import io.sextant.data.Dataset;
import io.sextant.data.FeatureColumn;
import io.sextant.data.FeatureTable;
import io.sextant.data.Interactions;
import java.util.Random;

final class ContentVectorsContractTest extends StrategyContract {

  private static final int WIDTH = 6;

  @Override
  Strategy strategy(long seed) {
    return new ContentVectors("content-vectors", "text", 0.25, HistoryWeights.RECENT);
  }

  /** Items of a block have nearly the same vector. */
  @Override
  Dataset dataset(Interactions train) {
    Random random = new Random(4);
    float[] vectors = new float[train.numItems() * WIDTH];
    for (int at = 0; at < vectors.length; at++) {
      boolean ofBlock = at % WIDTH == (at / WIDTH) % BLOCKS;
      vectors[at] = (ofBlock ? 2 : 0) + (float) random.nextGaussian() / 10;
    }
    FeatureTable items =
        FeatureTable.builder(train.numItems())
            .add(new FeatureColumn.DenseVector("text", WIDTH, vectors))
            .build();
    return new Dataset(train, FeatureTable.empty(train.numUsers()), items);
  }
}
