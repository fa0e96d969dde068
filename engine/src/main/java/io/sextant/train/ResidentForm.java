package io.sextant.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import io.sextant.data.Interactions;
import io.sextant.tensor.HostArrays;
import io.sextant.tensor.RowOptimizer;
import io.sextant.tensor.Scope;
import io.sextant.tensor.SegmentSums;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The closed form of matrix factorisation ({@link FactorForm} gives its mathematics) with
 * everything on the device: the interactions, the order of an epoch, the draws of negatives, the
 * gradients and the updates. A step is the same number of operations whatever the sizes, none of
 * them brings anything back to Java, and none has a shape that depends on the data, so that the
 * device works through steps without waiting for the host. Sums of losses are read every so many
 * steps.
 *
 * <p>A step whose loss is not finite has gradients of zero, which move nothing under Adagrad and
 * let Adam's moments decay; it is counted.
 *
 * <p>Negatives are drawn for as many steps at once as fill the device, because their operations are
 * many and small.
 *
 * <p>Memory on the device: 24 to 28 bytes an interaction, 8 a row of the tables, and in a step some
 * {@code 8 B (1 + n) D} numbers.
 *
 * <p>Thread safety: used by one thread at a time.
 */
final class ResidentForm {

  /** A task that may be trained on the device alone. */
  interface Task {
    /**
     * The form for a session, or null if the task has none, or has a better one.
     *
     * @param session owns what the form puts on the device
     */
    @Nullable ResidentForm residentForm(Scope session);
  }

  /** So many negatives are drawn at once, or those of one step if they are more. */
  private static final int DRAWN_AT_ONCE = 1 << 20;

  private final FactorTables tables;
  private final SamplingOptions options;
  private final ResidentNegatives negatives;
  private final Scope session;
  private final float temperature;
  private final int perExample;
  private final NDArray userOfRow;
  private final NDArray itemOfRow;
  private final NDArray weightOfRow;
  private final @Nullable NDArray valueOfRow;
  private final SegmentSums userSums;
  private final SegmentSums itemSums;

  /** (2): the sum of finite mean losses times B, and how many were not finite. */
  private final NDArray totals;

  private @Nullable Scope epoch;
  private @Nullable NDArray order;
  private @Nullable Block block;
  private long operations;

  /** Negatives (M, n) of the examples of the epoch from one on. */
  private record Block(Scope scope, int from, int to, NDArray negatives) {}

  ResidentForm(
      Scope session,
      FactorTables tables,
      Interactions interactions,
      SamplingOptions options,
      ResidentNegatives negatives,
      float temperature,
      float[] weights,
      float offset) {
    this.session = session;
    this.tables = tables;
    this.options = options;
    this.negatives = negatives;
    this.temperature = temperature;
    perExample = options.objective().ownNegatives() ? options.negatives() : 0;
    int rows = interactions.size();
    int[] items = new int[rows];
    float[] values = new float[rows];
    for (int row = 0; row < rows; row++) {
      items[row] = interactions.itemAt(row);
      values[row] = interactions.valueAt(row) - offset;
    }
    userOfRow = HostArrays.longs(session.manager(), interactions.userOfRow(), rows);
    itemOfRow = HostArrays.longs(session.manager(), items, rows);
    weightOfRow = HostArrays.floats(session.manager(), weights, rows);
    valueOfRow =
        options.objective() == Objective.SQUARED_ERROR
            ? HostArrays.floats(session.manager(), values, rows)
            : null;
    userSums = new SegmentSums(session, tables.users().getShape().get(0));
    itemSums = new SegmentSums(session, tables.items().getShape().get(0));
    totals = session.manager().zeros(new Shape(2), DataType.FLOAT32);
  }

  /** Begins an epoch with its examples in this order. */
  void startEpoch(int[] examples) {
    if (epoch != null) {
      epoch.close();
    }
    epoch = session.child();
    dropBlock();
    order = HostArrays.longs(epoch.manager(), examples, examples.length);
  }

