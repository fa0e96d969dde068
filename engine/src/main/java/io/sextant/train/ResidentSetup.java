package io.sextant.train;

import ai.djl.ndarray.NDArray;
import io.sextant.data.Interactions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Scope;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What matrix factorisation learns from, from which its form on the device is made.
 *
 * <p>Thread safety: immutable as long as nobody writes into the arrays.
 *
 * @param weightOfRow (n) of the interactions
 * @param offset what is subtracted from their values
 * @param batchShareOfItem (I) the share of each item among the interactions
 */
@SuppressWarnings("ArrayRecordComponent") // Lent, not compared.
record ResidentSetup(
    Interactions interactions,
    SamplingOptions options,
    float temperature,
    float[] weightOfRow,
    float offset,
    long seed,
    ItemSampler sampler,
    SeenItems seen,
    double[] batchShareOfItem) {

  /**
   * The form, wherever the tables are.
   *
   * @param own where negatives of each example come from; null to draw them on the device
   * @param shared where negatives that examples share come from; null to draw them on the device
   */
  ResidentForm form(
      Scope session,
      FactorTables tables,
      @Nullable ResidentNegatives own,
      @Nullable SharedNegatives shared) {
    int n = interactions.size();
    int[] items = new int[n];
    for (int row = 0; row < n; row++) {
      items[row] = interactions.itemAt(row);
    }
    ResidentFactors.Data data =
        new ResidentFactors.Data(
            HostArrays.longs(session.manager(), interactions.userOfRow(), n),
            HostArrays.longs(session.manager(), items, n),
            HostArrays.floats(session.manager(), weightOfRow, n));
    ResidentPairs pairs =
        options.objective().sharedNegatives()
            ? sharedPairs(session, shared)
            : ownPairs(session, data, own);
    return new ResidentFactors(session, tables, data, pairs);
  }

  private ResidentPairs ownPairs(
      Scope session, ResidentFactors.Data data, @Nullable ResidentNegatives own) {
    NDArray values = null;
    if (options.objective() == Objective.SQUARED_ERROR) {
      float[] learned = new float[interactions.size()];
      for (int row = 0; row < learned.length; row++) {
        learned[row] = interactions.valueAt(row) - offset;
      }
      values = HostArrays.floats(session.manager(), learned, learned.length);
    }
    int numItems = interactions.numItems();
    ResidentNegatives drawn =
        own == null
            ? new ResidentDraws(
                session, sampler, seen, interactions.numUsers(), numItems, options, seed)
            : own;
    return new ResidentOwnPairs(session, options, drawn, temperature, data.users(), values);
  }

  private ResidentPairs sharedPairs(Scope session, @Nullable SharedNegatives shared) {
    int numItems = interactions.numItems();
    float[] drawnShare = new float[numItems];
    float[] batchShare = new float[numItems];
    for (int item = 0; item < numItems; item++) {
      drawnShare[item] = (float) sampler.probability(item);
      batchShare[item] = (float) batchShareOfItem[item];
    }
    NDArray catalogue = null;
    if (options.objective() == Objective.FULL_SOFTMAX) {
      int[] drawable =
          IntStream.range(0, numItems).filter(i -> sampler.probability(i) > 0).toArray();
      catalogue = HostArrays.longs(session.manager(), drawable, drawable.length);
    }
    SharedNegatives drawn =
        shared == null
            ? new ResidentSharedDraws(session, sampler, numItems, options.negatives(), seed)
            : shared;
    return new ResidentSharedPairs(
        options,
        seen,
        interactions.userOfRow(),
        new ResidentColumns(
            session, drawn, options.negatives(), drawnShare, options.inBatch() ? batchShare : null),
        catalogue,
        options.excludeSeen() ? ResidentSeen.of(session, seen, interactions.numUsers()) : null,
        temperature);
  }
}
