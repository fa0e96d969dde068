package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.Numbers;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Matrix factorisation on the device ({@link FactorForm} gives its mathematics): look-ups, products
 * and sums by row, in closed form.
 *
 * <p>Memory on the device: 24 to 28 bytes an interaction, 8 to 24 a row of the tables, and what the
 * comparison takes in a step: {@code 8 B (1 + n) D} numbers for own negatives.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentFactors implements ResidentForm {

  private final Scope session;
  private final FactorTables tables;
  private final Data data;
  private final ResidentPairs pairs;
  private final SegmentSums userSums;
  private final SegmentSums itemSums;
  private final ResidentLosses losses;
  private @Nullable Scope epoch;
  private @Nullable NDArray order;
  private long operations;

  /**
   * The interactions on the device.
   *
   * @param users (n,) int64
   * @param items (n,) int64
   * @param weights (n,)
   */
  record Data(NDArray users, NDArray items, NDArray weights) {}

  ResidentFactors(Scope session, FactorTables tables, Data data, ResidentPairs pairs) {
    this.session = session;
    this.tables = tables;
    this.data = data;
    this.pairs = pairs;
    userSums = new SegmentSums(session, tables.users().getShape().get(0));
    itemSums = new SegmentSums(session, tables.items().getShape().get(0));
    losses = new ResidentLosses(session);
  }

  @Override
  public void startEpoch(int[] examples, int batchSize) {
    if (epoch != null) {
      epoch.close();
    }
    epoch = session.child();
    order = HostArrays.longs(epoch.manager(), examples, examples.length);
    pairs.startEpoch(order, examples, batchSize);
  }

  @Override
  public void step(
      Position position, @Nullable Weigher weigher, ModelParameters parameters, float factor) {
    if (order == null) {
      throw new IllegalStateException("no epoch was started");
    }
    try (Scope step = session.child()) {
      NDArray rows = step.adopt(order.get(new NDIndex("{}:{}", position.from(), position.to())));
      NDArray users = step.adopt(data.users.gather(rows, 0));
      NDArray positives = step.adopt(data.items.gather(rows, 0));
      ResidentPairs.Rows read = new ResidentPairs.Rows(step, position, rows, users, positives);
      ResidentSide user =
          new ResidentSide("user", step, userSums, users, tables.users(), tables.userBiases());
      ResidentSide item =
          new ResidentSide(
              "item", step, itemSums, pairs.items(read), tables.items(), tables.itemBiases());
      ResidentPairs.Compared compared = pairs.compare(read, user, item);
      NDArray weights = step.adopt(data.weights.gather(rows, 0));
      if (weigher != null) {
        weights.muli(weigher.weights(step, rows, compared.losses()));
      }
      NDArray loss = compared.losses().mul(weights).mean();
      NDArray finite = ResidentLosses.finite(loss);
      losses.add(loss, finite, position.size());
      NDArray slopes =
          compared
              .slopes()
              .mul(weights.div(Numbers.of(step.manager(), position.size())).expandDims(1));
      ResidentPairs.Gradients by = pairs.gradients(user, item, slopes);
      Map<String, ResidentGradient> gradients = new LinkedHashMap<>();
      user.addGradients(by.users(), by.userBiases(), finite, gradients);
      item.addGradients(by.items(), by.itemBiases(), finite, gradients);
      parameters.updateOnDevice(gradients, Map.of(), position.size(), factor);
      operations = step.manager().getManagedArrays().size();
    }
  }

  @Override
  public ResidentLosses.Totals takeTotals() {
    return losses.take();
  }

  @Override
  public long operations() {
    return operations;
  }
}
