package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.sextant.data.Interactions;
import io.sextant.nn.ParameterValues;
import io.sextant.nn.PolicyNetwork;
import io.sextant.tensor.Grad;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import org.jspecify.annotations.Nullable;

/**
 * The weights of examples as the policy gives them, on the device: what {@link WeightPolicy}
 * computes in Java, with the same network. Features lie on the device; nothing is brought back.
 *
 * <p>If all weights go to zero together, weights are 1 from that step on; who asks learns of it.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentWeights implements ResidentForm.Weigher {

  private final PolicyNetwork network;
  private final float collapse;
  private final boolean seesLoss;
  private final NDArray userOfRow;
  private final NDArray itemOfRow;
  private final @Nullable NDArray users;
  private final @Nullable NDArray items;
  private final @Nullable NDArray interactions;

  /** () in how many steps the mean weight was too small. */
  private final NDArray collapses;

  /**
   * @param userOfRow (n)
   * @param collapse the mean weight below which weights count as collapsed
   */
  ResidentWeights(
      Scope session,
      PolicyNetwork network,
      ExampleFeatures features,
      Interactions train,
      int[] userOfRow,
      float collapse) {
    this.network = network;
    this.collapse = collapse;
    seesLoss = features.loss();
    int[] itemOfRow = new int[train.size()];
    for (int row = 0; row < itemOfRow.length; row++) {
      itemOfRow[row] = train.itemAt(row);
    }
    this.userOfRow = HostArrays.longs(session.manager(), userOfRow, userOfRow.length);
    this.itemOfRow = HostArrays.longs(session.manager(), itemOfRow, itemOfRow.length);
    users = onDevice(session, features.users());
    items = onDevice(session, features.items());
    interactions = onDevice(session, features.interactions());
    collapses = session.manager().zeros(new Shape(), DataType.FLOAT32);
  }

  private static @Nullable NDArray onDevice(Scope session, ExampleFeatures.Columns columns) {
    int width = columns.width();
    return width == 0
        ? null
        : HostArrays.floats(
            session.manager(), columns.values(), columns.values().length / width, width);
  }

  @Override
  public NDArray weights(Scope step, NDArray rows, NDArray losses) {
    try (Grad off = Grad.pause()) {
      NDList ofUser = new NDList();
      addRows(ofUser, users, step.adopt(userOfRow.gather(rows, 0)));
      NDList ofItem = new NDList();
      addRows(ofItem, items, step.adopt(itemOfRow.gather(rows, 0)));
      addRows(ofItem, interactions, rows);
      if (seesLoss) {
        ofItem.add(standardized(losses));
      }
      NDArray outputs =
          network.outputs(
              new ParameterValues(step.manager()),
              input(step, ofUser, rows.size()),
              input(step, ofItem, rows.size()));
      NDArray weights = outputs.reshape(-1).mul(Numbers.of(step.manager(), 2));
      collapses.addi(
          weights.mean().lt(Numbers.of(step.manager(), collapse)).toType(DataType.FLOAT32, false));
      NDArray steps = step.adopt(collapses.duplicate());
      NDArray collapsed = steps.gt(steps.zerosLike()).toType(DataType.FLOAT32, false);
      return weights.sub(weights.sub(weights.onesLike()).mul(collapsed));
    }
  }

  private static void addRows(NDList columns, @Nullable NDArray table, NDArray index) {
    if (table != null) {
      columns.add(RowOptimizer.gather(table, index));
    }
  }

  /** A network wants at least one column. */
  private static NDArray input(Scope step, NDList columns, long rows) {
    return columns.isEmpty()
        ? step.manager().zeros(new Shape(rows, 1), DataType.FLOAT32)
        : NDArrays.concat(columns, 1);
  }

  /** Logarithms with mean 0 and deviation 1 (P, 1). */
  private static NDArray standardized(NDArray losses) {
    NDArray logs = losses.add(Numbers.of(losses.getManager(), 1e-4f)).log();
    NDArray centred = logs.sub(logs.mean());
    return centred
        .div(centred.square().mean().sqrt().add(Numbers.of(losses.getManager(), 1e-6f)))
        .expandDims(1);
  }

  /** Whether all weights went to zero together at any step; waits for the device. */
  boolean collapsed() {
    return HostArrays.toFloats(collapses)[0] > 0;
  }
}