  /**
   * One step on examples of the epoch.
   *
   * @param from the first of them in the epoch's order
   * @param to the first behind them
   * @param first how many examples there were before these in the whole training
   * @param factor the schedule's factor on all step sizes
   */
  void step(int from, int to, long first, ModelParameters parameters, float factor) {
    try (Scope step = session.child()) {
      int size = to - from;
      NDArray rows = step.adopt(order().get(new NDIndex("{}:{}", from, to)));
      NDArray users = step.adopt(userOfRow.gather(rows, 0));
      NDArray positives = step.adopt(itemOfRow.gather(rows, 0)).reshape(size, 1);
      NDArray items =
          perExample == 0
              ? positives
              : NDArrays.concat(new NDList(positives, negatives(step, from, to, first)), 1);
      NDArray weights = step.adopt(weightOfRow.gather(rows, 0));
      Side user = new Side("user", step, userSums, users, tables.users(), tables.userBiases());
      Side item =
          new Side("item", step, itemSums, items.flatten(), tables.items(), tables.itemBiases());

      NDArray u = user.values; // (B, D)
      NDArray v = item.values.reshape(size, 1 + perExample, u.getShape().get(1)); // (B, 1 + n, D)
      NDArray scores = v.batchMatMul(u.expandDims(2)).squeeze(2).divi(temperature);
      if (user.biases != null && item.biases != null) {
        scores.addi(user.biases).addi(item.biases.reshape(size, 1 + perExample));
      }
      Slopes slopes = slopes(scores, rows, step);
      NDArray loss = slopes.loss.mul(weights).mean();
      // Infinity less itself is no number either.
      NDArray finite = loss.sub(loss).eq(0);
      NDArray c = slopes.perPair.mul(weights.div(size).expandDims(1));
      total(step, loss, finite, size);

      NDArray scaled = c.div(temperature); // (B, 1 + n)
      NDArray userGradient = scaled.expandDims(1).batchMatMul(v).squeeze(1);
      NDArray itemGradient =
          scaled.expandDims(2).mul(u.expandDims(1)).reshape(item.values.getShape());
      // A user's bias cancels in a comparison of two of the user's items.
      NDArray userSlopes = c.sum(new int[] {1}, true);
      if (options.objective() == Objective.BPR) {
        userSlopes.muli(0);
      }
      Map<String, ResidentGradient> gradients = new LinkedHashMap<>();
      user.addGradients(userGradient, userSlopes, finite, gradients);
      item.addGradients(itemGradient, c.reshape(-1, 1), finite, gradients);
      parameters.updateOnDevice(gradients, size, factor);
      operations = step.manager().getManagedArrays().size();
    }
  }

  private NDArray order() {
    if (order == null) {
      throw new IllegalStateException("no epoch was started");
    }
    return order;
  }

  /** How many arrays the last step made: as many as operations that do not work in place. */
  long operations() {
    return operations;
  }

  private NDArray negatives(Scope step, int from, int to, long first) {
    Block now = block;
    if (now == null || from < now.from || to > now.to) {
      dropBlock();
      int size = to - from;
      int steps = Math.max(1, DRAWN_AT_ONCE / (size * perExample));
      int end = (int) Math.min(order().size(), from + (long) steps * size);
      Scope scope = session.child();
      try (Scope drawing = scope.child()) {
        NDArray rows = drawing.adopt(order().get(new NDIndex("{}:{}", from, end)));
        NDArray users = drawing.adopt(userOfRow.gather(rows, 0));
        NDArray drawn = scope.adopt(negatives.draw(drawing, users, first));
        now = new Block(scope, from, end, drawn);
      }
      block = now;
    }
    return step.adopt(now.negatives.get(new NDIndex("{}:{}", from - now.from, to - now.from)));
  }

  private void dropBlock() {
    if (block != null) {
      block.scope.close();
      block = null;
    }
  }

  /** What was counted since the last call; waits for the device. */
  Totals takeTotals() {
    float[] values = HostArrays.toFloats(totals);
    totals.muli(0);
    return new Totals(values[0], Math.round(values[1]));
  }

  /**
   * Sums over steps.
   *
   * @param lossSum of finite mean losses, each times its examples
   * @param badSteps how many losses were not finite
   */
  record Totals(double lossSum, long badSteps) {}

