package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.sextant.nn.NamedParameter;
import io.sextant.tensor.RowCache;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.RowSet;
import io.sextant.tensor.Scope;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * An embedding table in training: its rows with what their optimizer knows of them, on the device
 * as a whole, or some of them there and all of them in the host's memory ({@link RowCache}).
 *
 * <p>Thread safety: belongs to the training thread.
 */
final class TrainedTable {

  private final NamedParameter parameter;
  private final TableBudget budget;
  private final NDManager home;
  private final @Nullable Scope host;
  private final RowOptimizer optimizer;
  private final @Nullable RowCache cache;

  TrainedTable(
      Scope session, NamedParameter parameter, RowOptimizer.Kind kind, TableBudget budget) {
    this.parameter = parameter;
    this.budget = budget;
    home = value().getManager();
    OptionalInt slots = budget.slots(parameter.name());
    if (slots.isPresent()) {
      host = session.hostChild();
      bring(host.manager());
      cache = new RowCache(session, host, value(), kind, slots.getAsInt());
      optimizer = cache.optimizer();
    } else {
      host = null;
      cache = null;
      bring(session.manager());
      optimizer =
          RowOptimizer.create(kind, session, value().getShape().get(0), value().getShape().get(1));
    }
  }

  /** The rows of all the table (R, D); up to date after {@link #writeBack}. */
  NDArray value() {
    return parameter.parameter().getArray();
  }

  /** What moves the table where it is whole, or its slots. */
  RowOptimizer optimizer() {
    return optimizer;
  }

  /** The cache, if only a part of the table is on the device. */
  @Nullable RowCache cache() {
    return cache;
  }

  /** A copy of rows (K, D), which belongs to the manager. */
  NDArray read(NDManager step, RowSet rows) {
    RowSet places = placed(step, rows);
    return RowOptimizer.gather(cache == null ? value() : cache.slots(), places.index());
  }

  /** Moves rows along a gradient (K, D). */
  void step(NDManager step, RowSet rows, NDArray gradient, float rate) {
    RowSet places = placed(step, rows);
    optimizer.step(cache == null ? value() : cache.slots(), places, gradient, rate);
  }

  /** See {@link RowOptimizer#diagonal}. */
  NDArray diagonal(RowSet rows, NDArray gradient) {
    return optimizer.diagonal(placed(gradient.getManager(), rows), gradient);
  }

  private RowSet placed(NDManager step, RowSet rows) {
    if (cache == null) {
      return rows;
    }
    budget.requireRoom(parameter.name(), rows);
    return cache.place(step, rows);
  }

  /** Makes {@link #value} and {@link #state} those of now. */
  void writeBack() {
    if (cache != null) {
      cache.writeBack();
    }
  }

  /** The value or the state was written from outside. */
  void forget() {
    if (cache != null) {
      cache.forget();
    }
  }

  /** Training has ended: the table goes back to where it was. */
  void close() {
    writeBack();
    bring(home);
  }

  /** The accumulators of all rows; up to date after {@link #writeBack}. */
  Map<String, NDArray> state() {
    return cache == null ? optimizer.state() : cache.state();
  }

  /** What owns copies of the whole table: in the host's memory if that is where it is. */
  NDManager keeper(NDManager session) {
    return host == null ? session : host.manager();
  }

  /** Brings the whole table to the device of a manager, which then owns it. */
  @SuppressWarnings("NullAway") // DJL forgets a shape if it is set to null.
  private void bring(NDManager manager) {
    NDArray value = value();
    if (!value.getDevice().getDeviceType().equals(manager.getDevice().getDeviceType())) {
      NDArray there = value.toDevice(manager.getDevice(), true);
      there.attach(manager);
      parameter.parameter().close();
      parameter.parameter().setShape(null);
      parameter.parameter().setArray(there);
    }
  }
}