  private void total(Scope step, NDArray loss, NDArray finite, int size) {
    NDArray counted = loss.getNDArrayInternal().where(finite, loss.zerosLike()).mul(size);
    NDArray bad = finite.logicalNot().toType(DataType.FLOAT32, false);
    totals.addi(step.adopt(NDArrays.stack(new NDList(counted, bad))));
  }

  /** Losses (B) without weights, and dJ/ds of each pair (B, 1 + n) without weights. */
  private record Slopes(NDArray loss, NDArray perPair) {}

  private Slopes slopes(NDArray scores, NDArray rows, Scope step) {
    NDArray positive = scores.get(new NDIndex(":, 0:1")); // (B, 1)
    NDArray others = scores.get(new NDIndex(":, 1:")); // (B, n)
    return switch (options.objective()) {
      case SQUARED_ERROR -> {
        NDArray wanted = step.adopt(values().gather(rows, 0)).expandDims(1);
        NDArray error = positive.sub(wanted);
        yield new Slopes(error.square().mul(0.5).squeeze(1), error);
      }
      case BPR -> {
        NDArray margins = others.sub(positive);
        NDArray slopes = Activation.sigmoid(margins).divi(perExample);
        NDArray first = slopes.sum(new int[] {1}, true).negi();
        yield new Slopes(
            Activation.softPlus(margins).mean(new int[] {1}),
            NDArrays.concat(new NDList(first, slopes), 1));
      }
      case BCE -> {
        NDArray first = Activation.sigmoid(positive.neg()).negi();
        NDArray slopes = NDArrays.concat(new NDList(first, Activation.sigmoid(others)), 1);
        NDArray losses =
            NDArrays.concat(
                new NDList(Activation.softPlus(positive.neg()), Activation.softPlus(others)), 1);
        yield new Slopes(losses.mean(new int[] {1}), slopes.divi(1 + perExample));
      }
      case SAMPLED_SOFTMAX, FULL_SOFTMAX ->
          throw new IllegalStateException("shared negatives have no closed form here");
    };
  }

  private NDArray values() {
    if (valueOfRow == null) {
      throw new IllegalStateException("values are only for the squared error");
    }
    return valueOfRow;
  }

  /** The rows of one table that a step reads, a position for each time. */
  private static final class Side {
    private final String name;
    private final Scope step;
    private final NDArray index;
    private final NDArray slots;
    private final NDArray once;
    final NDArray values;
    final @Nullable NDArray biases;

    Side(
        String name,
        Scope step,
        SegmentSums sums,
        NDArray index,
        NDArray vectors,
        @Nullable NDArray biases) {
      this.name = name;
      this.step = step;
      this.index = index;
      NDArray positions =
          step.manager().arange(0, Math.toIntExact(index.size()), 1, DataType.INT64);
      slots = sums.slots(index, positions, step);
      once = slots.eq(positions).toType(DataType.FLOAT32, false).expandDims(1);
      values = RowOptimizer.gather(vectors, index);
      this.biases = biases == null ? null : RowOptimizer.gather(biases, index);
    }

    /**
     * Sums up by row; everything is zero if the loss is not finite.
     *
     * @param gradient (P, D)
     * @param slopes (P, 1)
     */
    void addGradients(
        NDArray gradient, NDArray slopes, NDArray finite, Map<String, ResidentGradient> gradients) {
      long width = gradient.getShape().get(1);
      NDArray all =
          NDArrays.concat(new NDList(gradient, slopes, slopes.onesLike()), 1); // (P, D + 2)
      NDArray sums = SegmentSums.sums(slots, all, step);
      NDArray kept =
          sums.getNDArrayInternal().where(finite.broadcast(sums.getShape()), sums.zerosLike());
      NDArray read = RowOptimizer.gather(kept, slots);
      NDArray counts = read.get(new NDIndex(":, {}:", width + 1));
      gradients.put(
          name + ".id",
          new ResidentGradient(
              index, read.get(new NDIndex(":, 0:{}", width)), values, counts, once));
      if (biases != null) {
        NDArray bias = read.get(new NDIndex(":, {}:{}", width, width + 1));
        gradients.put(name + ".bias", new ResidentGradient(index, bias, biases, counts, once));
      }
    }
  }
}
